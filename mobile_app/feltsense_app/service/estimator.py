"""What is computed while it is recorded: estimates, how good the signals are, and whether the wizard's rest is one.

Contract
--------
- Samples go in as they come; sensors that join late are taken in, and estimating begins afresh with them.
- Estimates need consent and a baseline. Quality needs neither, so that a loose strap is seen by everybody.
- Whatever goes wrong here is told, and the recording goes on.
- What computes is imported when it is first needed: the window is there before scipy is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.core.chunk import Chunk
from feltsense.core.modality import length_of
from feltsense.core.vector import Reason
from feltsense.errors import FeltsenseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from feltsense.bundle import Bundle
    from feltsense.core.chunk import StreamInfo
    from feltsense.core.event import Event
    from feltsense.core.prediction import Prediction
    from feltsense.core.profile import UserProfile
    from feltsense.core.vector import FeatureVector
    from feltsense.session import Session
    from feltsense.watch import Holdback
    from feltsense_app.presenters.wizard import RestWindow
    from feltsense_app.service.rest import RestWatch

__all__ = ["Estimator"]

HOP_S = 10.0
"""Seconds between estimates on a phone: as often as anybody looks."""
LINKS_MATTER = (Reason.NO_SIGNAL, Reason.GAP, Reason.TOO_SHORT, Reason.WARM_UP)
"""Low quality because nothing came: that is said by the sensor's own line, and no strap has to be tightened for it."""


class Estimator:
    """Compute, beside the recording.

    Parameters
    ----------
    bundle : callable
        Gives the model.
    rested : callable
        Told each window of the wizard's rest.
    estimated : callable
        Told each estimate.
    """

    def __init__(
        self, bundle: Callable[[], Bundle], rested: Callable[[RestWindow], None], estimated: Callable[[Prediction], None]
    ) -> None:
        self.profile: UserProfile | None = None
        self.consented = False
        """Whether estimating was consented to."""
        self.quality: dict[str, float] = {}
        """Signal → quality of its last window, 0 to 1; signals that did not come are left out."""
        self._bundle, self._rested, self._estimated = bundle, rested, estimated
        self._streams: dict[str, StreamInfo] = {}
        self._held: Holdback | None = None
        self._session: Session | None = None
        self._watch: RestWatch | None = None
        self._resting = False

    @property
    def estimating(self) -> bool:
        """Whether there are estimates now: the badge."""
        return self._session is not None

    def begin(self, on_the_way_s: float) -> None:
        """A recording begins; a sensor's samples may come so much later than another's."""
        from feltsense.watch import Holdback

        self._held = Holdback(on_the_way_s)
        self.end()

    def end(self) -> None:
        """The recording has ended."""
        self._streams, self._session, self._watch, self._resting = {}, None, None, False
        self.quality = {}

    def join(self, streams: Mapping[str, StreamInfo]) -> None:
        """These streams are all that there are now; from here on."""
        from feltsense.session import Session
        from feltsense_app.service.rest import RestWatch

        self._streams = dict(streams)
        if not self._streams:
            return
        reads = self.consented and self.profile is not None
        self._session = Session(self._streams, self._bundle(), self.profile, HOP_S) if reads else None
        looks = self._resting or not reads
        self._watch = RestWatch(self._streams, self._bundle().model.modalities) if looks else None

    def rest(self, *, on: bool) -> None:
        """The wizard's rest begins, or has ended."""
        self._resting = on
        self.join(self._streams)

    def push(self, item: Chunk | Event) -> None:
        """Take what came.

        Raises
        ------
        FeltsenseError
            What went wrong; nothing is computed from then on.
        """
        for piece in [] if self._held is None else self._held.push(item):
            self._compute(piece)

    def finish(self) -> None:
        """Take what was still held back."""
        for piece in [] if self._held is None else self._held.rest():
            self._compute(piece)

    def _compute(self, piece: Chunk | Event) -> None:
        if isinstance(piece, Chunk) and piece.stream.id not in self._streams:
            return
        try:
            for window, vector in [] if self._watch is None else self._watch.push(piece):
                self._look([vector])
                if self._resting:
                    self._rested(window)
            for prediction in [] if self._session is None else self._session.push(piece):
                self._look([] if self._session is None else self._session.vectors)
                self._estimated(prediction)
        except FeltsenseError:
            self._session, self._watch = None, None
            raise

    def _look(self, vectors: Iterable[FeatureVector]) -> None:
        for vector in vectors:
            rows = zip(vector.schema.modalities, vector.quality, vector.quality_reasons, strict=True)
            own = [row for row in rows if length_of(row[0]) is None]
            self.quality = {m: float(q) for m, q, reason in own if reason not in LINKS_MATTER and q == q}
