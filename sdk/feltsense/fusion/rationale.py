"""Why, in words: short sentences, each a fact about this window against this person's rest. Nothing is invented.

Rules
-----
- A sentence is made from a template and numbers that anybody can compute again from the recording and the profile:
  the feature of this window, and its mean at rest. There is no sentence without a number behind it.
- A difference that a device or a breath can make is "unchanged" (:data:`FACTS`); a missing signal is named as missing.
- Sentences say what was measured, never that it is the cause: what moved the answer are the contributions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from feltsense.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.prediction import Prediction
    from feltsense.core.profile import UserProfile
    from feltsense.core.vector import FeatureVector

__all__ = ["FACTS", "LANGUAGES", "Fact", "rationale"]

LANGUAGES = ("en", "de")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a sentence is about.

    Attributes
    ----------
    feature : str
        Full name.
    names, units : mapping of str to str
        Language → words.
    digits : int
        After the point.
    least : float
        Smaller differences from rest are "unchanged".
    """

    feature: str
    names: Mapping[str, str]
    units: Mapping[str, str]
    digits: int
    least: float


FACTS: Final = (
    Fact("eda.eda_median", {"en": "Skin conductance", "de": "Hautleitwert"}, {"en": "µS", "de": "µS"}, 1, 0.1),
    Fact(
        "eda.scr_rate_03", {"en": "Skin responses", "de": "Hautreaktionen"}, {"en": "a minute", "de": "je Minute"}, 0, 1.0
    ),
    Fact("ppg.hr", {"en": "Heart rate", "de": "Herzfrequenz"}, {"en": "beats a minute", "de": "Schläge je Minute"}, 0, 3.0),
)
"""The least differences: one step of a common converter over a window's noise, one response, and what heart rate
wanders from minute to minute at rest."""

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "above": "{name} {size} {unit} above your rest.", "below": "{name} {size} {unit} below your rest.",
        "same": "{name} unchanged.", "alone": "{name} {size} {unit}; your rest is not known.", "missing": "{name} missing.",
        "estimate": "Estimate: {label}, {share} %.", "open": "Estimate: {label}, {share} %; {others} cannot be ruled out.",
        "calibration": "No estimate: this is your calibration.", "nothing": "No estimate: no usable signal.",
        "unsure": "No estimate.", "and": " and ",
    },
    "de": {
        "above": "{name} {size} {unit} über deiner Ruhe.", "below": "{name} {size} {unit} unter deiner Ruhe.",
        "same": "{name} unverändert.", "alone": "{name} {size} {unit}; deine Ruhe ist nicht bekannt.",
        "missing": "{name} fehlt.", "estimate": "Schätzung: {label}, {share} %.",
        "open": "Schätzung: {label}, {share} %; {others} ist nicht auszuschließen.",
        "calibration": "Keine Schätzung: das ist deine Kalibrierung.",
        "nothing": "Keine Schätzung: kein brauchbares Signal.", "unsure": "Keine Schätzung.", "and": " und ",
    },
}


def rationale(
    prediction: Prediction, vector: FeatureVector, profile: UserProfile | None, language: str = "en"
) -> str:
    """Sentences about one window.

    Parameters
    ----------
    prediction : Prediction
        What the model said.
    vector : FeatureVector
        The features that it saw (:attr:`feltsense.session.Session.vectors`).
    profile : UserProfile, optional
        The person's rest; windows that end before it began are told without it, as they were judged.
    language : {"en", "de"}
        Of the sentences.

    Raises
    ------
    UnknownNameError
        If the language is not there.
    """
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, LANGUAGES)
    words = _WORDS[language]
    known = profile is not None and (not profile.intervals or prediction.stop_ns > profile.intervals[0].start_ns)
    out = [_answer(prediction, words)]
    out += [_fact(f, vector, profile if known else None, language) for f in FACTS if f.feature in vector.schema.names]
    return " ".join(out)


def _answer(p: Prediction, words: Mapping[str, str]) -> str:
    if not p.probabilities:
        return words["nothing"]
    if p.abstained:
        return words["calibration"] if p.reason == "calibration" else words["unsure"]
    others = [c for c in p.set if c != p.label]
    share = f"{100 * p.probabilities[p.label]:.0f}"
    return words["open" if others else "estimate"].format(label=p.label, share=share, others=words["and"].join(others))


def _fact(fact: Fact, vector: FeatureVector, profile: UserProfile | None, language: str) -> str:
    words, name, unit = _WORDS[language], fact.names[language], fact.units[language]
    value = float(vector.values[vector.schema.position(fact.feature)])
    if not math.isfinite(value):
        return words["missing"].format(name=name)
    rest = profile.rest[fact.feature].mean if profile is not None and fact.feature in profile.rest else math.nan
    if not math.isfinite(rest):
        return words["alone"].format(name=name, size=_number(value, fact.digits, language), unit=unit)
    away = value - rest
    if abs(away) < fact.least:
        return words["same"].format(name=name)
    size = _number(abs(away), fact.digits, language)
    return words["above" if away > 0 else "below"].format(name=name, size=size, unit=unit)


def _number(value: float, digits: int, language: str) -> str:
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language == "de" else text
