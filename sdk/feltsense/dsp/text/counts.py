"""Counting words: what can be said of a text without knowing what it means.

First-person singular and absolute words are more frequent in people with depression (Edwards & Holtzman 2017, J Res Pers
68:63; Al-Mosaiwi & Johnstone 2018, Clin Psychol Sci 6:529); lists are our own, English. Word counts are those of any
language that puts spaces between words.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["LONGEST", "count", "words"]

LONGEST: Final = 100_000
"""Characters of one turn: a book's chapter."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SENTENCE = re.compile(r"[.!?…。！？]+")
# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Han.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FIRST = _set("i me my mine myself i'm i've i'd i'll im ive")
_NEGATIONS = _set("no not never none nobody nothing neither nor nowhere cannot without")
_ABSOLUTES = _set(
    "all always absolutely complete completely constant constantly definitely entire entirely ever every "
    "everyone everybody everything full fully must never nothing nobody totally whole wholly"
)
_FILLERS = _set("um uh er erm hmm mm mhm uhm ah")
_EVERYDAY = _set(
    "a about all am an and are as at be been but by can did do for from get go good had has have he her him his how i i'm "
    "if in is it it's just know like me my no not now of oh okay on one or out really said she so some thanks that that's "
    "the them then there they this time to today too up was we well were what when which who will with would yes you your "
    "fine very never bad sad happy tired"
)


def words(text: str) -> list[str]:
    """Words of a text, small letters, apostrophes straight."""
    plain = unicodedata.normalize("NFC", text).lower().replace("’", "'")
    return _WORD.findall(plain)


def count(text: str) -> dict[str, float]:
    """Numbers of a text, by name of the row's column."""
    found = words(text)
    letters = sum(map(len, found))
    unspaced = len(_UNSPACED.findall(text))
    negations = sum(w in _NEGATIONS or w.endswith("n't") for w in found)
    return {
        "words": float(len(found)),
        "types": float(len(set(found))),
        "letters": float(letters),
        "sentences": float(max(len(_SENTENCE.findall(text)), 1)) if found else 0.0,
        "first_person": float(sum(w in _FIRST for w in found)),
        "negations": float(negations),
        "absolutes": float(sum(w in _ABSOLUTES for w in found)),
        "fillers": float(sum(w in _FILLERS for w in found)),
        "questions": float(len(re.findall(r"[?？]+", text))),
        "exclamations": float(len(re.findall(r"[!！]+", text))),
        "english": sum(w in _EVERYDAY or w.endswith("n't") for w in found) / len(found) if found else 0.0,
        "unspaced": float(unspaced > letters / 2),
    }
