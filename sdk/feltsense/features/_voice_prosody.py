"""Melody, loudness and timing of an utterance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import find_peaks

from feltsense.core.vector import FeatureSpec
from feltsense.features._voice_functionals import (
    LEAST_ROWS,
    LEAST_S,
    Contour,
    Family,
    shape,
    shape_specs,
    slope_specs,
    slopes,
    spread,
    spread_specs,
)
from feltsense.features._voice_rows import STEP_S, runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.features._voice_rows import Rows

    Array = NDArray[np.float64]

__all__ = ["LOUDNESS", "PITCH", "TIMING"]

_BOERSMA = "Boersma 1993, IFA Proc 17:97"
_GEMAPS = "Eyben 2016, IEEE Trans Affect Comput 7:190"
_JONG = "de Jong & Wempe 2009, Behav Res Methods 41:385"
_GOLDMAN = "Goldman-Eisler 1968, Psycholinguistics"
_OWN = "this library"
_PAUSE_S = 0.1
"""Silences of less are closures of plosives."""
_PEAK_ROWS, _PROMINENCE = 8, 0.1
"""Syllables are at least 80 ms apart and stand out by a tenth of the loudness's range."""
_RATE_S = 1.0
"""Seconds below which a rate is a matter of where the cut was."""
_OUTER = (5, 20, 50, 80, 95)

_ST = Contour("f0st", "st", "pitch of voiced rows, semitones above 27.5 Hz", _GEMAPS)
_L = Contour("loudness", "1", "sum over 26 mel bands of power^0.3", _GEMAPS)
_LV = Contour("loudness_voiced", "1", "loudness of voiced rows", _GEMAPS)
_LEVEL = Contour("level", "dB", "level of active rows re full scale", _OWN)


def _pitch(rows: Rows) -> dict[str, float]:
    st = rows.semitones
    f0 = rows["f0"][rows.voiced]
    out = spread("f0st", st, _OUTER) | slopes("f0st", st) | shape("f0st", st)
    enough = len(f0) >= LEAST_ROWS
    nan = float("nan")
    p20, p80 = np.percentile(f0, (20, 80)).tolist() if enough else (nan, nan)
    out |= {
        "f0_mean": float(f0.mean()) if enough else nan,
        "f0_sd": float(f0.std()) if enough else nan,
        "f0_p20": p20,
        "f0_p80": p80,
        "f0_range_st": out["f0st_p80"] - out["f0st_p20"],
        "f0_slope": out["f0st_slope"],
    }
    return out | _by_run(rows, st)


_RUNS = (
    ("run_f0_sd", "st", "Standard deviation over voiced runs of their mean pitch"),
    ("run_f0_range", "st", "Mean over voiced runs of their pitch range"),
    ("run_f0_range_max", "st", "Largest pitch range of a voiced run"),
    ("run_f0_fall", "st", "Mean pitch of the last voiced run minus that of the first"),
    ("run_level_sd", "dB", "Standard deviation over voiced runs of their mean level"),
    ("run_level_last", "dB", "Level of the last voiced run minus the mean over runs"),
    ("run_longest", "s", "Longest voiced run"),
)
_RUN_ROWS = 5
"""A run of 50 ms: a short vowel."""


def _by_run(rows: Rows, st: Array) -> dict[str, float]:
    """How voiced runs differ from each other; a single run differs by nothing."""
    spans = [(a, b) for a, b in zip(*runs(rows.voiced), strict=True) if b - a >= _RUN_ROWS]
    if not spans:
        return {name: float("nan") for name, *_ in _RUNS}
    pitch = np.array([st[a:b].mean() for a, b in spans])
    reach = np.array([np.ptp(st[a:b]) for a, b in spans])
    level = np.array([rows.level[a:b].mean() for a, b in spans])
    length = max(b - a for a, b in spans) * STEP_S
    values = (
        pitch.std(), reach.mean(), reach.max(), pitch[-1] - pitch[0], level.std(), level[-1] - level.mean(), length
    )  # fmt: skip
    return {name: float(v) for (name, *_), v in zip(_RUNS, values, strict=True)}


PITCH: Final = Family(
    (
        FeatureSpec("f0_mean", "Hz", "Mean fundamental frequency of voiced rows", _BOERSMA, LEAST_S),
        FeatureSpec("f0_sd", "Hz", "Standard deviation of the fundamental frequency", _BOERSMA, LEAST_S),
        FeatureSpec("f0_p20", "Hz", "Percentile 20 of the fundamental frequency", _BOERSMA, LEAST_S),
        FeatureSpec("f0_p80", "Hz", "Percentile 80 of the fundamental frequency", _BOERSMA, LEAST_S),
        FeatureSpec("f0_range_st", "st", "Percentile 80 minus 20 of the pitch", _GEMAPS, LEAST_S),
        FeatureSpec("f0_slope", "st/s", "Least-squares slope of the pitch", _GEMAPS, LEAST_S),
        *spread_specs(_ST, _OUTER),
        *slope_specs(_ST),
        *shape_specs(_ST),
        *(FeatureSpec(name, unit, what, _OWN, LEAST_S) for name, unit, what in _RUNS),
    ),
    _pitch,
)


