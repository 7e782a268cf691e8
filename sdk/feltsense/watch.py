"""A live session with what a person wants to see beside the estimate: heart rate and skin conductance.

Contract
--------
- Predictions are those of a :class:`feltsense.session.Session`, and the features beside them are those that it used.
- :class:`Calibrating` starts without a profile, learns one from the known rest as soon as every stream is final up to
  its end, and then goes on as a session *with* that profile that has seen everything from the first sample. So its
  rows are those of ``feltsense predict`` on the saved recording with the saved profile, exactly.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense.calibration import calibrate
from feltsense.core.chunk import Chunk
from feltsense.core.profile import RestInterval
from feltsense.core.recording import Order, Recording, Stream
from feltsense.core.timeline import NS, to_ns
from feltsense.errors import InputError
from feltsense.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feltsense.bundle import Bundle
    from feltsense.core.chunk import StreamInfo
    from feltsense.core.event import Event
    from feltsense.core.prediction import Prediction
    from feltsense.core.profile import UserProfile
    from feltsense.core.vector import FeatureVector

__all__ = ["Calibrating", "Holdback", "Seen", "gather", "look"]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One window: its end in seconds from the session's start, the estimate, and the features behind it."""

    end_s: float
    prediction: Prediction
    vector: FeatureVector


def look(session: Session, predictions: Iterable[Prediction]) -> list[Seen]:
    """What the last push of a session gave, with the features behind it."""
    start = session.start_ns or 0
    return [Seen((p.stop_ns - start) / NS, p, v) for p, v in zip(predictions, session.vectors, strict=True)]


class Holdback:
    """Puts live pieces into the order in which a recording plays them, by holding them back a little.

    Sensors' frames reach the host in any order between sensors. A window that is completed by one sensor must not be
    closed while another, which has just come back, still has samples of it on the way: a replay would have them.

    Parameters
    ----------
    seconds : float
        How long a piece may be on the way longer than others; later ones come too late for their windows.
    """

    def __init__(self, seconds: float) -> None:
        self._behind = to_ns(seconds)
        self._order = Order()
        self._heap: list[tuple[tuple[int, int], int, Chunk | Event]] = []
        self._count = 0
        self._newest = 0

    def push(self, item: Chunk | Event) -> list[Chunk | Event]:
        """Take a piece; gives those that are due."""
        key = self._order.key(item)
        heapq.heappush(self._heap, (key, self._count, item))
        self._count += 1
        self._newest = max(self._newest, item.last_ns if isinstance(item, Chunk) else item.t_ns)
        due = []
        while self._heap and self._heap[0][0][0] <= self._newest - self._behind:
            due.append(heapq.heappop(self._heap)[2])
        return due

    def rest(self) -> list[Chunk | Event]:
        """All that is left, at the end."""
        left = [item for _, _, item in sorted(self._heap)]
        self._heap.clear()
        return left


class Calibrating:
    """A live session that calibrates itself on known rest at its beginning.

    Parameters
    ----------
    subject : str
        Pseudonym for the profile.
    streams : mapping of str to StreamInfo
        All streams of the session.
    bundle : Bundle
        The model.
    rest_s : float
        Length of the known rest, from the first sample.
    hop : float
        Seconds between windows.
    """

    def __init__(
        self, subject: str, streams: Mapping[str, StreamInfo], bundle: Bundle, rest_s: float, hop: float
    ) -> None:
        self.profile: UserProfile | None = None
        self.failure = ""
        """Why it could not be calibrated; empty while it was or may still be."""
        self.rows: list[Prediction] = []
        """Every window's prediction; with the profile from the first on, once there is one."""
        self._subject, self._streams, self._bundle = subject, dict(streams), bundle
        self._rest_s, self._hop = rest_s, hop
        self._items: list[Chunk | Event] = []
        self._session = Session(streams, bundle, None, hop)

    @property
    def start_ns(self) -> int | None:
        """The session's first sample; None while a declared stream has not begun."""
        return self._session.start_ns

    @property
    def due(self) -> bool:
        """Whether every stream is final up to the end of the rest and :meth:`calibrate` has not run."""
        if self.profile is not None or self.failure or self.start_ns is None or not self.rows:
            return False
        return self.rows[-1].stop_ns >= self.start_ns + to_ns(self._rest_s)

    def push(self, item: Chunk | Event) -> list[Seen]:
        """Take a chunk or an event."""
        if self.profile is None and not self.failure:
            self._items.append(item)
        return self._seen(self._session.push(item))

    def finish(self) -> list[Seen]:
        """End the session."""
        return self._seen(self._session.finish())

    def calibrate(self) -> None:
        """Learn the profile and begin anew with it; takes a second or two of computing."""
        if self.start_ns is None:
            msg = "no stream has begun: there is nothing to calibrate on"
            raise InputError(msg)
        items, self._items = self._items, []
        rest = RestInterval(self.start_ns, self.start_ns + to_ns(self._rest_s))
        try:
            self.profile = calibrate(gather(self._subject, self._streams, items), [rest], self._bundle)
        except InputError as error:
            # A recording without what the model reads: the session goes on, and says why it says nothing.
            self.failure = str(error)
            return
        self._session = Session(self._streams, self._bundle, self.profile, self._hop, self.start_ns)
        self.rows = [p for item in items for p in self._session.push(item)]

    def _seen(self, predictions: list[Prediction]) -> list[Seen]:
        self.rows += predictions
        return look(self._session, predictions)


def gather(subject: str, streams: Mapping[str, StreamInfo], items: Iterable[Chunk | Event]) -> Recording:
    """Make a recording of what a live session delivered."""
    chunks: dict[str, list[Chunk]] = {name: [] for name in streams}
    events: list[Event] = []
    for item in items:
        if isinstance(item, Chunk):
            chunks[item.stream.id].append(item)
        else:
            events.append(item)
    return Recording(subject, {k: Stream.from_chunks(streams[k], c) for k, c in chunks.items()}, tuple(events))
