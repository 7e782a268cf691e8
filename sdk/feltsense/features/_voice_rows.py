"""A window's rows, and the contours that features are made of.

Which rows count
----------------
- *active*: the detector heard speech, and the level is within 35 dB of the window's loud rows;
- *voiced*: active, with a fundamental; *unvoiced*: active, without;
- *clear*: voiced with a harmonics-to-noise ratio of 5 dB or more: formants mean something there.

Every contour but level and loudness is free of the level: power in a band counts from 70 dB below the window's loud rows
up, so that neither the noise of a converter nor digital silence is measured.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from feltsense.core.voice_row import BANDS, ROW_RATE, column
from feltsense.dsp.voice.pitch import harmonicity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["REFERENCE_HZ", "STEP_S", "Rows", "runs"]

STEP_S = float(1 / ROW_RATE)
REFERENCE_HZ = 27.5
"""A0: semitones count from here, as in GeMAPS."""
_ACTIVE_DB, _FLOOR_DB = 35.0, 70.0
_LOUD = 95.0
_CLEAR = 0.76
"""Periodicity of 5 dB."""
_CEPSTRA = 13
_LOUDNESS = 0.3
"""Stevens' law for power; an auditory spectrum's bands are summed after it (Zwicker; GeMAPS)."""
_LARGEST_DB = 20.0


def runs(mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Beginnings and ends of the runs of true."""
    edge = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return edge[::2], edge[1::2]


class Rows:
    """Rows of one window.

    Parameters
    ----------
    rows : ndarray, shape (n, channels)
        At least one.
    """

    def __init__(self, rows: Array) -> None:
        self.rows = rows
        self.level = np.minimum(self["level"], _LARGEST_DB)
        self.loud = float(np.percentile(self.level, _LOUD))
        self.active: Mask = (self["speech"] > 0.5) & (self.level > self.loud - _ACTIVE_DB)
        self.voiced: Mask = self.active & (self["f0"] > 0.0)
        self.unvoiced: Mask = self.active & ~self.voiced
        self.clear: Mask = self.voiced & (self["periodicity"] >= _CLEAR)

    def __getitem__(self, name: str) -> Array:
        return np.ascontiguousarray(self.rows[:, column(name)])

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.rows) * STEP_S

    @cached_property
    def bands(self) -> Array:
        """Mel bands in dB, from the floor up; (n, BANDS)."""
        raw = np.minimum(self.rows[:, -BANDS:], _LARGEST_DB)
        return np.maximum(raw, self.loud - _FLOOR_DB)

    @cached_property
    def cepstra(self) -> Array:
        """Mel-frequency cepstral coefficients 1–13 of natural logarithms (Davis & Mermelstein 1980); (n, 13)."""
        logs = self.bands * (np.log(10.0) / 10.0)
        out: Array = fft.dct(logs, 2, norm="ortho", axis=1)[:, 1 : _CEPSTRA + 1]
        return out

    @cached_property
    def semitones(self) -> Array:
        """Pitch; NaN where unvoiced."""
        f0 = self["f0"]
        out: Array = np.where(self.voiced, 12.0 * np.log2(np.maximum(f0, 1.0) / REFERENCE_HZ), np.nan)
        return out

    @cached_property
    def loudness(self) -> Array:
        """Sum over bands of power^0.3; full scale is about 10."""
        out: Array = (10.0 ** (self.bands * (_LOUDNESS / 10.0))).sum(axis=1)
        return out

    @cached_property
    def hnr(self) -> Array:
        """Harmonics-to-noise ratio in dB."""
        return harmonicity(self["periodicity"])
