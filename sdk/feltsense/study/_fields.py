"""Typed access to a document's fields: each is asked for once, and what nobody asked for is an error."""

from __future__ import annotations

import base64
import difflib
import math
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from feltsense.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Fields"]

T = TypeVar("T")
_NONE: Any = object()
_LONGEST = 20_000
"""Characters of a text: a long consent; more is another file by mistake."""
_X25519_BYTES = 32


class Fields:
    """The fields of one object of a document.

    Parameters
    ----------
    content : object
        What should be a mapping.
    name : str
        The document.
    path : str
        Where in it.
    """

    def __init__(self, content: object, name: str, path: str = "") -> None:
        self._name = name
        self._path = path
        self._asked: set[str] = set()
        if not isinstance(content, dict) or not all(isinstance(k, str) for k in content):
            self.fail("", "must be fields with values")
        self._content: Mapping[str, Any] = content

    def fail(self, field: str, why: str) -> NoReturn:
        """Refuse, naming the field."""
        named = ".".join(p for p in (self._path, field) if p)
        # A name may hold anything, also what would tear the line.
        where = "".join(c if c.isprintable() else repr(c)[1:-1] for c in named)
        msg = f"{self._name}: {where or 'the document'} {why}"
        raise StudyError(msg)

    def done(self, value: T = None) -> T:  # type: ignore[assignment]
        """Refuse what nobody asked for; gives `value` back."""
        for name in self._content:
            if name not in self._asked:
                near = difflib.get_close_matches(name, self._asked, 1)
                known = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(self._asked))}"
                self.fail(name, f"is no field; {known}")
        return value

    def _get(self, field: str, default: Any) -> Any:
        self._asked.add(field)
        value = self._content.get(field, default)
        if value is _NONE:
            self.fail(field, "is missing")
        return value

    def text(self, field: str, default: str = _NONE) -> str:
        """A text; one without a default must not be empty."""
        value = self._get(field, default)
        if not isinstance(value, str) or len(value) > _LONGEST:
            self.fail(field, "must be a text (in quotes where it looks like a number)")
        if default is _NONE and not value.strip():
            self.fail(field, "must not be empty")
        return value

    def word(self, field: str) -> str:
        """A name without blanks, for files and events."""
        value = self.text(field)
        if not all(c.isalnum() or c in "-_." for c in value):
            self.fail(field, f"must be letters, digits, - _ or ., not {value!r}")
        return value

    def one_of(self, field: str, known: Sequence[str]) -> str:
        """One of several words."""
        value = self.text(field)
        if value not in known:
            self.fail(field, f"is {value!r}; must be one of: {', '.join(known)}")
        return value

    def flag(self, field: str, default: bool) -> bool:
        """True or false."""
        value = self._get(field, default)
        if not isinstance(value, bool):
            self.fail(field, "must be true or false")
        return value

    def number(self, field: str, low: float = -math.inf, high: float = math.inf, default: float = _NONE) -> float:
        """A finite number within bounds."""
        value = self._get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fail(field, "must be a number")
        if not low <= value <= high:
            self.fail(field, f"is {value}; must be between {low:g} and {high:g}")
        return float(value)

    def integer(self, field: str, default: int = _NONE, low: int = -(2**31)) -> int:
        """A whole number."""
        value = self._get(field, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value < 2**31:
            self.fail(field, "must be a whole number" + (f" from {low} up" if low > -(2**31) else ""))
        return value

    def texts(self, field: str, default: tuple[str, ...] = _NONE) -> tuple[str, ...]:
        """A list of texts."""
        value = self._get(field, default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            self.fail(field, "must be a list of texts (in quotes where they look like numbers or times)")
        return tuple(value)

    def by_language(self, field: str, languages: Sequence[str]) -> Mapping[str, str]:
        """A text in every language of the study."""
        sub = self.sub(field)
        out = MappingProxyType({language: sub.text(language) for language in languages})
        return sub.done(out)

    def sub(self, field: str) -> Fields:
        """An object."""
        return Fields(self._get(field, _NONE), self._name, ".".join(p for p in (self._path, field) if p))

    def each(self) -> Iterator[tuple[str, Fields]]:
        """All fields, each an object; an empty one may be left blank."""
        for name, value in self._content.items():
            self._asked.add(name)
            yield name, Fields({} if value is None else value, self._name, f"{self._path}.{name}")

    def items(self, field: str) -> Iterator[Fields]:
        """A list of objects; none if it is left out."""
        value = self._get(field, [])
        if not isinstance(value, list):
            self.fail(field, "must be a list")
        for i, item in enumerate(value):
            yield Fields(item, self._name, f"{field}[{i}]")

    def day(self, field: str) -> str:
        """A day as ``YYYY-MM-DD``, or nothing."""
        value = self.text(field, "")
        try:
            good = not value or date.fromisoformat(value).isoformat() == value
        except ValueError:
            good = False
        if not good:
            self.fail(field, f"must be a day as YYYY-MM-DD in quotes, not {value!r}")
        return value

    def key(self, field: str) -> str:
        """A public key, or nothing."""
        value = self.text(field, "")
        try:
            good = not value or len(base64.b64decode(value, validate=True)) == _X25519_BYTES
        except ValueError:
            good = False
        if not good:
            self.fail(field, "must be an X25519 public key in base64, as `feltsense study key` prints it")
        return value
