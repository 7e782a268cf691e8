"""From a code to a study, as the app shows it.

A code is ``demo``, the name of a study file or of a picture of its QR code, or what a QR code holds: ``feltsense:1:``
and the study as JSON, compressed and in base64, then ``:`` and the participant's pseudonym. It holds no secret: who can
read the QR code can read the study.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feltsense.errors import InputError, StudyError
from feltsense.study import Consent as Agreed
from feltsense.study import Study
from feltsense.study.schema import MEDIA
from feltsense_app.presenters.consent import Asked
from feltsense_app.presenters.join import Invitation
from feltsense_app.presenters.pair import Place
from feltsense_app.presenters.permissions import NEEDS
from feltsense_app.presenters.prompts import Prompt
from feltsense_app.presenters.study import Kind, Question, StudyView
from feltsense_app.service import demo, qr
from feltsense_bridge import devices

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from feltsense.core.event import Event
    from feltsense_app.presenters.consent import Consent

__all__ = ["INFERENCE", "code_of", "given", "read", "still_open", "view", "withdrawal"]

PREFIX = "feltsense:1:"
MOST = 1 << 20
"""Bytes of a study: a text of hundreds of pages; a code that unpacks to more is an attack."""
INFERENCE = "inference"
"""The consent that stands for estimating; a study asks for it by ``emotion_inference``."""
USUAL = {"ecg": "polar_h10", "heart_rate": "heart_rate", "rr": "heart_rate"}
"""Signal → sensor, where the study names none; everything else comes from the wristband."""


def code_of(content: Mapping[str, Any], pseudonym: str) -> str:
    """What the QR code of a study holds.

    Parameters
    ----------
    content : mapping
        The study file's content.
    pseudonym : str
        Of the participant.
    """
    packed = zlib.compress(json.dumps(content, ensure_ascii=False).encode(), 9)
    return f"{PREFIX}{base64.urlsafe_b64encode(packed).decode()}:{pseudonym}"


def read(code: str, language: str = "en") -> Invitation:
    """What a code says.

    Raises
    ------
    InputError
        If it is no code of ours, damaged, or no such file is there.
    StudyError
        If the study in it is not valid; the text names the field.
    """
    if code.casefold() == demo.CODE:
        return Invitation(_demonstration(language), demo.CODE, "demo-01")
    if code.startswith("{"):
        return _invitation(_mapping(code), language, "")
    if code.startswith(PREFIX):
        packed, _, pseudonym = code.removeprefix(PREFIX).rpartition(":")
        return _invitation(_mapping(_unpacked(packed)), language, pseudonym)
    path = Path(code)
    if len(code) < 4096 and path.suffix in (".json", ".yaml", ".yml") and path.is_file():
        return _invitation(_file(path), language, "")
    if len(code) < 4096 and path.suffix.lower() in qr.PICTURES and path.is_file():
        return read(qr.code_in_file(path), language)
    msg = "this is no code of a feltsense study: scan the study's QR code, or ask the study team for it"
    raise InputError(msg)


def still_open(invitation: Invitation, today: date) -> Invitation:
    """The invitation, if its study can still be joined.

    Raises
    ------
    InputError
        If it is over; the text names whom to ask.
    """
    until = invitation.study.until
    if until and today.isoformat() > until:
        study = invitation.study
        msg = f"{study.title} ended on {until}: ask the study team ({study.contact}) whether it goes on"
        raise InputError(msg)
    return invitation


def given(source: str, consent: Consent) -> tuple[Event, ...]:
    """Consent as events, which every recording begins with."""
    study = _study(source)
    kinds = [k for k in consent.granted if k in study.streams]
    return Agreed(study).give(kinds, consent.signature, consent.t_ns)


def withdrawal(source: str, consent: Consent, t_ns: int) -> tuple[Event, ...]:
    """Its withdrawal as events."""
    study = _study(source)
    agreed = Agreed(study)
    agreed.give([k for k in consent.granted if k in study.streams], consent.signature, consent.t_ns)
    return agreed.withdraw(None, t_ns, erase=False)


def _study(source: str) -> Study:
    return Study.of(demo.CONTENT if source == demo.CODE else _mapping(source))


def _invitation(content: Mapping[str, Any], language: str, pseudonym: str) -> Invitation:
    study = Study.of(content)
    return Invitation(view(study, language), json.dumps(content, ensure_ascii=False), pseudonym)


def _unpacked(packed: str) -> str:
    try:
        unpack = zlib.decompressobj()
        text = unpack.decompress(base64.b64decode(packed, altchars=b"-_", validate=True), MOST)
        if unpack.unconsumed_tail or not unpack.eof:
            msg = "the study's code is cut short or too long: scan it again"
            raise InputError(msg)
        return text.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError, ValueError) as error:
        msg = "the study's code is damaged: scan it again, nearer and in better light"
        raise InputError(msg) from error


def _mapping(text: str) -> Mapping[str, Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        msg = "the study's code is damaged: scan it again, nearer and in better light"
        raise InputError(msg) from error
    if not isinstance(content, dict):
        msg = "study: holds no fields; ask the study team for a new code"
        raise StudyError(msg)
    return content


def _file(path: Path) -> Mapping[str, Any]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return _mapping(text)
    # Validated first, by its own parser: what is no study is refused with its file and field.
    Study.load(path)
    import yaml

    content: Mapping[str, Any] = yaml.safe_load(text)
    return content


def _demonstration(language: str) -> StudyView:
    return replace(view(Study.of(demo.CONTENT), language), prompts=demo.PROMPTS, questions=demo.questions(language))


def view(study: Study, language: str) -> StudyView:
    """A study in one of its languages, as the app shows it.

    Parameters
    ----------
    study : Study
        The study.
    language : str
        Of the app; the study's first, where it has not that one.
    """
    spoken = language if language in study.languages else study.languages[0]
    asked = [Asked(kind, "", rule.required) for kind, rule in study.streams.items()]
    asked += [Asked(INFERENCE, "")] if study.emotion_inference else []
    return StudyView(
        id=study.id,
        title=study.title,
        until=study.until,
        contact=f"{study.contact.name}, {study.contact.reach}",
        crisis=study.contact.crisis[spoken],
        consent_text=study.consent.text[spoken],
        consent_version=study.consent.version,
        asked=tuple(asked),
        places=_places(study),
        prompts=tuple(Prompt(p.id, (p.id,), p.when) for p in study.prompts),
        questions={p.id: Question(p.id, Kind(p.kind), p.text[spoken], _ends(p)) for p in study.prompts},
    )


def _places(study: Study) -> tuple[Place, ...]:
    """A place for each model, needed if any stream that is needed comes from it; the phone's own streams need none."""
    needed: dict[str, bool] = {}
    for kind, rule in study.streams.items():
        named = rule.device.casefold().replace(" ", "_").replace("-", "_")
        if kind in (*NEEDS, *MEDIA) and named not in devices.models():
            continue
        model = named if named in devices.models() else USUAL.get(kind, "open_board")
        needed[model] = needed.get(model, False) or rule.required
    return tuple(Place(model, required) for model, required in needed.items())


def _ends(prompt: Any) -> tuple[str, ...]:
    if prompt.kind == Kind.SLIDER and not prompt.choices:
        return f"{prompt.low:g}", f"{prompt.high:g}"
    return tuple(prompt.choices)
