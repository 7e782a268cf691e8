"""What the app says, in each language that it speaks.

One JSON file a language, the same keys and the same places to fill in each (a test holds them equal). A key that is
missing is a bug and raises; a language that is missing falls back to English.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Final

__all__ = ["LANGUAGES", "Words"]

LANGUAGES: Final = ("en", "de", "es")


class _Number:
    """A number as people write it: with their decimal mark, a minus that is one, and never with an exponent."""

    def __init__(self, value: float, mark: str) -> None:
        self._value, self._mark = value, mark

    def __format__(self, how: str) -> str:
        text = format(self._value, how)
        if "e" in text:
            text = f"{float(text):.0f}" if abs(self._value) >= 1 else f"{float(text):f}".rstrip("0")
        return text.replace(".", self._mark).replace("-", "\N{MINUS SIGN}")


class Words:
    """Sentences of one language.

    Parameters
    ----------
    language : str
        As the phone names it, for example ``"de"`` or ``"de_AT"``.
    """

    def __init__(self, language: str = "en") -> None:
        short = language.replace("-", "_").split("_")[0].lower()
        self.language = short if short in LANGUAGES else "en"
        text = resources.files(__name__).joinpath(f"{self.language}.json").read_text(encoding="utf-8")
        self._sentences: dict[str, str] = json.loads(text)
        self._mark = "." if self.language == "en" else ","

    def __call__(self, key: str, **places: object) -> str:
        """The sentence of a key, with its places filled."""
        filled = {k: _Number(v, self._mark) if isinstance(v, float) else v for k, v in places.items()}
        return self._sentences[key].format(**filled)

    def __contains__(self, key: str) -> bool:
        return key in self._sentences

    @property
    def keys(self) -> frozenset[str]:
        """All keys."""
        return frozenset(self._sentences)

    @property
    def sentences(self) -> dict[str, str]:
        """Key → sentence with its places unfilled."""
        return dict(self._sentences)
