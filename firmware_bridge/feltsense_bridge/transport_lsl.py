"""A stream of the Lab Streaming Layer (LSL) as chunks of one of our signals.

- Stamps, gaps and clocks are :mod:`feltsense_bridge.lsl_account`'s; LSL's own smoothing of stamps is off.
- LSL's clock of this machine becomes session time by one comparison at the opening.
- A stream that ends is an error, and may be opened again: the account goes on with a gap.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from feltsense.core.chunk import StreamInfo
from feltsense.core.signals import IRREGULAR, MAX_DENOMINATOR, kind, spec
from feltsense.core.timeline import NS
from feltsense.errors import InputError, MissingExtraError
from feltsense_bridge.errors import LostError, NoAnswerError, NotFoundError
from feltsense_bridge.lsl_account import JITTER_S, LslAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from feltsense.core.chunk import Chunk
    from feltsense_bridge.accounting import Counters

__all__ = ["WAIT_S", "LslInlet"]

WAIT_S: Final = 5.0
"""LSL's own advice for finding a stream, which asks by multicast once or twice a second."""
_MOST: Final = 4096
"""Samples taken from LSL at once; what is left waits in LSL's buffer."""
_IRREGULAR: Final = ("heart_rate", "ppi", "rr")
"""Kinds that may come without a rate: what a heart does bounds how many are missing."""


