"""What the app knows after a restart: one small JSON file, replaced whole, and a journal of prompts, appended.

Contract
--------
- The file is written beside itself and then put in its place, so that a kill at any moment leaves the old or the new one.
- A file that cannot be read is put aside under another name and said, never overwritten: recordings are not in it.
- The journal has a line a thing that happened; a last line that a kill cut short is left out when it is read.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from feltsense_app.presenters.consent import Consent
from feltsense_app.presenters.flow import Done
from feltsense_app.presenters.pair import Seen
from feltsense_app.presenters.prompts import Logged, Stage
from feltsense_app.presenters.settings import SettingsState

if TYPE_CHECKING:
    from pathlib import Path

    from feltsense_app.service.safe import Safe

__all__ = ["Journal", "Kept", "load", "save"]

VERSION = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept.

    Attributes
    ----------
    study : str
        The study file's text, as joined; empty before.
    pseudonym : str
        Of the participant.
    consent : Consent or None
        As signed.
    allowed : bool
        Whether the phone granted all.
    sensors : tuple of Seen
        Paired.
    session : str
        Name of the recording that is being written; empty when none is.
    rested : bool
        Whether there is a baseline.
    neutral : bool
        Whether the steps after the rest were taken or left out.
    settings : SettingsState
        How the app looks.
    """

    study: str = ""
    pseudonym: str = ""
    consent: Consent | None = None
    allowed: bool = False
    sensors: tuple[Seen, ...] = ()
    session: str = ""
    rested: bool = False
    neutral: bool = False
    settings: SettingsState = field(default_factory=SettingsState)

    @property
    def done(self) -> Done:
        """The steps that were done."""
        signed = self.consent is not None
        return Done(bool(self.study), signed, self.allowed, bool(self.sensors), self.rested, self.neutral)


def save(path: Path, kept: Kept) -> None:
    """Replace the file.

    Raises
    ------
    OSError
        If it cannot be written; the old one is untouched.
    """
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as out:
        json.dump({"version": VERSION, **asdict(kept)}, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)


def load(path: Path) -> tuple[Kept, str]:
    """Read the file.

    Returns
    -------
    Kept
        What it says; the beginning, where there is none or it cannot be read.
    str
        Why it could not be read, and where it was put; empty when all is well.
    """
    if not path.exists():
        return Kept(), ""
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8"))), ""
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        aside = path.with_suffix(".unreadable")
        path.replace(aside)
        return Kept(), f"{aside.name}: {error}"


def _parse(data: dict[str, Any]) -> Kept:
    if data.pop("version") != VERSION:
        msg = "it is from a newer version of the app"
        raise ValueError(msg)
    consent = data.pop("consent")
    sensors = tuple(Seen(**s) for s in data.pop("sensors"))
    settings = SettingsState(**data.pop("settings"))
    kept = replace(Kept(**data), sensors=sensors, settings=settings)
    if consent is not None:
        consent |= {k: tuple(consent[k]) for k in ("granted", "refused")}
        kept = replace(kept, consent=Consent(**consent))
    return kept


class Journal:
    """Lines of what happened to prompts.

    Parameters
    ----------
    path : Path
        Of the journal; made when the first line is written.
    safe : Safe
        Seals each line, where there is a key.
    """

    def __init__(self, path: Path, safe: Safe) -> None:
        self._path, self._safe = path, safe
        self._waiting: list[str] = []

    def append(self, logged: Logged) -> None:
        """Keep a line; on disk when it returns.

        Raises
        ------
        OSError
            If it cannot be written; it is written before the next one.
        """
        self._waiting.append(self._safe.seal(json.dumps(asdict(logged)), "journal"))
        new = not self._path.exists()
        with self._path.open("a", encoding="utf-8") as out:
            # A line that a kill or a full disk has cut short must not swallow the next.
            out.write(("" if new else "\n") + "\n".join(self._waiting) + "\n")
            out.flush()
            os.fsync(out.fileno())
        self._waiting.clear()

    def read(self) -> tuple[Logged, ...]:
        """All lines that are whole."""
        if not self._path.exists():
            return ()
        out = []
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                data = json.loads(self._safe.unseal(line, "journal"))
                answers = tuple((str(q), str(a)) for q, a in data.pop("answers"))
                out.append(Logged(**{**data, "stage": Stage(data["stage"])}, answers=answers))
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
        return tuple(out)
