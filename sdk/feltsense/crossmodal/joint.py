"""The joint part of a model: one network over all modalities, beside the additive experts.

contribution = weight · (present − 1)/(modalities − 1) · margins, added to the logit like everybody else's, so that the
contributions still add up exactly. What the network cannot say alone it does not say: with one modality it is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.crossmodal.attention import Attention

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Joint", "Together"]


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """What a joint part says of some windows: shapes as in :mod:`feltsense.bundle.run`."""

    contribution: NDArray[np.float64]
    token: NDArray[np.float64]
    gate: NDArray[np.float64]
    imagined: NDArray[np.float64]
    looked: NDArray[np.float64]

    @classmethod
    def nothing(cls, rows: int, modalities: int, others: int) -> Together:
        """What a model without a joint part says."""
        none = np.zeros((rows, modalities))
        return cls(np.zeros((rows, others)), np.zeros((rows, modalities, 0)), none, none, np.zeros((rows, 0, 0, 0)))


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """A network and what its margins are worth beside the additive experts (≥ 0)."""

    network: Attention
    weight: float

    def __call__(
        self, score: NDArray[np.float64], present: NDArray[np.bool_], gate: NDArray[np.float64],
        past: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> Together:
        """What it says of windows whose earlier tokens and gates are `past`."""
        token = self.network.tokens(score)
        margins, looked, imagined = self.network.look(token, gate, *past)
        contribution = self.weight * (self.network.shrink(present)[:, None] * margins)
        return Together(contribution, token, gate, imagined.astype(np.float64), looked)