class LslInlet:
    """One stream of an LSL outlet, on this machine or in its network.

    Parameters
    ----------
    stream : str
        The outlet's name, or another property of it (`by`).
    signal : str
        What its samples are, of the catalogue.
    scale : float
        What they are multiplied by to be in the signal's unit: 1 if they are, 0.001 for µV that should be mV.
    columns : sequence of int, optional
        Which of its channels are the signal's; needed where the outlet has others.
    by : str
        Property that `stream` is: ``name``, ``type`` or ``source_id``.
    jitter : float
        By how many seconds its stamps may be off; 0 where they come from the sensor's own clock.

    Raises
    ------
    MissingExtraError
        If pylsl is not installed.
    InputError
        If an argument makes no sense.

    Examples
    --------
    ::

        with LslInlet("polar ecg", "ecg", scale=0.001) as inlet:
            while wanted:
                for chunk in inlet.read():
                    pipeline.push(chunk)
    """

    def __init__(
        self,
        stream: str,
        signal: str,
        *,
        scale: float,
        columns: Sequence[int] | None = None,
        by: str = "name",
        jitter: float = JITTER_S,
    ) -> None:
        self._lsl, self._errors = _pylsl()
        if by not in ("name", "type", "source_id") or not stream:
            msg = f"LSL stream {stream!r} by {by!r}: give the outlet's name, type or source_id, and say which by `by`"
            raise InputError(msg)
        if not (math.isfinite(scale) and scale) or not 0 <= jitter < math.inf:
            msg = f"LSL stream {stream!r}: scale {scale} and jitter {jitter} must be finite, and not 0 and not negative"
            raise InputError(msg)
        self.kind = kind(signal)
        self._stream, self._by, self._scale, self._columns, self._jitter = stream, by, scale, columns, jitter
        self._inlet: Any = None
        self._session_ns = 0
        self._offset_s = 0.0
        self._account: LslAccount | None = None

    @property
    def info(self) -> StreamInfo:
        """The stream, known once it was opened."""
        return self._opened().info

    @property
    def counters(self) -> Counters:
        """What became of its samples."""
        return self._opened().counters

    def open(self, wait: float = WAIT_S, clock: Callable[[], int] = time.time_ns) -> StreamInfo:
        """Find the stream and connect.

        Parameters
        ----------
        wait : float
            Seconds that each of finding, connecting and asking for the clock may take.
        clock : callable
            Session time, ns.

        Raises
        ------
        NotFoundError
            If nothing in the network has such a stream.
        InputError
            If several have, or its channels or rate do not fit the signal; when it is opened again, if it has changed.
        NoAnswerError
            If it was found but does not answer.
        """
        self.close()
        found = self._lsl.resolve_byprop(self._by, self._stream, 1, wait)
        if len(found) != 1:
            self._not_one(len(found), wait)
        info = self._described(found[0])
        if self._account is None:
            self._account = LslAccount(info, self._jitter)
        elif self._account.info != info:
            msg = f"LSL stream {self._stream!r} has changed since it was lost: make a new inlet"
            raise InputError(msg)
        inlet = self._lsl.StreamInlet(found[0], recover=False, processing_flags=0)
        try:
            inlet.open_stream(wait)
            self._offset_s = inlet.time_correction(wait)
        except (self._errors.TimeoutError, self._errors.LostError) as error:
            msg = f"LSL stream {self._stream!r} was found but does not answer: let its program through the firewall"
            raise NoAnswerError(msg) from error
        self._inlet = inlet
        self._session_ns = clock() - round(self._lsl.local_clock() * NS)
        return info

    def read(self, wait: float = 0.2) -> list[Chunk]:
        """What has come; waits for the first sample. It blocks: in asyncio, give it to ``asyncio.to_thread``.

        Raises
        ------
        LostError
            If the outlet is gone; :meth:`open` again goes on after a gap.
        """
        account = self._opened()
        if self._inlet is None:
            msg = f"LSL stream {self._stream!r} is closed: open it"
            raise LostError(msg)
        rows, stamps = self._pull(wait)
        if not stamps:
            return []
        with suppress(self._errors.LostError, self._errors.TimeoutError):
            # Where the stream ended just now its last offset holds for what it left.
            self._offset_s = self._inlet.time_correction(wait)
        values = np.asarray(rows, dtype=np.float64)
        values = (values if self._columns is None else values[:, list(self._columns)]) * self._scale
        values[np.isinf(values)] = np.nan
        device_ns = np.rint(np.asarray(stamps) * NS).astype(np.int64)
        arrival_ns = self._session_ns + round(self._lsl.local_clock() * NS)
        return account.push(values, device_ns, self._session_ns + round(self._offset_s * NS), arrival_ns)

    def _pull(self, wait: float) -> tuple[list[list[float]], list[float]]:
        """The first sample, and what else is there: none that was taken is lost when the stream ends meanwhile."""
        try:
            first, stamp = self._inlet.pull_sample(timeout=wait)
        except self._errors.LostError as error:
            self.close()
            msg = f"LSL stream {self._stream!r} is gone: start its program again, then open the stream again"
            raise LostError(msg) from error
        if stamp is None:
            return [], []
        rows, stamps = [first], [stamp]
        with suppress(self._errors.LostError):
            more, theirs = self._inlet.pull_chunk(timeout=0.0, max_samples=_MOST)
            rows, stamps = rows + (more or []), stamps + theirs
        return rows, stamps

    def close(self) -> None:
        """Leave the stream. Twice is fine."""
        inlet, self._inlet = self._inlet, None
        if inlet is not None:
            inlet.close_stream()
            self._opened().interrupt()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _opened(self) -> LslAccount:
        if self._account is None:
            msg = f"LSL stream {self._stream!r} has not been opened: use it as a context, or call open"
            raise InputError(msg)
        return self._account

    def _not_one(self, count: int, wait: float) -> None:
        if count:
            msg = f"{count} LSL streams have the {self._by} {self._stream!r}: choose one by its source_id (by='source_id')"
            raise InputError(msg)
        msg = (
            f"no LSL stream has the {self._by} {self._stream!r} within {wait:g} s: start its program, and see that both "
            "machines are in one network that lets multicast through"
        )
        raise NotFoundError(msg)

    def _described(self, found: Any) -> StreamInfo:
        """Our description of the outlet, if its stream can be the signal."""
        where, channels, rate = f"LSL stream {self._stream!r}", found.channel_count(), found.nominal_srate()
        width = len(self.kind.channels)
        if found.channel_format() == self._lsl.cf_string:
            msg = f"{where} sends text, {self.kind.name} is numbers: choose another stream"
            raise InputError(msg)
        wrong = self._columns is not None and not all(0 <= c < channels for c in self._columns)
        if wrong or (channels if self._columns is None else len(self._columns)) != width:
            msg = f"{where} has {channels} channels, {self.kind.name} {width}: name {width} of 0…{channels - 1} in `columns`"
            raise InputError(msg)
        exact = Fraction(rate).limit_denominator(MAX_DENOMINATOR) if math.isfinite(rate) and rate > 0 else IRREGULAR
        if not exact and self.kind.name not in _IRREGULAR:
            msg = f"{where} names no nominal rate, and {self.kind.name} needs one: set it in the program that sends it"
            raise InputError(msg)
        return StreamInfo(f"lsl.{self.kind.name}", spec(self.kind.name, exact or IRREGULAR), found.name())


def _pylsl() -> tuple[Any, Any]:
    """The library, and where its errors are."""
    try:
        import pylsl
        import pylsl.util
    except (ImportError, RuntimeError):
        # RuntimeError: the package is there, and liblsl is not.
        raise MissingExtraError("lsl", "a stream of the Lab Streaming Layer") from None
    return pylsl, pylsl.util
