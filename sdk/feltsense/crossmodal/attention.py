"""A small masked cross-modal attention network: modalities as tokens of one shared space.

    token_m  = gate_m · (inputs_m · E_m + e_m)                  e_m: the modality's embedding; a missing input is 0,
                                                                the population's median standing
    sequence = [CLS, tokens now + a_0, tokens 30 s ago + a_1, …]  a_s: the age's embedding
    h        = queries + attention(norm(queries), norm(sequence)), queries = [CLS, tokens now]
    h        = h + W₂ max(0, W₁ norm(h))
    margins  = head(norm(aggregate(h)))                          CLS, mean, max or min of the tokens now

Rules
-----
- A gate is 0 where a modality is absent, else its quality's fade in (0, 1]: it scales the token, and its logarithm is
  added to every attention score, so that poor measurements are looked at less. At 0 the weight is exactly 0: what
  is absent, or lies before the beginning, cannot influence anything.
- Earlier tokens are of :data:`AGES_S`, in seconds: the hop does not change the meaning. A session hands them back.
- The margins are scaled by (present − 1)/(modalities − 1): what was learned from modalities together is worth less the
  fewer there are, and nothing with one (:meth:`Attention.shrink`).
- A missing modality's token may be imagined from the others, where that helped in training (`imagines`): with half a
  gate, and always reported.
- Attention maps tell what was looked at. They are no reasons: with equal maps the answer may move either way, and
  the most looked-at modality is often not the one that moved it (Jain & Wallace 2019; use Shapley values).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from feltsense.crossmodal._layers import AGGREGATES, TINY, attend, feed, mask_bias, norm, pooled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["AGES_S", "HEADS", "TRUST", "WIDTH", "Attention", "embedded", "filled", "forward", "imagine", "start"]

AGES_S: Final = (0.0, 30.0, 60.0, 90.0)
"""Ages of the tokens that are looked at: windows a minute long, in steps that training has as well."""
WIDTH, HEADS = 24, 2
"""Of the shared space. Small on purpose: cohorts have tens of people."""
TRUST = 0.5
"""Gate of an imagined token: less than that of anything measured well."""


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """A fitted network.

    Attributes
    ----------
    owner : ndarray of int64, shape (inputs,)
        Modality of each input.
    weights : mapping of str to ndarray
        As :func:`start` lays them out.
    aggregate : str
        One of :data:`feltsense.crossmodal.AGGREGATES`.
    imagines : ndarray of bool, shape (modalities,)
        Whose token is imagined where it is missing.
    """

    owner: NDArray[np.int64]
    weights: Mapping[str, NDArray[np.float64]]
    aggregate: str
    imagines: NDArray[np.bool_]

    @property
    def steps(self) -> int:
        """Earlier windows that are looked at."""
        return len(self.weights["age"]) - 1

    @property
    def width(self) -> int:
        """Of a token."""
        return int(self.weights["embed"].shape[1])

    def tokens(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tokens (n, modalities, width) of standings (n, inputs), before gates and ages."""
        out: NDArray[np.float64] = embedded(self.weights, np.where(np.isnan(score), 0.0, score), self.owner)
        return out

    def look(
        self, token: NDArray[np.float64], gate: NDArray[np.float64], tokens: NDArray[np.float64], gates: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Margins, what was looked at, and what was imagined.

        Parameters
        ----------
        token, gate : ndarray, shape (n, modalities, width), (n, modalities)
            Now.
        tokens, gates : ndarray, shape (n, steps, modalities, width), (n, steps, modalities)
            Before, the newest first.

        Returns
        -------
        margins : ndarray, shape (n, classes − 1)
            Unscaled; 0 where nothing is present.
        looked : ndarray, shape (n, heads, 1 + modalities, 1 + modalities · (1 + steps))
            Rows: CLS and each modality now. Columns: CLS, each modality now, each 30 s ago, …
        imagined : ndarray of bool, shape (n, modalities)
            Whose token was imagined.
        """
        some = np.asarray((gate > 0.0).any(axis=1))
        imagined = (gate == 0.0) & self.imagines & some[:, None]
        token, open_ = filled(self.weights, token, gate, imagined)
        margins, looked = forward(self.weights, (token, open_, tokens, gates), self.aggregate)
        return np.where(some[:, None], margins, 0.0), looked, imagined

    def shrink(self, present: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Factor of the margins (n,): nothing with one modality, all with all."""
        most = present.shape[1] - 1
        out: NDArray[np.float64] = np.maximum(present.sum(axis=1) - 1.0, 0.0) / max(most, 1)
        return out

    def labels(self, modalities: Sequence[str]) -> tuple[list[str], list[str]]:
        """Names of the rows and of the columns of an attention map."""
        ages = [f"{m} {age:g} s ago" for age in AGES_S[1 : self.steps + 1] for m in modalities]
        return ["CLS", *modalities], ["CLS", *modalities, *ages]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything it is."""
        how = np.array([AGGREGATES.index(self.aggregate)], np.int64)
        return {"owner": self.owner, "aggregate": how, "imagines": self.imagines, **self.weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Inverse of :meth:`arrays`."""
        rest = {k: np.asarray(v, np.float64) for k, v in arrays.items() if k not in ("owner", "aggregate", "imagines")}
        how = AGGREGATES[int(np.asarray(arrays["aggregate"], np.int64)[0])]
        missing = sorted(set(start(1, 1, 2, np.random.default_rng(0))) - set(rest))
        if missing:
            msg = f"an attention network without {', '.join(missing)}"
            raise ValueError(msg)
        return cls(np.asarray(arrays["owner"], np.int64), rest, how, np.asarray(arrays["imagines"], np.bool_))


def start(inputs: int, modalities: int, classes: int, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Weights before training: Glorot & Bengio 2010, eq. 16, for matrices; small embeddings; norms that change nothing."""

    def matrix(*shape: int) -> NDArray[np.float64]:
        bound = np.sqrt(6.0 / (shape[-2] + shape[-1]))
        return rng.uniform(-bound, bound, shape)

    def norms() -> NDArray[np.float64]:
        return np.stack([np.ones(WIDTH), np.zeros(WIDTH)])

    return {
        "embed": matrix(inputs, WIDTH), "modality": rng.normal(0, 0.3, (modalities, WIDTH)),
        "age": rng.normal(0, 0.1, (len(AGES_S), WIDTH)), "cls": rng.normal(0, 0.3, WIDTH),
        "norm_in": norms(), "query": matrix(WIDTH, WIDTH), "key": matrix(WIDTH, WIDTH), "value": matrix(WIDTH, WIDTH),
        "out": matrix(WIDTH, WIDTH), "norm_mid": norms(), "inner": matrix(WIDTH, 2 * WIDTH),
        "inner_bias": np.zeros(2 * WIDTH), "outer": matrix(2 * WIDTH, WIDTH), "outer_bias": np.zeros(WIDTH),
        "norm_out": norms(), "head": matrix(WIDTH, classes - 1), "head_bias": np.zeros(classes - 1),
        "imagine_inner": matrix(WIDTH, 2 * WIDTH), "imagine_inner_bias": np.zeros(2 * WIDTH),
        "imagine_outer": matrix(modalities, 2 * WIDTH, WIDTH), "imagine_bias": np.zeros((modalities, WIDTH)),
    }  # fmt: skip


def embedded(w: Mapping[str, Any], score: Any, owner: NDArray[np.int64], xp: Any = np) -> Any:
    """Tokens (n, modalities, width) of filled standings (n, inputs)."""
    columns = [np.flatnonzero(owner == m) for m in range(len(w["modality"]))]
    parts = [xp.matmul(score[:, c], w["embed"][c]) + w["modality"][m] for m, c in enumerate(columns)]
    return xp.stack(parts, axis=1)


def imagine(w: Mapping[str, Any], token: Any, gate: Any, xp: Any = np) -> Any:
    """What each modality's token would be, going by those that are there (n, modalities, width)."""
    mean = xp.sum(gate[:, :, None] * token, axis=1) / (xp.sum(gate, axis=1)[:, None] + TINY)
    hidden = xp.maximum(xp.matmul(mean, w["imagine_inner"]) + w["imagine_inner_bias"], 0.0)
    return xp.swapaxes(xp.matmul(hidden, w["imagine_outer"]), 0, 1) + w["imagine_bias"]


def filled(w: Mapping[str, Any], token: Any, gate: Any, imagined: NDArray[np.bool_], xp: Any = np) -> tuple[Any, Any]:
    """Tokens and gates with the imagined ones in their places."""
    if not imagined.any():
        return token, gate
    return xp.where(imagined[:, :, None], imagine(w, token, gate, xp), token), np.where(imagined, TRUST, gate)


def forward(w: Mapping[str, Any], seen: tuple[Any, Any, Any, Any], aggregate: str, xp: Any = np) -> tuple[Any, Any]:
    """Margins and attention maps; `seen` = token, gate, tokens, gates, as in :meth:`Attention.look`."""
    token, gate, tokens, gates = seen
    now = gate[:, :, None] * token + w["age"][0]
    n, modalities, width = now.shape
    before = gates[:, :, :, None] * tokens + w["age"][1:][:, None, :]
    cls = xp.zeros((n, 1, width)) + w["cls"]
    queries = xp.concatenate([cls, now], axis=1)
    sequence = xp.concatenate([queries, xp.reshape(before, (n, -1, width))], axis=1)
    bias = xp.concatenate([np.zeros((n, 1)), mask_bias(gate), mask_bias(np.reshape(gates, (n, -1)))], axis=1)
    known = norm(sequence, w["norm_in"], xp)
    mixed, looked = attend(
        xp.matmul(known[:, : 1 + modalities], w["query"]), xp.matmul(known, w["key"]), xp.matmul(known, w["value"]),
        bias, HEADS, xp,
    )
    h = queries + xp.matmul(mixed, w["out"])
    h = h + feed(norm(h, w["norm_mid"], xp), w["inner"], w["inner_bias"], w["outer"], w["outer_bias"], xp)
    vector = pooled(h[:, 0], h[:, 1:], gate, aggregate, xp)
    return xp.matmul(norm(vector, w["norm_out"], xp), w["head"]) + w["head_bias"], looked
