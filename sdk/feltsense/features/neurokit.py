"""NeuroKit2 as a second engine: the one place that knows its calls and their traps. Needs ``feltsense[physio]``.

Arrays in, numbers out; who holds windows is :mod:`feltsense.features._neurokit_windows`. Traps (NeuroKit2 0.2.13), and
what is done about each, here and nowhere else:

- *Rate.* Every function has ``sampling_rate=1000`` as its default: it is always given.
- *Power units.* ``hrv_frequency`` divides by the largest power unless told not to; ``normalize=False`` gives ms².
- *Short LF.* Below 4 / T Hz its spectrum is cut off without a word, so LF is too small below 100 s: who asks must not
  ask below :data:`feltsense.features._slow` 's own minimum, and has ``too_short`` instead.
- *Relative threshold.* ``eda_peaks`` counts responses above a tenth of the largest one in hand, so the count depends on
  the window: ``amplitude_min=0``, and the thresholds in µS are applied afterwards.
- *Crashes.* Flat input, a constant rhythm and one or two intervals raise errors of many kinds: they are NaN here.
- *Whole samples.* Its R peaks are whole samples, which adds 2 ms of variability at 130 Hz: a parabola through the
  cleaned signal places them between samples, as in the stream engine.
- *Gaps.* Plain peak positions become intervals across gaps: it is given intervals with their times instead.
- *Edges.* Its filters err for seconds at the ends of what they are given: it is given context around each window.
- *Slow EDA.* At 6 Hz and below ``eda_clean`` does nothing, with a warning: ``signal_filter`` at 1 Hz takes its place.
- *Quality.* Its ECG quality is scaled within the window (white noise has .83): the stream engine's is used.
"""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.dsp.peaks import parabola
from feltsense.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "EDA_METHODS",
    "HRV_FUNCTIONS",
    "can_separate",
    "corrected_beats",
    "decompose",
    "dfa_alpha1",
    "frequency_domain",
    "hrv_table",
    "library",
    "poincare",
    "quiet",
    "r_peaks",
    "responses",
    "sample_entropy",
    "separate",
    "time_domain",
]

HRV_FUNCTIONS = ("hrv_time", "hrv_frequency", "hrv_nonlinear")
"""What its ``hrv`` is made of."""
EDA_METHODS = ("highpass", "smoothmedian", "sparse", "cvxeda")
"""Ways in which ``eda_phasic`` separates tonic and phasic."""
CRASHES = (ValueError, IndexError, ZeroDivisionError, TypeError, KeyError, ArithmeticError)
"""What it raises on flat, constant and short input."""
_TIME_DOMAIN = {
    "mean_nn": "MeanNN",
    "median_nn": "MedianNN",
    "min_nn": "MinNN",
    "max_nn": "MaxNN",
    "sdnn": "SDNN",
    "rmssd": "RMSSD",
    "sdsd": "SDSD",
    "pnn50": "pNN50",
    "pnn20": "pNN20",
    "cvnn": "CVNN",
    "cvsd": "CVSD",
    "mad_nn": "MadNN",
    "iqr_nn": "IQRNN",
}
_BEATS_HZ = 1000
"""Grid on which beat times are given to functions that want sample numbers: a millisecond."""
_BAND_HZ = (0.045, 0.25)
_SLOW_EDA_HZ, _LEVEL_HZ = 6.0, 1.0
_DFA_BEATS = range(4, 12)
_LEAST_SECONDS = 10.0
_LEAST_SAMPLES = 40
"""Shorter stretches are not filtered: they have not settled, or are shorter than the extension at their ends."""


