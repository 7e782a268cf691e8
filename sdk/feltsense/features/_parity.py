"""How far the two engines are apart, feature by feature: one table, which the docs print and a test holds.

``absolute`` and ``relative``: in 95 % of the windows that both engines answer, |stream − neurokit| is at most
absolute + relative · |stream|. Spectral indices are held on rhythms from which nothing is left out.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PARITY", "SAME", "Parity"]


class Parity(NamedTuple):
    """One feature in both engines.

    Attributes
    ----------
    call : str
        What NeuroKit2 computes it with.
    absolute, relative : float
        Tolerance, in the feature's unit and as a share of its value.
    why : str
        Where they differ, and why.
    """

    call: str
    absolute: float
    relative: float
    why: str


_PEAKS = "its own R peaks, placed between samples by the same parabola; given the same beats equal to 1e-9"
_TIES = "its own R peaks: a difference next to the threshold may fall on the other side; given the same beats equal to 1e-9"
_WELCH = "Welch over two halves and quadratic interpolation, instead of one periodogram of a cubic spline"
_LEVEL = "the same low-pass at 6 Hz and below; above, its own at 3 Hz lets more noise through than ours at 1 Hz"
_SLOW = "the same filters; ours look 6 s ahead, its own see the whole stretch"
_SCR = (
    "its responses are found in the high-passed signal, where the flank of a decay may swing up; ours in the conductance "
    "less its average over 12 s, and only where the rise slows down"
)
_TIME = ("hr", "mean_nn", "median_nn", "min_nn", "max_nn", "sdnn", "rmssd", "sdsd", "mad_nn", "iqr_nn")
_HRV = "ecg_clean, ecg_peaks, hrv_time"
_EDA = "eda_clean, eda_phasic"

PARITY: dict[str, Parity] = {
    **{f"ecg.{n}": Parity(_HRV, 0.1, 0.002, _PEAKS) for n in _TIME},
    **{f"ecg.{n}": Parity(_HRV, 2.0, 0.0, _TIES) for n in ("pnn50", "pnn20")},
    **{f"ecg.{n}": Parity(_HRV, 0.0002, 0.002, _PEAKS) for n in ("cvnn", "cvsd")},
    **{f"ecg.{n}": Parity("hrv_nonlinear", 0.1, 0.002, _PEAKS) for n in ("sd1", "sd2")},
    **{f"ecg.{n}": Parity("hrv_nonlinear", 0.01, 0.004, _PEAKS) for n in ("sd1_sd2", "csi", "cvi")},
    "ecg.corrected_fraction": Parity(
        "signal_fixpeaks (Kubios)", 0.05, 0.0, "its thresholds are taken from the window alone, ours from the last 91 beats"
    ),
    "ecg.lf": Parity("hrv_frequency (normalize=False)", 1.0, 0.15, _WELCH),
    "ecg.hf": Parity("hrv_frequency (normalize=False)", 1.0, 0.2, _WELCH),
    "ecg.lf_hf": Parity("hrv_frequency (normalize=False)", 0.02, 0.2, _WELCH),
    "ecg.lf_nu": Parity("hrv_frequency (normalize=False)", 0.05, 0.0, _WELCH),
    "ecg.hf_nu": Parity("hrv_frequency (normalize=False)", 0.05, 0.0, _WELCH),
    "ecg.hf_ln": Parity("hrv_frequency (normalize=False)", 0.2, 0.0, _WELCH),
    "ecg.sampen": Parity(
        "entropy_sample", 0.05, 0.02, "its own R peaks: pairs next to the radius may fall on the other side"
    ),
    "ecg.dfa_alpha1": Parity("fractal_dfa", 0.002, 0.002, _PEAKS),
    **{f"eda.{n}": Parity(_EDA, 0.02, 0.005, _SLOW) for n in ("scl_mean", "scl_median")},
    "eda.scl_slope": Parity(_EDA, 0.02, 0.05, _SLOW),
    "eda.phasic_sd": Parity(_EDA, 0.003, 0.1, _SLOW),
    "eda.phasic_auc": Parity(_EDA, 0.3, 0.2, f"{_SLOW}: a shift of the zero line adds up over the window"),
    "eda.eda_band_sd": Parity("signal_filter", 0.01, 0.25, f"one band-pass instead of two low-passes; {_SLOW}"),
    **{f"eda.{n}": Parity("eda_clean", 0.001, 0.01, _LEVEL) for n in ("eda_median", "eda_p10", "eda_sd", "eda_range")},
    **{f"eda.{n}": Parity("eda_clean", 0.001, 0.01, _LEVEL) for n in ("eda_slope", "eda_log_slope", "eda_activity")},
    **{f"eda.scr_{n}_01": Parity("eda_findpeaks", 13.0, 0.0, _SCR) for n in ("count", "rate")},
    **{f"eda.scr_{n}_03": Parity("eda_findpeaks", 6.0, 0.0, _SCR) for n in ("count", "rate")},
    **{f"eda.scr_{n}_05": Parity("eda_findpeaks", 4.0, 0.0, _SCR) for n in ("count", "rate")},
    **{f"eda.scr_amplitude_{n}": Parity("eda_findpeaks", 0.1, 0.6, _SCR) for n in ("mean", "max")},
    "eda.scr_amplitude_sum": Parity("eda_findpeaks", 0.3, 0.6, _SCR),
}
"""Every feature that NeuroKit2 computes."""

SAME = (
    *("ecg.artefact_fraction", "ecg.coverage", "ecg.vlf", "ecg.total_power", "ecg.resp_rate"),
    *("eda.scr_rise_time", "eda.scr_recovery_time", "eda.eda_symp", "eda.eda_symp_n"),
)
"""Features of ECG and EDA that judge the window, slow power, and times of responses: the stream engine's in both."""
