"""What each feature is checked against, and how close it comes: one table, printed in the docs.

A row is chosen by the longest beginning that fits a feature's full name. Tolerances are those that the tests hold
(``tests/features/test_features_<modality>.py``, ``tests/dsp/``).
"""

from __future__ import annotations

from typing import NamedTuple

from feltsense.features._parity import PARITY

__all__ = ["Oracle", "oracle"]


class Oracle(NamedTuple):
    """One check.

    Attributes
    ----------
    against : str
        The other tool, annotation, or signal of which the answer is known.
    tolerance : str
        How close.
    """

    against: str
    tolerance: str


_GIVEN_BEATS = frozenset(
    f"ecg.{n}"
    for n in (
        "hr", "mean_nn", "median_nn", "min_nn", "max_nn", "sdnn", "rmssd", "sdsd", "pnn50", "pnn20", "cvnn", "cvsd",
        "mad_nn", "iqr_nn", "sd1", "sd2",
    )
)  # fmt: skip
_BY_START = {
    "ecg.": Oracle("NeuroKit2 over the same windows", "the table below"),
    "ecg.lf": Oracle("tachogram of known power (450 and 200 ms²); NeuroKit2", "2 %; the table below"),
    "ecg.hf": Oracle("tachogram of known power (450 and 200 ms²); NeuroKit2", "2 %; the table below"),
    "ecg.artefact_fraction": Oracle("beats put in and taken out", "exact"),
    "ecg.coverage": Oracle("signals of known gaps", "one beat"),
    "eda.": Oracle("signals of known level, slope and responses; NeuroKit2", "the table below"),
    "ppg.": Oracle("beats of a synthetic pulse", "PRV 15–20 %"),
    "ppg.hr": Oracle("beats of a synthetic pulse; the wrist device's own beat intervals", "2 bpm; median 4 bpm"),
    "ppg.hr_spectral": Oracle("beats of a synthetic pulse", "4 bpm"),
    "intervals.": Oracle("NeuroKit2 given the same intervals; blocked, late and doubtful ones put in", "10⁻⁹; exact"),
    "motion.": Oracle("movement of known size", "3–10 %"),
    "motion.enmo_mean": Oracle("half waves of known height", "5–10 %"),
    "motion.posture_change": Oracle("a turn of known angle", "0.5°"),
    "motion.activity_class": Oracle("movement on either side of the cut points", "exact"),
    "motion.coverage": Oracle("signals of known gaps", "one second"),
    "skin_temperature.": Oracle("ramps and steps of known size", "0.005 °C"),
    "skin_temperature.slope": Oracle("ramps of known slope", "10⁻⁶ °C/min"),
    "skin_temperature.sd": Oracle("a ramp's own standard deviation", "5 %"),
    "thermal_array.": Oracle("rendered face, 0.3–0.5 m away (55° lens, 0.1 °C noise), nose cooling 1 °C", "0.8–1.2 °C"),
    "thermal_array.forehead": Oracle("rendered face", "0.35 °C"),
    "thermal_array.nose_slope": Oracle("rendered face whose nose cools steadily", "25 %"),
    "thermal_array.face_width": Oracle("rendered face", "3 %"),
    "thermal_array.nose_pixels": Oracle("rendered face", "6 %"),
    "thermal_array.coverage": Oracle("frames with the head turned or gone", "exact"),
    "respiration.": Oracle("breathing waves of known rate, 6–36 a minute", "cv of an even wave below .1"),
    "respiration.rate": Oracle("waves of known rate; NeuroKit2 rsp_peaks on its simulated belt", "1 %; median 0.4/min"),
    "respiration.inspiration_share": Oracle("waves with a known share of rise", "0.06"),
    "respiration.breaths": Oracle("breathing waves of known rate", "2 breaths at the window's ends"),
    "face.": Oracle("faces and rows of measures of known content", "as their tests say"),
    "face.rppg_": Oracle("pulses of known rate in colour traces", "0.5–1 bpm; noise never passes"),
    "face.fps": Oracle("cameras of known pace", "2 %"),
    "voice.": Oracle("vowels of known pitch and formants; Praat; other levels and rates", "as their tests say"),
    "voice.f0": Oracle("vowels and glides of known pitch; Praat", "0.1–2 %"),
    "voice.jitter": Oracle("vowels of known jitter; Praat", "25 %"),
    "voice.shimmer": Oracle("vowels of known shimmer; Praat", "25 %"),
    "voice.f1": Oracle("vowels of known formants", "12 %"),
    "voice.f2": Oracle("vowels of known formants", "12 %"),
    "voice.f3": Oracle("vowels of known formants", "12 %"),
    "voice.level": Oracle("the same sound, quieter by a known amount", "0.01 dB"),
    "text.": Oracle("turns counted by hand", "exact"),
    "radar.": Oracle("targets on known paths", "10⁻⁶"),
    "environment.": Oracle("rooms of known light, sound and temperature", "10⁻⁶"),
}


def oracle(name: str) -> Oracle:
    """What a feature is checked against.

    Parameters
    ----------
    name : str
        ``<modality>.<feature>``.

    Returns
    -------
    Oracle
        For a modality that has no row here, its tests.
    """
    if name in _GIVEN_BEATS:
        return Oracle("NeuroKit2 given the same beats; MIT-BIH annotations for the beats", "10⁻⁹; beats ±50 ms")
    starts = [s for s in _BY_START if name.startswith(s)]
    if not starts:
        return Oracle(f"`tests/features/test_features_{name.partition('.')[0]}.py`", "as they say")
    found = _BY_START[max(starts, key=len)]
    if "table below" in found.tolerance and name not in PARITY:
        return Oracle("signals of known content", "as its tests say")
    return found
