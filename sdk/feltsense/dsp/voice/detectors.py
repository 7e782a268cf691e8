"""Other ears for "is this speech": what :class:`~feltsense.dsp.voice.front.VoiceFrontEnd` asks instead of the level.

A detector gets the sound of each block of rows once, in order, and gives one number a row, 0 (no) to 1 (yes); it is
begun anew after each gap. What it hears decides which rows are active; everything that is measured stays the same.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from feltsense.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Detector", "Silero", "WebRtc"]

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


_CHUNK, _CONTEXT, _STATE = 512, 64, (2, 1, 128)
"""Samples that Silero's network (version 5 and 6, 16 kHz) takes, those before them that it wants again, and its memory."""


class Silero:
    """Silero's recurrent network, run by onnxruntime from a file of the user's own: none is shipped, none is fetched.

    The network answers for 32 ms at a time. A row has the answer of the chunk that its middle is in; where that chunk goes
    on beyond the sound in hand (a second's end, every time), the answer of the one before.

    Parameters
    ----------
    model : str or path-like
        The published ``silero_vad.onnx`` (or ``silero_vad_16k_op15.onnx``), MIT licence.

    Raises
    ------
    MissingExtraError
        If onnxruntime is not installed.
    InputError
        If there is no such file, or it is another model.
    """

    def __init__(self, model: str | os.PathLike[str]) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError("onnx", "Silero's voice detector") from None
        self._path = Path(model)
        if not self._path.is_file():
            msg = f"{model}: there is no such file; name your copy of silero_vad.onnx"
            raise InputError(msg)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._net: Any = onnxruntime.InferenceSession(self._path, options, providers=["CPUExecutionProvider"])
        except Exception as e:  # noqa: BLE001: onnxruntime raises whatever it likes at a file that is none
            raise self._wrong() from e
        self._names = {i.name for i in self._net.get_inputs()}
        if not {"input", "state"} <= self._names <= {"input", "state", "sr"}:
            raise self._wrong()
        self.begin()
        self._heard(np.zeros(_CHUNK))
        self.begin()

    def _wrong(self) -> InputError:
        return InputError(f"{self._path}: is not Silero's voice detector of version 5 or 6 (input, state, sr)")

    def begin(self) -> None:
        """Forget what was heard."""
        self._state = np.zeros(_STATE, np.float32)
        self._before = np.zeros(_CONTEXT)
        self._rest = np.empty(0)
        self._last = 0.0

    def rows(self, x: Array) -> Array:
        """Probability of speech in each row."""
        sound = np.concatenate((self._rest, x))
        ahead = len(self._rest)
        whole = len(sound) // _CHUNK
        heard = [self._last, *(self._heard(sound[k * _CHUNK : (k + 1) * _CHUNK]) for k in range(whole))]
        self._rest = sound[whole * _CHUNK :].copy()
        self._last = heard[-1]
        middles = ahead + _ROW // 2 + _ROW * np.arange(len(x) // _ROW)
        return np.array(heard)[np.minimum(middles // _CHUNK + 1, whole)]

    def _heard(self, chunk: Array) -> float:
        """Take the next chunk."""
        given = {"input": np.concatenate((self._before, chunk)).astype(np.float32)[None], "state": self._state}
        if "sr" in self._names:
            given["sr"] = np.array(_RATE, np.int64)
        try:
            odds, state, *_ = self._net.run(None, given)
            answer, self._state = float(np.asarray(odds).reshape(-1)[0]), np.asarray(state, np.float32).reshape(_STATE)
        except Exception as e:  # noqa: BLE001: a model of other shapes fails in onnxruntime's own ways
            raise self._wrong() from e
        if not 0.0 <= answer <= 1.0:
            raise self._wrong()
        self._before = chunk[-_CONTEXT:].copy()
        return answer
