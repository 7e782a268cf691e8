"""Long-form analysis of heart rate variability and skin conductance, for a report: NeuroKit2's indices as pure data.

Rules
-----
- Needs ``feltsense[physio]``. The calls and their traps are :mod:`feltsense.features.neurokit` 's.
- Which beats and samples are usable is the stream engine's verdict; what is left out is left out here, too.
- An index below its own minimum of time or beats is NaN with a reason, as are those that are known to be wrong (TINN:
  its search stops after the first candidate) or mean nothing on a series this long.
- Variability is taken from the longest piece without a gap; time domain from all of the interval's NN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import Reason
from feltsense.core.window import Window
from feltsense.dsp.eda import SCR_LEAST_US
from feltsense.dsp.filters import ECG_LEAST_RATE
from feltsense.features import neurokit
from feltsense.features._binding import bind
from feltsense.features._neurokit_windows import NeuroKitEcg, NeuroKitEda, clock
from feltsense.features._slow import longest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.recording import Recording

__all__ = ["CLASSIC_US", "Analysis", "Index", "LongForm", "long_form"]

_NONLINEAR_NN = 500
"""NN that nonlinear indices are taken from at most, the first ones: their cost grows with the cube, and 5 minutes is
what their norms are of."""
_LEAST_NN = 5
CLASSIC_US = 0.05
"""µS; the classic threshold of a response (Boucsein 2012)."""
_MINUTES = 60.0
_DAY = 86_400.0
# Least seconds of an index by the beginning of its name; the first that fits counts, others need 30 s.
_LEAST_S = (
    ("SDANN1", 300.0), ("SDNNI1", 300.0), ("SDANN2", 600.0), ("SDNNI2", 600.0), ("SDANN5", 1500.0), ("SDNNI5", 1500.0),
    ("HTI", 1200.0), ("ULF", _DAY), ("VLF", 300.0), ("LFHF", 120.0), ("LFn", 300.0), ("HFn", 300.0), ("LF", 120.0),
    ("HF", 60.0), ("LnHF", 60.0), ("VHF", 60.0), ("TP", 300.0), ("DFA_alpha1", 120.0), ("MFDFA_alpha1", 300.0),
    ("DFA_alpha2", 300.0), ("MFDFA_alpha2", 300.0), ("Symbolic", 120.0), ("MeanNN", 10.0), ("RMSSD", 10.0),
)  # fmt: skip
# Least NN, likewise: entropies compare patterns that must repeat, multiscale ones of a tenth of the series.
_LEAST_N = (
    ("MSEn", 1000), ("CMSEn", 1000), ("RCMSEn", 1000), ("ApEn", 200), ("SampEn", 200), ("FuzzyEn", 200), ("ShanEn", 200),
    ("CD", 300), ("HFD", 300), ("KFD", 300), ("LZC", 300), ("DFA_alpha2", 300), ("MFDFA", 300),
)  # fmt: skip
_WRONG = frozenset({"TINN"})
_PERCENTS = frozenset({"pNN50", "pNN20", "GI", "SI", "AI", "PI"})
_MS = (
    "MeanNN",
    "SDNN",
    "SDANN",
    "RMSSD",
    "SDSD",
    "MedianNN",
    "MadNN",
    "IQRNN",
    "Prc",
    "MinNN",
    "MaxNN",
    "TINN",
    "SD1",
    "SD2",
    "CSI_Modified",
)
_RATIOS = frozenset({"SD1SD2", "SDRMSSD"})
_POWERS = frozenset({"ULF", "VLF", "LF", "HF", "VHF", "TP", "S"})
_EDA_INDICES = (
    ("tonic_mean", "uS", 10.0), ("tonic_range", "uS", 30.0), ("phasic_sd", "uS", 30.0), ("phasic_auc", "uS*s", 30.0),
    ("scr_count_01", "1", 48.0), ("scr_count_05", "1", 48.0), ("scr_rate_05", "1/min", 48.0),
    ("scr_amplitude_mean", "uS", 48.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Index:
    """One number.

    Attributes
    ----------
    name : str
        As the literature and NeuroKit2 call it, for example ``"SDNN"``; for EDA as this library does.
    value : float
        NaN exactly where the reason is not ``ok``.
    unit : str
        ``"1"`` for none.
    reason : Reason
        Why it is missing.
    """

    name: str
    value: float
    unit: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Analysis:
    """One group of indices.

    Attributes
    ----------
    stream : str
        Id of the stream.
    kind : str
        ``"hrv"`` or ``"eda"``.
    method : str
        What computed them: ``hrv_time``, ``hrv_frequency``, ``hrv_nonlinear``, or a method of ``eda_phasic``.
    seconds : float
        Usable signal behind them.
    beats : int
        NN intervals behind them; 0 for EDA.
    left_out : float
        Share of the intervals (hrv) or samples (eda) of the analysed time that were left out, 0..1.
    indices : tuple of Index
        In NeuroKit2's order.
    """

    stream: str
    kind: str
    method: str
    seconds: float
    beats: int
    left_out: float
    indices: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class LongForm:
    """All analyses of one interval.

    Attributes
    ----------
    start_ns, stop_ns : int
        The interval.
    library : str
        Name and version of what computed them.
    analyses : tuple of Analysis
        HRV first; empty where the recording has neither ECG nor EDA.
    """

    start_ns: int
    stop_ns: int
    library: str
    analyses: tuple[Analysis, ...]


def long_form(recording: Recording, *, start_ns: int | None = None, stop_ns: int | None = None) -> LongForm:
    """NeuroKit2's full analysis of an interval of a recording, as pure data.

    Parameters
    ----------
    recording : Recording
        What to analyse.
    start_ns, stop_ns : int, optional
        The interval (a person's rest, a task); default all of it.

    Raises
    ------
    MissingExtraError
        If NeuroKit2 is not installed.
    ValueError
        If the interval is empty.
    """
    nk = neurokit.library()
    start = recording.start_ns if start_ns is None else start_ns
    stop = recording.stop_ns if stop_ns is None else stop_ns
    if stop <= start:
        msg = f"an interval must end after it begins, got {start} to {stop} ns"
        raise ValueError(msg)
    window = Window(0, start, stop)
    analyses = (*_hrv(recording, window), *_eda(recording, window))
    return LongForm(start, stop, f"NeuroKit2 {nk.__version__}", analyses)


def _hrv(recording: Recording, window: Window) -> list[Analysis]:
    bound = bind("ecg", recording.infos())
    if not bound or bound["ecg"].spec.hz < ECG_LEAST_RATE:
        return []
    info = bound["ecg"]
    extractor = NeuroKitEcg(bound)
    for chunk in recording.streams[info.id].chunks():
        extractor.push(chunk)
    extractor.close(info.id)
    beats = extractor.beats(window)
    at_s = clock(beats)[beats.valid]
    nn = beats.interval_ms[beats.valid]
    whole = nn, at_s, 1.0 - len(nn) / max(len(beats.t_ns) - 1, 1)
    times, interval, valid = longest(beats)
    piece = interval[valid], times[valid], 1.0 - float(valid.mean()) if len(valid) else 0.0
    first = piece[0][:_NONLINEAR_NN], piece[1][:_NONLINEAR_NN], piece[2]
    out = []
    for function, (x, t, left) in zip(neurokit.HRV_FUNCTIONS, (whole, piece, first), strict=True):
        seconds = float(x.sum()) / 1e3
        found = neurokit.hrv_table(function, x, t) if len(x) >= _LEAST_NN else {}
        names = found or dict.fromkeys(_NAMES[function], float("nan"))
        indices = tuple(_index(name, value, seconds, len(x)) for name, value in names.items())
        out.append(Analysis(info.id, "hrv", function, seconds, len(x), min(max(left, 0.0), 1.0), indices))
    return out


_NAMES = {
    "hrv_time": ("MeanNN", "SDNN", "RMSSD", "SDSD", "pNN50", "pNN20"),
    "hrv_frequency": ("VLF", "LF", "HF", "LFHF"),
    "hrv_nonlinear": ("SD1", "SD2", "SD1SD2", "DFA_alpha1", "SampEn"),
}
"""What is named as missing where a function gives nothing at all."""


def _index(name: str, value: float, seconds: float, n: int) -> Index:
    least_s = next((s for prefix, s in _LEAST_S if name.startswith(prefix)), 30.0)
    least_n = next((k for prefix, k in _LEAST_N if name.startswith(prefix)), _LEAST_NN)
    reason = Reason.OK
    if name in _WRONG:
        reason = Reason.NOT_SUPPORTED
    elif n < _LEAST_NN:
        reason = Reason.TOO_FEW_BEATS
    elif seconds < 0.9 * least_s:  # a window's first and last interval are cut off
        reason = Reason.TOO_SHORT
    elif n < least_n:
        reason = Reason.TOO_FEW_BEATS
    elif not np.isfinite(value):
        reason = Reason.NONE_FOUND
    return Index(name, value if reason is Reason.OK else float("nan"), _unit(name), reason)


def _unit(name: str) -> str:
    if name in _POWERS:
        return "ms²"
    if name in _PERCENTS:
        return "%"
    return "ms" if name.startswith(_MS) and name not in _RATIOS else "1"


def _eda(recording: Recording, window: Window) -> list[Analysis]:
    bound = bind("eda", recording.infos())
    if not bound:
        return []
    info = bound["eda"]
    extractor = NeuroKitEda(bound)
    for chunk in recording.streams[info.id].chunks():
        extractor.push(chunk)
    extractor.close(info.id)
    parts = [(raw, good) for _, raw, good in extractor.stretches(window)]
    total = window.seconds * info.spec.hz
    usable = sum(int(good.sum()) for _, good in parts)
    seconds = usable / info.spec.hz
    left_out = min(max(1.0 - usable / total, 0.0), 1.0)
    out = []
    for method in neurokit.EDA_METHODS:
        values = _by_method(parts, info.spec.hz, method) if neurokit.can_separate(method) else None
        indices = []
        for name, unit, least in _EDA_INDICES:
            reason = Reason.OK
            if values is None:
                reason = Reason.NOT_SUPPORTED
            elif seconds < least or not values:
                reason = Reason.TOO_SHORT
            elif not np.isfinite(values[name]):
                reason = Reason.NONE_FOUND
            value = values[name] if values and reason is Reason.OK else float("nan")
            indices.append(Index(name, value, unit, reason))
        out.append(Analysis(info.id, "eda", method, seconds, 0, left_out, tuple(indices)))
    return out


def _by_method(parts: list[tuple[NDArray[np.float64], NDArray[np.bool_]]], rate: float, method: str) -> dict[str, float]:
    """Indices over all stretches that the method can separate; empty where there is none."""
    tonic, phasic, sizes = [], [], []
    for raw, good in parts:
        pair = neurokit.separate(raw, rate, method)
        if pair is None:
            continue
        tonic.append(pair[0][good])
        phasic.append(pair[1][good])
        onsets, amplitudes = neurokit.responses(pair[1])
        sizes.append(amplitudes[good[onsets] & (amplitudes >= SCR_LEAST_US)])
    if not tonic:
        return {}
    level, fast, scr = (np.concatenate(x) for x in (tonic, phasic, sizes))
    if not len(level):
        return {}
    minutes = len(level) / rate / _MINUTES
    classic = float((scr >= CLASSIC_US).sum())
    return {
        "tonic_mean": float(level.mean()),
        "tonic_range": float(np.ptp(level)),
        "phasic_sd": float(fast.std()),
        "phasic_auc": float(np.maximum(fast, 0.0).sum()) / rate,
        "scr_count_01": float(len(scr)),
        "scr_count_05": classic,
        "scr_rate_05": classic / minutes,
        "scr_amplitude_mean": float(scr.mean()) if len(scr) else float("nan"),
    }