def _loudness(rows: Rows) -> dict[str, float]:
    loud = rows.loudness
    active = np.where(rows.active, rows.level, np.nan)
    out = spread("loudness", loud) | spread("loudness_voiced", np.where(rows.voiced, loud, np.nan))
    out |= slopes("loudness", loud) | spread("level", active)
    relative = active - np.nanmean(active) if rows.active.any() else active
    out |= slopes("level", relative) | shape("level", relative)
    mean = float(loud.mean())
    out["loudness_cv"] = float(loud.std() / mean) if mean > 0.0 else float("nan")
    out["level_db"] = out["level_mean"]
    del out["level_mean"]
    return out


LOUDNESS: Final = Family(
    (
        *spread_specs(_L),
        *spread_specs(_LV),
        *slope_specs(_L),
        FeatureSpec("loudness_cv", "1", "Standard deviation of the loudness over its mean", _GEMAPS, LEAST_S),
        *spread_specs(_LEVEL, mean="_db"),
        *slope_specs(_LEVEL),
        *shape_specs(_LEVEL),
    ),
    _loudness,
)


def _lengths(mask: NDArray[np.bool_], least_s: float = 0.0) -> Array:
    a, b = runs(mask)
    s = ((b - a) * STEP_S).astype(np.float64)
    return s[s >= least_s - 1e-9]


def _timing(rows: Rows) -> dict[str, float]:
    """Rates count from the first active row to the last: silence around an utterance is no pause of it."""
    where = np.flatnonzero(rows.active)
    if len(where) < LEAST_ROWS:
        return {s.name: float("nan") for s in TIMING.specs}
    span = slice(int(where[0]), int(where[-1]) + 1)
    active, voiced = rows.active[span], rows.voiced[span]
    seconds = len(active) * STEP_S
    pauses = _lengths(~active, _PAUSE_S)
    speaking, silent = _lengths(voiced), _lengths(~voiced)
    loud = np.convolve(np.pad(rows.loudness[span], 2, "edge"), np.full(5, 0.2), "valid")
    reach = float(np.ptp(loud))
    peaks = find_peaks(loud, prominence=_PROMINENCE * reach, distance=_PEAK_ROWS)[0] if reach > 0.0 else np.empty(0, int)
    syllables = peaks[voiced[peaks]]
    between = np.diff(peaks) * STEP_S
    return {
        "voiced_frac": float(voiced.mean()),
        "active_frac": float(active.mean()),
        "pause_rate": 60.0 * len(pauses) / seconds,
        "pause_frac": float(pauses.sum()) / seconds,
        "pause_mean": float(pauses.mean()) if len(pauses) else 0.0,
        "pause_longest": float(pauses.max(initial=0.0)),
        "syll_rate": len(syllables) / seconds,
        "articulation_rate": len(syllables) / (seconds - float(pauses.sum())),
        "loudness_peaks_s": len(peaks) / seconds,
        "peak_gap_sd": float(between.std()) if len(between) else 0.0,
        "voiced_runs_s": len(speaking) / seconds,
        "voiced_run_mean": float(speaking.mean()) if len(speaking) else 0.0,
        "voiced_run_sd": float(speaking.std()) if len(speaking) else 0.0,
        "unvoiced_run_mean": float(silent.mean()) if len(silent) else 0.0,
        "unvoiced_run_sd": float(silent.std()) if len(silent) else 0.0,
        "crossings": float(rows["crossings"][rows.active].mean()),
    }


TIMING: Final = Family(
    tuple(
        FeatureSpec(name, unit, what, source, _RATE_S)
        for name, unit, what, source in (
            ("voiced_frac", "1", "Share of voiced rows from the first active row to the last", _GEMAPS),
            ("active_frac", "1", "Share of active rows from the first to the last", _OWN),
            ("pause_rate", "1/min", "Pauses of at least 100 ms between active rows", _GOLDMAN),
            ("pause_frac", "1", "Share of time in such pauses", _GOLDMAN),
            ("pause_mean", "s", "Time in pauses over their number; 0 without one", _GOLDMAN),
            ("pause_longest", "s", "Longest pause; 0 without one", _GOLDMAN),
            ("syll_rate", "1/s", "Peaks of loudness in voiced rows, per second", _JONG),
            ("articulation_rate", "1/s", "The same per second outside pauses", _JONG),
            ("loudness_peaks_s", "1/s", "Peaks of loudness per second", _GEMAPS),
            ("peak_gap_sd", "s", "Standard deviation of the time between peaks of loudness", _OWN),
            ("voiced_runs_s", "1/s", "Voiced runs per second", _GEMAPS),
            ("voiced_run_mean", "s", "Mean length of voiced runs", _GEMAPS),
            ("voiced_run_sd", "s", "Standard deviation of the length of voiced runs", _GEMAPS),
            ("unvoiced_run_mean", "s", "Mean length between voiced runs", _GEMAPS),
            ("unvoiced_run_sd", "s", "Standard deviation of the length between voiced runs", _GEMAPS),
            ("crossings", "1", "Share of samples at which active sound changes sign", "Peeters 2004, CUIDADO report"),
        )
    ),
    _timing,
)
