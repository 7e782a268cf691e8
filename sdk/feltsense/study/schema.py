"""The study file: a declared, validated YAML or JSON document. ``docs/study.md`` describes every field.

Rules
-----
- A stream that is not listed is off.
- Emotion inference in a workplace or in education is refused unless the purpose is medical or safety and somebody
  acknowledged it by name: Regulation (EU) 2024/1689, Article 5(1)(f).
- An unknown field is an error: a misspelt ``retention`` would otherwise keep data for ever.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from feltsense.core.signals import CATALOGUE
from feltsense.errors import MissingExtraError, StudyError
from feltsense.study._fields import Fields
from feltsense.study.schedule import When, minute_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = [
    "EXEMPT", "MEDIA", "PURPOSES", "SETTINGS", "ConsentText", "Contact", "Prompt", "Retention", "StreamRule", "Study",
    "Task", "prohibited",
]  # fmt: skip

VERSION = 1
SETTINGS = ("laboratory", "clinical", "home", "workplace", "education")
PURPOSES = ("research", "wellbeing", "medical", "safety")
MEDIA = ("camera", "microphone", "text")
"""Streams of the phone that are not signals of the catalogue: what they give are features, never pictures or sound."""
_BANNED = ("workplace", "education")
EXEMPT = ("medical", "safety")
"""Purposes for which it is allowed all the same, if somebody answers for it."""
_MOST_BYTES = 1_000_000
KINDS = ("slider", "choice", "grid", "text")


@dataclass(frozen=True, slots=True)
class StreamRule:
    """A stream that may be recorded.

    Attributes
    ----------
    kind : str
        A signal of the catalogue, or one of :data:`MEDIA`.
    required : bool
        Whether a session does not start without it.
    device : str
        Model that delivers it; empty for any.
    """

    kind: str
    required: bool = False
    device: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Something that a participant does: ``rest`` is what the model is calibrated on."""

    id: str
    kind: str
    seconds: float
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question, and when it comes."""

    id: str
    kind: str
    text: Mapping[str, str]
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 100.0
    when: When = field(default_factory=When)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long data are kept, in days, and what comes then: ``erase`` or ``deidentify``."""

    days: int
    then: str