def library() -> Any:
    """The package.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        with quiet():
            import neurokit2
    except ImportError:
        raise MissingExtraError("physio", "the engine neurokit") from None
    return neurokit2


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without its warnings: what they warn of is handled here."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def r_peaks(ecg_mv: Array, rate: float) -> Array:
    """R peaks of one gapless stretch: ``ecg_clean``, ``ecg_peaks`` (method "neurokit"), in samples, between samples.

    Parameters
    ----------
    ecg_mv : ndarray, shape (n,)
        Raw ECG, finite.
    rate : float
        Hz.
    """
    nk = library()
    if len(ecg_mv) < _LEAST_SECONDS * rate or not np.ptp(ecg_mv):
        return np.empty(0)
    with quiet():
        try:
            clean = np.asarray(nk.ecg_clean(ecg_mv, sampling_rate=rate), float)
            found = nk.ecg_peaks(clean, sampling_rate=rate)[1]["ECG_R_Peaks"]
        except CRASHES:
            return np.empty(0)
    at = np.asarray(found, int)
    inner = at[(at > 0) & (at < len(clean) - 1)]
    return np.array([i + parabola(*clean[i - 1 : i + 2]) for i in inner.tolist()])


def time_domain(nn_ms: Array, at_s: Array) -> dict[str, float]:
    """``hrv_time``, with this library's names; NaN where it fails.

    Parameters
    ----------
    nn_ms, at_s : ndarray, shape (n,)
        NN intervals, and the times of the beats that end them: what is left out in between is seen there.
    """
    out = dict.fromkeys(("hr", *_TIME_DOMAIN), float("nan"))
    table = hrv_table("hrv_time", nn_ms, at_s)
    out |= {ours: table.get(theirs, float("nan")) for ours, theirs in _TIME_DOMAIN.items()}
    out["hr"] = 60e3 / out["mean_nn"] if out["mean_nn"] else float("nan")
    return out


def poincare(nn_ms: Array, at_s: Array) -> tuple[float, float]:
    """SD1 and SD2 of ``hrv_nonlinear``, ms."""
    table = hrv_table("hrv_nonlinear", nn_ms, at_s)
    return table.get("SD1", float("nan")), table.get("SD2", float("nan"))


def frequency_domain(nn_ms: Array, at_s: Array) -> tuple[float, float]:
    """LF and HF of ``hrv_frequency``, ms² (Welch, Hann, segments of half the length)."""
    table = hrv_table("hrv_frequency", nn_ms, at_s)
    return table.get("LF", float("nan")), table.get("HF", float("nan"))


def hrv_table(function: str, nn_ms: Array, at_s: Array) -> dict[str, float]:
    """All indices of one of :data:`HRV_FUNCTIONS` by their names without ``HRV_``; powers in ms²; empty where it fails.

    Parameters
    ----------
    function : str
        Its name.
    nn_ms, at_s : ndarray, shape (n,)
        As in :func:`time_domain`.
    """
    nk = library()
    if len(nn_ms) < 2:
        return {}
    options = {"normalize": False, "silent": True} if function == "hrv_frequency" else {}
    with quiet():
        try:
            table = getattr(nk, function)({"RRI": nn_ms, "RRI_Time": at_s}, sampling_rate=_BEATS_HZ, **options)
        except CRASHES:
            return {}
    return {str(k).removeprefix("HRV_"): float(v) for k, v in table.iloc[0].items() if np.ndim(v) == 0}


def sample_entropy(nn_ms: Array) -> float:
    """``entropy_sample`` with m = 2, r = 0.2 SD."""
    nk = library()
    spread = float(nn_ms.std(ddof=1)) if len(nn_ms) > 1 else 0.0
    if not spread:
        return float("nan")
    with quiet():
        try:
            return float(nk.entropy_sample(nn_ms, delay=1, dimension=2, tolerance=0.2 * spread)[0])
        except CRASHES:
            return float("nan")


def dfa_alpha1(nn_ms: Array) -> float:
    """``fractal_dfa`` over 4–11 beats."""
    nk = library()
    if len(nn_ms) <= _DFA_BEATS[-1] or not np.ptp(nn_ms):
        return float("nan")
    with quiet():
        try:
            return float(nk.fractal_dfa(nn_ms, scale=np.array(_DFA_BEATS), multifractal=False)[0])
        except CRASHES:
            return float("nan")


def corrected_beats(at_s: Array) -> int:
    """How many beats of one gapless stretch ``signal_fixpeaks`` (method "Kubios") would correct."""
    nk = library()
    peaks = np.round((at_s - at_s[:1]) * _BEATS_HZ).astype(int)
    with quiet():
        try:
            found, _ = nk.signal_fixpeaks(peaks, sampling_rate=_BEATS_HZ, iterative=False, method="Kubios")
        except CRASHES:
            return 0
    return sum(len(found[k]) for k in ("ectopic", "missed", "extra", "longshort"))


def decompose(eda_us: Array, rate: float) -> tuple[Array, Array] | None:
    """``eda_clean`` and ``eda_phasic`` (method "highpass") of one gapless stretch.

    Returns
    -------
    level : ndarray, shape (n,)
        Cleaned conductance, µS.
    slow : ndarray, shape (n, 3)
        Tonic, phasic, and what ``signal_filter`` leaves of 0.045–0.25 Hz. None where the stretch is too short.
    """
    nk = library()
    level = _level(eda_us, rate)
    if level is None:
        return None
    with quiet():
        parts = nk.eda_phasic(level, sampling_rate=rate, method="highpass")
        low, high = _BAND_HZ
        band = nk.signal_filter(
            level, sampling_rate=rate, lowcut=low, highcut=high if high < rate / 2 else None, method="butterworth", order=2
        )
    return level, np.column_stack((parts["EDA_Tonic"], parts["EDA_Phasic"], band))


def can_separate(method: str) -> bool:
    """Whether a method's own library is there: ``cvxeda`` needs cvxopt, which is under the GPL and in no extra."""
    return method != "cvxeda" or importlib.util.find_spec("cvxopt") is not None


