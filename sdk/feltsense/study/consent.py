"""Consent: given for each stream, with the version of the text and a signature, as events of the recording.

Rules
-----
- Nothing is allowed until it is given; only what the study lists can be given.
- A new version of the text needs a new consent: what was given for an older one allows nothing.
- Withdrawal holds at once. Whether what is there is kept or erased is the participant's choice, and part of the event.
- The state follows from the events alone, so a restart loses nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from feltsense.core.event import Event, EventKind
from feltsense.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feltsense.study.schema import Study

__all__ = ["Consent"]


class Consent:
    """One participant's consent in one study.

    Parameters
    ----------
    study : Study
        The study.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._given: dict[str, str] = {}
        self._to_erase: set[str] = set()

    @classmethod
    def of(cls, study: Study, events: Iterable[Event]) -> Consent:
        """The state that a recording's events lead to; those of other studies count for nothing."""
        self = cls(study)
        for event in sorted(events):
            if event.kind is EventKind.CONSENT:
                self._take(event)
        return self

    def allows(self, kind: str) -> bool:
        """Whether a stream of this kind may be recorded now."""
        return self._given.get(kind) == self.study.consent.version

    @property
    def given(self) -> frozenset[str]:
        """Streams that may be recorded now."""
        return frozenset(k for k in self._given if self.allows(k))

    @property
    def to_erase(self) -> frozenset[str]:
        """Streams that were withdrawn, and whose recorded samples are to be erased."""
        return frozenset(self._to_erase)

    @property
    def complete(self) -> bool:
        """Whether every required stream is given."""
        return all(self.allows(k) for k, rule in self.study.streams.items() if rule.required)

    def give(self, kinds: Iterable[str], signature: str, t_ns: int) -> tuple[Event, ...]:
        """Give consent for streams.

        Parameters
        ----------
        kinds : iterable of str
            Streams, each of the study's.
        signature : str
            What the participant signed with; the study says whether one is needed.
        t_ns : int
            When.

        Returns
        -------
        tuple of Event
            To be written into the recording.

        Raises
        ------
        StudyError
            If the study has no such stream, or the signature is missing.
        """
        wanted = self._checked(kinds)
        if self.study.consent.signature and not signature.strip():
            msg = f"study {self.study.id}: consent needs a signature; none was given, and nothing is recorded"
            raise StudyError(msg)
        return self._events("give", wanted, t_ns, {"signature": signature})

    def withdraw(self, kinds: Iterable[str] | None, t_ns: int, *, erase: bool) -> tuple[Event, ...]:
        """Withdraw consent, as easily as it was given: no signature, no reason.

        Parameters
        ----------
        kinds : iterable of str or None
            Streams; None for all.
        t_ns : int
            When.
        erase : bool
            Whether what was recorded of them is to be erased; otherwise it is kept.
        """
        wanted = sorted(self._given) if kinds is None else self._checked(kinds)
        return self._events("withdraw", wanted, t_ns, {"erase": erase})

    def _checked(self, kinds: Iterable[str]) -> list[str]:
        wanted = sorted(set(kinds))
        for kind in wanted:
            if kind not in self.study.streams:
                known = ", ".join(self.study.streams) or "none"
                msg = f"study {self.study.id} records no {kind!r}; its streams: {known}"
                raise StudyError(msg)
        return wanted

    def _events(self, action: str, kinds: list[str], t_ns: int, more: dict[str, object]) -> tuple[Event, ...]:
        about = {"action": action, "study": self.study.id, "version": self.study.consent.version}
        texts = (json.dumps(about | {"stream": kind} | more, ensure_ascii=False) for kind in kinds)
        events = tuple(Event(t_ns, EventKind.CONSENT, 0.0, text) for text in texts)
        for event in events:
            self._take(event)
        return events

    def _take(self, event: Event) -> None:
        try:
            about = json.loads(event.text)
            action, study, stream = about["action"], about["study"], str(about["stream"])
            version, erase = str(about["version"]), about.get("erase", False) is True
        except (ValueError, KeyError, TypeError, AttributeError):
            # What cannot be understood gives nothing.
            return
        if study != self.study.id:
            return
        if action == "give":
            self._given[stream] = version
            self._to_erase.discard(stream)
        elif action == "withdraw":
            self._given.pop(stream, None)
            if erase:
                self._to_erase.add(stream)
