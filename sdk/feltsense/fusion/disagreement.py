"""When words say one thing and the rest another.

Words alone can hide a feeling: "fine, thanks" is said by people who are not fine. So the text never decides alone where
other modalities are present and point elsewhere: such a window is left undecided, and how far apart the two are is told.

The measure: each side's evidence is its summed contribution to each class's logit (the first class is 0). The side's
probabilities are the softmax of that; the disagreement is their total variation distance, 0 (the same) to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["NOTABLE", "TEXT", "Disagreement", "disagreement", "verdict"]

TEXT = "text"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How text stands to the other modalities in one window.

    Attributes
    ----------
    distance : float
        0..1; NaN where text or all others are absent.
    alone : bool
        Whether the text alone turned the decision against what the others say.
    """

    distance: float
    alone: bool


def disagreement(contributions: Mapping[str, Sequence[float]], text: str = TEXT) -> Disagreement:
    """Compare the text's evidence with the others'.

    Parameters
    ----------
    contributions : mapping of str to sequence of float
        Modality → its contribution to the logit of each class but the first; all 0 where it is absent.
    text : str
        Name of the text's modality.
    """
    mine = np.asarray(contributions.get(text, ()), np.float64)
    others = [np.asarray(v, np.float64) for k, v in contributions.items() if k != text and np.any(np.asarray(v) != 0.0)]
    if not mine.any() or not others:
        return Disagreement(float("nan"), False)
    rest = np.sum(others, axis=0)
    distance = 0.5 * float(np.abs(_softmax(mine) - _softmax(rest)).sum())
    said, shown, decided = (int(_softmax(v).argmax()) for v in (mine, rest, mine + rest))
    return Disagreement(distance, said != shown and decided != shown)


def _softmax(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    full = np.concatenate(([0.0], logit))
    e = np.exp(full - full.max())
    out: NDArray[np.float64] = e / e.sum()
    return out


NOTABLE = 0.5
"""Distance from which it is told although it changed nothing: the two sides' likeliest classes share less than half."""


def verdict(modalities: Sequence[str], contribution: NDArray[np.float64]) -> tuple[bool, str]:
    """Whether words alone have decided, and what there is to say about it (nothing: empty).

    Parameters
    ----------
    modalities : sequence of str
        Of the model.
    contribution : ndarray, shape (1 + modalities + …, classes − 1)
        Base, then each modality.
    """
    if TEXT not in modalities:
        return False, ""
    apart = disagreement({m: contribution[1 + i].tolist() for i, m in enumerate(modalities)})
    if apart.alone:
        return True, f"text_against_others {apart.distance:.2f}"
    return False, f"text_disagrees {apart.distance:.2f}" if apart.distance > NOTABLE else ""