@dataclass(frozen=True, slots=True)
class ConsentText:
    """What a participant agrees to; another text needs another version."""

    version: str
    text: Mapping[str, str]
    signature: bool = True


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask, and where help is at any hour; no clinician reads along."""

    name: str
    reach: str
    crisis: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Study:
    """A validated study file.

    Attributes
    ----------
    id, title : str
        Which study.
    languages : tuple of str
        Every text is there in each of them.
    setting, purpose : str
        Of :data:`SETTINGS` and :data:`PURPOSES`.
    emotion_inference : bool
        Whether felt states are estimated at all; off unless declared.
    acknowledged : str
        Who took responsibility for emotion inference in a workplace or in education.
    streams : mapping of str to StreamRule
        By kind; everything else is off.
    public_key : str
        X25519 key (base64) that sealed exports are encrypted to; empty without.
    until : str
        Last day on which somebody can join, ``YYYY-MM-DD``; empty without.
    """

    id: str
    title: str
    languages: tuple[str, ...]
    setting: str
    purpose: str
    emotion_inference: bool
    acknowledged: str
    streams: Mapping[str, StreamRule]
    tasks: tuple[Task, ...]
    prompts: tuple[Prompt, ...]
    retention: Retention
    consent: ConsentText
    contact: Contact
    public_key: str = ""
    until: str = ""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Study:
        """Read a study file (``.json``, ``.yaml`` or ``.yml``).

        Raises
        ------
        StudyError
            If it is missing, damaged, incomplete, or asks for what is not allowed.
        """
        where = Path(path)
        try:
            raw = where.read_bytes()
            text = raw.decode()
        except OSError as e:
            msg = f"{where}: cannot be read ({e.strerror}); check the name"
            raise StudyError(msg) from e
        except UnicodeDecodeError as e:
            msg = f"{where}: is not text in UTF-8 (byte {e.start})"
            raise StudyError(msg) from e
        if len(raw) > _MOST_BYTES:
            msg = f"{where}: has {len(raw)} bytes; a study file has at most {_MOST_BYTES}"
            raise StudyError(msg)
        return cls.of(_parse(where, text), str(where))

    @classmethod
    def of(cls, content: Mapping[str, Any], name: str = "study") -> Study:
        """Validate a study that is data already; `name` is what errors call it.

        Raises
        ------
        StudyError
            If it is incomplete, or asks for what is not allowed.
        """
        top = Fields(content, name)
        version = top.integer("feltsense_study", 1)
        if version != VERSION:
            top.fail("feltsense_study", f"is {version}, this program reads {VERSION}; update feltsense")
        languages = top.texts("languages")
        if not languages or len(set(languages)) != len(languages):
            top.fail("languages", "must name at least one language, each once")
        study = cls(
            top.word("id"),
            top.text("title"),
            languages,
            top.one_of("setting", SETTINGS),
            top.one_of("purpose", PURPOSES),
            top.flag("emotion_inference", False),
            top.text("acknowledged", ""),
            _streams(top),
            tuple(_task(f, languages) for f in top.items("tasks")),
            tuple(_prompt(f, languages) for f in top.items("prompts")),
            _retention(top.sub("retention")),
            _consent(top.sub("consent"), languages),
            _contact(top.sub("contact"), languages),
            top.key("public_key"),
            top.day("until"),
        )
        top.done()
        for what, ids in (("tasks", [t.id for t in study.tasks]), ("prompts", [p.id for p in study.prompts])):
            if len(set(ids)) != len(ids):
                top.fail(what, "has an id twice")
        _lawful(study, top)
        return study


def prohibited(setting: str) -> str:
    """What Regulation (EU) 2024/1689, Article 5(1)(f), says about inferring emotions in a setting; empty: nothing."""
    if setting not in _BANNED:
        return ""
    where = "in a workplace" if setting == "workplace" else "in education"
    return f"inferring emotions {where} is prohibited (EU AI Act, Article 5(1)(f)) except for medical or safety reasons"


def _lawful(study: Study, top: Fields) -> None:
    """Refuse what the law does."""
    law = prohibited(study.setting)
    if not study.emotion_inference or not law:
        return
    if study.purpose not in EXEMPT:
        top.fail("emotion_inference", f"{law}; set it to false, or declare a medical or safety purpose if it is one")
    if not study.acknowledged:
        top.fail("acknowledged", f"{law}; name who has checked that this study's {study.purpose} reason holds, and when")


def _streams(top: Fields) -> Mapping[str, StreamRule]:
    out = {}
    for kind, rule in top.sub("streams").each():
        if kind not in CATALOGUE and kind not in MEDIA:
            known = ", ".join(sorted((*CATALOGUE, *MEDIA)))
            rule.fail("", f"is no stream; known: {known}")
        out[kind] = StreamRule(kind, rule.flag("required", False), rule.text("device", ""))
        rule.done()
    return MappingProxyType(out)


def _task(f: Fields, languages: tuple[str, ...]) -> Task:
    kind = f.one_of("kind", ("rest", "task", "breathing"))
    return f.done(Task(f.word("id"), kind, f.number("seconds", 1, 86_400), f.by_language("text", languages)))


def _prompt(f: Fields, languages: tuple[str, ...]) -> Prompt:
    low, high = f.number("low", default=0.0), f.number("high", default=100.0)
    if not low < high:
        f.fail("high", "must be above low")
    prompt = Prompt(
        f.word("id"),
        f.one_of("kind", KINDS),
        f.by_language("text", languages),
        f.texts("choices", ()),
        low,
        high,
        _when(f),
    )
    if prompt.kind == "choice" and len(prompt.choices) < 2:
        f.fail("choices", "must name at least two answers")
    return f.done(prompt)


def _when(f: Fields) -> When:
    window = f.texts("window", ())
    if window and (len(window) != 2 or not all(map(_is_time, window)) or window[0] >= window[1]):
        f.fail("window", "must be two times of day, the earlier first, for example [09:00, 21:00]")
    times = f.texts("times", ())
    if not all(map(_is_time, times)):
        f.fail("times", "must be times of day, for example [09:00, 18:30] (in quotes in YAML)")
    when = When(
        times,
        (window[0], window[1]) if window else None,
        f.integer("count", 0, 0),
        f.number("apart_min", 0, 1440, 60.0),
        f.flag("after_change", False),
        f.number("pause_min", 1, 1440, 60.0),
        f.number("expires_min", 1, 1440, 30.0),
    )
    if bool(when.count) != bool(window) and not (window and when.after_change):
        f.fail("count", "and window belong together: how many random prompts, and between which times")
    if window and minute_of(window[1]) - minute_of(window[0]) < (when.count - 1) * when.apart_min:
        f.fail("apart_min", f"leaves no room for {when.count} prompts between {window[0]} and {window[1]}")
    return when


def _retention(f: Fields) -> Retention:
    return f.done(Retention(f.integer("days", low=1), f.one_of("then", ("erase", "deidentify"))))


def _consent(f: Fields, languages: tuple[str, ...]) -> ConsentText:
    version = f.text("version")
    return f.done(ConsentText(version, f.by_language("text", languages), f.flag("signature", True)))


def _contact(f: Fields, languages: tuple[str, ...]) -> Contact:
    return f.done(Contact(f.text("name"), f.text("reach"), f.by_language("crisis", languages)))


def _is_time(text: str) -> bool:
    hours, colon, minutes = text.partition(":")
    digits = len(hours) == len(minutes) == 2 and hours.isdecimal() and minutes.isdecimal()
    return bool(colon) and digits and int(hours) < 24 and int(minutes) < 60


def _parse(path: Path, text: str) -> Mapping[str, Any]:
    try:
        if path.suffix.lower() in (".yaml", ".yml"):
            content = _yaml(text)
        elif path.suffix.lower() == ".json":
            content = json.loads(text)
        else:
            msg = f"{path}: study files end in .yaml, .yml or .json"
            raise StudyError(msg)
    except (ValueError, RecursionError) as e:
        msg = f"{path}: cannot be understood: {' '.join(str(e).split())}"
        raise StudyError(msg) from e
    if not isinstance(content, dict):
        msg = f"{path}: must be fields with values, as docs/study.md shows"
        raise StudyError(msg)
    return content


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("store", "a study file in YAML (JSON needs nothing)") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise ValueError(str(e)) from e
