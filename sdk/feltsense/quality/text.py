"""How much a window's words are worth.

| reason | when | quality |
|---|---|---|
| `no_signal` | the person said nothing in the window | 0 |
| `none_found` | turns without a word | 0 |
| `not_supported` | another language than the word lists know: counts stand, shares of their words and valence do not | 0.3 |
| `too_short` | fewer than 5 words | 0.5 |
"""

from __future__ import annotations

from feltsense.core.vector import Reason

__all__ = ["ENGLISH", "judge"]

ENGLISH = 0.15
"""Share of everyday English words; English has .4 to .6, its neighbours below .1."""
_FEW = 5


def judge(turns: int, words: float, english: float, unspaced: bool) -> tuple[float, Reason]:
    """Quality 0..1 and its reason.

    Parameters
    ----------
    turns, words : int, float
        Of the person in the window.
    english : float
        Share of everyday English words among them.
    unspaced : bool
        Whether the script puts no spaces between words.
    """
    if not turns:
        return 0.0, Reason.NO_SIGNAL
    if not words:
        return 0.0, Reason.NONE_FOUND
    if unspaced or (words >= _FEW and english < ENGLISH):
        return 0.3, Reason.NOT_SUPPORTED
    return (0.5, Reason.TOO_SHORT) if words < _FEW else (1.0, Reason.OK)
