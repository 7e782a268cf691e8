"""The demo's study: it does not exist, and shows everything that a study can ask."""

from __future__ import annotations

from typing import Final

from feltsense.study import When
from feltsense_app.presenters.prompts import Prompt
from feltsense_app.presenters.study import Kind, Question

__all__ = ["CODE", "CONTENT", "PROMPTS", "QUESTIONS"]

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

QUESTIONS: Final = {
    "mood": Question("mood", Kind.GRID, "How do you feel right now?"),
    "busy": Question("busy", Kind.CHOICE, "Was something demanding going on?", ("Yes", "No"), {"No": ""}),
    "strain": Question("strain", Kind.SLIDER, "How demanding was it?", ("not at all", "extremely")),
    "words": Question("words", Kind.TEXT, "If you like: what was it?"),
}
PROMPTS: Final = (Prompt("now", tuple(QUESTIONS), When(("12:00",), after_change=True, pause_min=2.0, expires_min=15.0)),)
"""Every kind of question, one that branches, and a prompt after a change."""
