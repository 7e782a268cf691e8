"""The languages of a report: English is written where it is said, the others are tables of it.

Rules
-----
- ``say("{n} windows", n=3)`` gives the sentence in the report's language. A sentence that a language lacks is an error
  (a test asks for every one), never a report in two languages.
- A :class:`Phrase` is an English text that remembers how it was made, so that pure data can hold it and a report in
  another language can still say it.
- Numbers follow the language: German writes a decimal comma.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

from feltsense.core.modality import base, length_of
from feltsense.errors import UnknownNameError
from feltsense.report import words
from feltsense.report.german import GERMAN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.report.figures import Level

__all__ = ["LANGUAGES", "Phrase", "Say", "Term"]

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": {}, "de": GERMAN}
_POINT = re.compile(r"(?<=\d)\.(?=\d)")


class Phrase(str):
    """An English text that can be said in another language."""

    template: str
    values: Mapping[str, object]
    __slots__ = ("template", "values")

    def __new__(cls, template: str, values: Mapping[str, object] | None = None) -> Self:
        """Fill the template in."""
        self = super().__new__(cls, template.format(**(values or {})))
        self.template = template
        self.values = values or {}
        return self


class Term(str):
    """A text within a phrase that may be ours: said where the language knows it, as it is where it came from outside."""

    __slots__ = ()


class Say:
    """Says things in a language.

    Parameters
    ----------
    language : str
        Of :data:`LANGUAGES`.

    Raises
    ------
    UnknownNameError
        If it is not there.
    """

    def __init__(self, language: str = "en") -> None:
        if language not in LANGUAGES:
            raise UnknownNameError("language", language, LANGUAGES)
        self.language = language
        self._table = LANGUAGES[language]

    def __call__(self, text: str, /, **values: object) -> str:
        """A sentence; values that are phrases or terms are said, too."""
        if isinstance(text, Phrase):
            return self(text.template, **text.values)
        template = text if self.language == "en" else self._table[text]
        return template.format(**{k: self.told(v) if isinstance(v, Phrase | Term) else v for k, v in values.items()})

    def some(self, n: int, one: str, many: str) -> str:
        """A count with its noun."""
        return f"{words.count(n)} {self(one if n == 1 else many)}"

    def told(self, text: str) -> str:
        """A text of ours where there is one, as it is where it came from outside."""
        if isinstance(text, Phrase):
            return self(text)
        return self._table.get(text, str(text))

    def part(self, name: str) -> str:
        """A modality, or another part of an estimate, in words."""
        what, seconds = self.told(words.part(base(name))), length_of(name)
        return what if seconds is None else self("{part}, last {n} s", part=what, n=f"{seconds:g}")

    def point(self, text: str) -> str:
        """A number in English digits, in this language's."""
        return _POINT.sub(",", text) if self.language == "de" else text

    def number(self, value: float, digits: int = 1) -> str:
        """A value, or a dash."""
        return self.point(words.number(value, digits))

    def signed(self, value: float, digits: int = 1) -> str:
        """A change, with its sign."""
        return self.point(words.signed(value, digits))

    def percent(self, share: float) -> str:
        """A share."""
        return self.point(words.percent(share))

    def level(self, found: Level, digits: int = 1) -> str:
        """Median with its range."""
        if not found.usable:
            return "–"
        low, high = (self.number(v, digits) for v in (found.low, found.high))
        return self("{median} ({low} to {high})", median=self.number(found.median, digits), low=low, high=high)

    def count(self, n: int, upper: int | None = None) -> str:
        """A count, or a range."""
        if upper is None or upper == n:
            return words.count(n)
        return self("{low} to {high}", low=words.count(n), high=words.count(upper))

    def duration(self, seconds: float) -> str:
        """A length of time."""
        return self.point(words.duration(seconds))

    def silence(self, reason: str) -> str:
        """Why there is no estimate."""
        told = ([self.part(name) for name in why[:-1]] + [self.told(why[-1])] for why in words.silence(reason))
        return ", ".join(": ".join(texts) for texts in told)
