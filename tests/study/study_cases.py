"""A study file that is right, to be made wrong in one place."""

import copy

STUDY = {
    "feltsense_study": 1,
    "id": "calm-2026",
    "title": "Calm at home",
    "languages": ["en", "de"],
    "setting": "home",
    "purpose": "research",
    "emotion_inference": True,
    "streams": {"ecg": {"required": True, "device": "Polar H10"}, "eda": None, "rr": {}},
    "tasks": [{"id": "rest", "kind": "rest", "seconds": 300, "text": {"en": "Sit quietly.", "de": "Ruhig sitzen."}}],
    "prompts": [
        {
            "id": "stress-now",
            "kind": "slider",
            "text": {"en": "How tense are you?", "de": "Wie angespannt sind Sie?"},
            "times": ["09:00"],
            "window": ["10:00", "20:00"],
            "count": 4,
            "apart_min": 90,
            "expires_min": 20,
        },
        {
            "id": "where",
            "kind": "choice",
            "text": {"en": "Where?", "de": "Wo?"},
            "choices": ["home", "out"],
            "times": ["20:30"],
        },
    ],
    "retention": {"days": 365, "then": "erase"},
    "consent": {"version": "2.1", "text": {"en": "I agree.", "de": "Ich stimme zu."}},
    "contact": {"name": "Study team", "reach": "room 12", "crisis": {"en": "Call 112.", "de": "Rufen Sie 112."}},
}


def study(**changes):
    return copy.deepcopy(STUDY) | changes
