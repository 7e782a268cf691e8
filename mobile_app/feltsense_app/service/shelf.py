"""What lies on this phone: what is kept, recordings, the baseline, the key; and how each is put there and found again.

A disk that is full when something small is kept ends nothing: it is told, known meanwhile, and written with the next
change.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feltsense.core.profile import UserProfile
from feltsense.core.timeline import NS
from feltsense.errors import FeltsenseError
from feltsense_app.presenters.settings import SettingsState
from feltsense_app.service.erasing import erase
from feltsense_app.service.kept import Journal, load, save
from feltsense_app.service.safe import Safe
from feltsense_app.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from feltsense_app.platform import Phone
    from feltsense_app.presenters.leave import Proof

__all__ = ["Shelf"]

BASELINE = "baseline"
"""What the baseline's file is sealed as."""


class Shelf:
    """A participant's files.

    Parameters
    ----------
    phone : Phone
        Where the app runs.
    trouble : callable
        Told what goes wrong, in words.
    """

    def __init__(self, phone: Phone, trouble: Callable[[str], None]) -> None:
        self._trouble = trouble
        self._file = phone.folder / "app.json"
        self.data = phone.folder / "data"
        """Everything personal, and nothing else: what erasing erases."""
        self.data.mkdir(exist_ok=True)
        self.safe = Safe(self.data, phone.secret())
        fresh = not self._file.exists()
        self.kept, self.found = load(self._file)
        """What is kept, and what was wrong with it when it was read."""
        if fresh:
            self.kept = replace(self.kept, settings=SettingsState(Words(phone.language()).language))

    @property
    def profile_path(self) -> Path:
        """Where the baseline is kept."""
        return self.data / "baseline.json"

    @property
    def recordings(self) -> list[Path]:
        """Recordings on this phone, oldest first."""
        return sorted(self.data.glob("*.felt"))

    def keep(self, **changes: Any) -> None:
        """Keep this from now on."""
        self.kept = replace(self.kept, **changes)
        try:
            save(self._file, self.kept)
        except OSError as error:
            self._trouble(str(error))

    def unlock(self) -> bool:
        """Open the participant's key; False, and the reason is told, where there is one that does not open."""
        try:
            if self.safe.key is None:
                self.safe.open(self.kept.pseudonym)
        except FeltsenseError as error:
            self._trouble(str(error))
            return False
        return True

    def journal(self) -> Journal:
        """What happened to prompts."""
        return Journal(self.data / "prompts.jsonl", self.safe)

    def baseline(self) -> UserProfile | None:
        """The baseline, if there is one that can be read; what is wrong with it is told."""
        if not (self.profile_path.exists() and self.kept.rested):
            return None
        try:
            return UserProfile.from_json(self.safe.unseal(self.profile_path.read_text(encoding="utf-8"), BASELINE))
        except (FeltsenseError, OSError, ValueError) as error:
            self._trouble(f"{self.profile_path.name}: {error}")
            self.keep(rested=False)
            return None

    def learned(self, profile: UserProfile) -> None:
        """Keep a baseline."""
        try:
            self.profile_path.write_text(self.safe.seal(profile.to_json(), BASELINE), encoding="utf-8")
            self.keep(rested=True)
        except OSError as error:
            self._trouble(str(error))

    def session(self, now_ns: int, *, fresh: bool = False) -> Path:
        """The recording to write: the one that was being written, unless it is gone or a fresh one is wanted."""
        name = self.kept.session
        if fresh or not name or not (self.data / name).exists():
            name = self._new_name(now_ns)
            self.keep(session=name)
        return self.data / name

    def erase(self) -> Proof:
        """Erase everything personal; gives what was proven.

        Raises
        ------
        OSError, StudyError
            If something is left.
        """
        self.keep(rested=False, session="")
        self.safe.close()
        return erase(self.data, self.kept.pseudonym, self.safe.vault)

    def _new_name(self, now_ns: int) -> str:
        stamp = datetime.fromtimestamp(now_ns / NS, UTC).strftime("%Y%m%dT%H%M%SZ")
        name, number = f"{stamp}.felt", 1
        while (self.data / name).exists():
            number += 1
            name = f"{stamp}-{number}.felt"
        return name
