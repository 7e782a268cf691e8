"""What one row of a stream of words is: one turn of a conversation, or one entry of a journal, as numbers.

Words themselves are in no row, and in no stream. The person's own turns have ``own`` 1, everybody else's 0. A number
that a turn does not have (the delay of a first turn, the valence of a language that nobody rated) is NaN.
"""

from __future__ import annotations

from typing import Final

__all__ = ["TEXT_CHANNELS", "at"]

TEXT_CHANNELS: Final = (
    # Who; how many words, different words, letters, sentences; seconds it took, seconds after the turn before.
    "own", "words", "types", "letters", "sentences", "seconds", "delay",
    # Counts of words and marks.
    "first_person", "negations", "absolutes", "fillers", "questions", "exclamations",
    # Share of words that are everyday English ones; 1 where words cannot be told apart by spaces.
    "english", "unspaced",
    # Valence −1..1, and shares of positive, negative and neutral words.
    "valence", "positive", "negative", "neutral",
    # Context: mean valence of the others' last turns and of the own last turns, likeness to the turn before.
    "valence_before", "own_before", "likeness",
)  # fmt: skip
"""Columns of a row."""


def at(name: str) -> int:
    """Position of a number in a row."""
    return TEXT_CHANNELS.index(name)
