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

    def __call__(self, key: str, **places: object) -> str:
        """The sentence of a key, with its places filled."""
        return self._sentences[key].format(**places)

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
