"""The demo's study: it does not exist, and shows everything that a study can ask."""

from __future__ import annotations

from typing import Final

from feltsense.study import When
from feltsense_app.presenters.prompts import Prompt
from feltsense_app.presenters.study import Kind, Question

__all__ = ["CODE", "CONTENT", "PROMPTS", "questions"]

CODE: Final = "demo"

_TEXT = {
    "en": "This is a demonstration. The person whose signals are shown does not exist, and nothing leaves this computer."
    "\n\nIn a real study this page says who runs it, what is recorded and why, for how long it is kept, who can see it, "
    "and whom to ask. You can stop at any time without giving a reason, and have everything erased.",
    "de": "Das ist eine Vorführung. Die Person, deren Signale zu sehen sind, gibt es nicht, und nichts verlässt diesen "
    "Rechner.\n\nIn einer wirklichen Studie steht hier, wer sie durchführt, was aufgezeichnet wird und wozu, wie lange es "
    "aufbewahrt wird, wer es sehen kann und wen man fragt. Sie können jederzeit aufhören und alles löschen lassen.",
    "es": "Esto es una demostración. La persona cuyas señales se muestran no existe, y nada sale de este ordenador."
    "\n\nEn un estudio real esta página dice quién lo dirige, qué se graba y para qué, cuánto tiempo se guarda, quién puede "
    "verlo y a quién preguntar. Puede parar en cualquier momento sin dar motivos, y hacer que se borre todo.",
}
_CRISIS = {
    "en": "In an emergency call the emergency number of your country.",
    "de": "Rufen Sie im Notfall die Notrufnummer Ihres Landes an.",
    "es": "En una emergencia llame al número de emergencias de su país.",
}
CONTENT: Final = {
    "feltsense_study": 1,
    "id": "demo",
    "title": "Demonstration",
    "languages": ["en", "de", "es"],
    "setting": "home",
    "purpose": "research",
    "emotion_inference": True,
    "streams": {"ppg": {"required": True}, "eda": {"required": True}, "acc": {}, "ecg": {}, "skin_temperature": {}},
    "retention": {"days": 1, "then": "erase"},
    "consent": {"version": "1", "signature": True, "text": _TEXT},
    "contact": {"name": "Nobody", "reach": "this is no real study", "crisis": _CRISIS},
}
"""As a study file would say it."""

_ASKED = {
    "en": (
        "How do you feel right now?",
        "Was something demanding going on?",
        ("Yes", "No"),
        "How demanding was it?",
        ("not at all", "extremely"),
        "If you like: what was it?",
    ),
    "de": (
        "Wie fühlen Sie sich gerade?",
        "War gerade etwas Anstrengendes?",
        ("Ja", "Nein"),
        "Wie anstrengend war es?",
        ("gar nicht", "äußerst"),
        "Wenn Sie mögen: Was war es?",
    ),
    "es": (
        "¿Cómo se siente en este momento?",
        "¿Ocurría algo exigente?",
        ("Sí", "No"),
        "¿Cuánto le exigió?",
        ("nada", "muchísimo"),
        "Si quiere: ¿qué fue?",
    ),
}


def questions(language: str) -> dict[str, Question]:
    """The demo's questions, every kind of them, one of which branches; English where it has not that language."""
    mood, busy, answers, strain, ends, words = _ASKED.get(language, _ASKED["en"])
    return {
        "mood": Question("mood", Kind.GRID, mood),
        "busy": Question("busy", Kind.CHOICE, busy, answers, {answers[1]: ""}),
        "strain": Question("strain", Kind.SLIDER, strain, ends),
        "words": Question("words", Kind.TEXT, words),
    }


_WHEN = When(("12:00",), after_change=True, pause_min=2.0, expires_min=15.0)
PROMPTS: Final = (Prompt("now", ("mood", "busy", "strain", "words"), _WHEN),)
"""Every kind of question, one that branches, and a prompt after a change."""