def separate(eda_us: Array, rate: float, method: str) -> tuple[Array, Array] | None:
    """Tonic and phasic of one gapless stretch by one of :data:`EDA_METHODS`; None where it is too short or flat."""
    nk = library()
    level = _level(eda_us, rate)
    if level is None or not np.ptp(level):
        return None
    with quiet():
        try:
            # The median's length is in whole samples.
            parts = nk.eda_phasic(level, sampling_rate=max(round(rate), 1), method=method)
        except (*CRASHES, ImportError):
            return None
    return np.asarray(parts["EDA_Tonic"], float), np.asarray(parts["EDA_Phasic"], float)


def _level(eda_us: Array, rate: float) -> Array | None:
    """Cleaned conductance; None where the stretch is too short to be filtered."""
    nk = library()
    if len(eda_us) < max(_LEAST_SECONDS * rate, _LEAST_SAMPLES):
        return None
    if rate <= 2 * _LEVEL_HZ:
        return eda_us
    with quiet():
        if rate > _SLOW_EDA_HZ:
            return np.asarray(nk.eda_clean(eda_us, sampling_rate=rate), float)
        slow = nk.signal_filter(eda_us, sampling_rate=rate, highcut=_LEVEL_HZ, method="butterworth", order=4)
        return np.asarray(slow, float)


def responses(phasic_us: Array) -> tuple[NDArray[np.int64], Array]:
    """Onsets (samples) and amplitudes (µS) that ``eda_findpeaks`` finds in the phasic, of whatever size."""
    nk = library()
    with quiet():
        try:
            found = nk.eda_findpeaks(phasic_us, sampling_rate=1, method="neurokit", amplitude_min=0.0)
        except CRASHES:
            return np.empty(0, np.int64), np.empty(0)
    onsets, heights = np.asarray(found["SCR_Onsets"], float), np.asarray(found["SCR_Height"], float)
    whole = np.isfinite(onsets)
    at = onsets[whole].astype(np.int64)
    return at, heights[whole] - phasic_us[at]
