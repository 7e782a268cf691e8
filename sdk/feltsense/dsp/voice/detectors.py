"""Other ears for "is this speech": what :class:`~feltsense.dsp.voice.front.VoiceFrontEnd` asks instead of the level.

A detector gets the sound of each block of rows once, in order, and gives one number a row, 0 (no) to 1 (yes); it is
begun anew after each gap. What it hears decides which rows are active; everything that is measured stays the same.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from feltsense.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Detector", "WebRtc"]

_RATE, _ROW = 16_000, 160


class Detector(Protocol):
    """Hears speech."""

    def begin(self) -> None:
        """Forget what was heard: a gap."""

    def rows(self, x: Array) -> Array:
        """Speech 0..1 in each row of 10 ms; `x` has 160 samples a row, at 16 kHz, full scale ±1."""


class WebRtc:
    """The detector of WebRTC: Gaussian mixtures on six bands, for calls.

    Parameters
    ----------
    aggressiveness : int
        0 (takes almost everything for speech) to 3.

    Raises
    ------
    MissingExtraError
        If webrtcvad is not installed.
    InputError
        If the aggressiveness is another.
    """

    def __init__(self, aggressiveness: int = 2) -> None:
        try:
            import webrtcvad
        except ImportError:
            raise MissingExtraError("vad", "WebRTC's voice detector") from None
        if aggressiveness not in range(4):
            msg = f"WebRTC's detector has an aggressiveness of 0 to 3, not {aggressiveness!r}"
            raise InputError(msg)
        self._make: Callable[[], Any] = partial(webrtcvad.Vad, aggressiveness)
        self.begin()

    def begin(self) -> None:
        """Forget what was heard."""
        self._vad = self._make()

    def rows(self, x: Array) -> Array:
        """Speech 0 or 1 in each row."""
        pcm = np.round(np.clip(x, -1.0, 1.0) * 32767.0).astype("<i2")
        return np.array(
            [float(self._vad.is_speech(pcm[a : a + _ROW].tobytes(), _RATE)) for a in range(0, len(pcm) - _ROW + 1, _ROW)]
        )
