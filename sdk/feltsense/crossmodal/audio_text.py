"""Audio and text that look at each other: a cross-modal transformer block on frame embeddings of any encoder.

After MemoCMT (Khan et al. 2025, Sci Rep 15:5473; its text asks the audio and its audio asks the text, the answers are
put one after another in time and aggregated), with what its published code has not:

- **Masks.** Padding is neither looked at nor aggregated; its code pads to fixed lengths and masks nothing. Output does
  not change with padding.
- **Absence.** An utterance without text, or without audio, is answered from the other; what is behind the mask cannot
  influence it. In training one of the two is hidden now and then.
- **A CLS token.** There, "cls" is the first audio frame; here it is a learned token that looks at everything.
- **Own words stay.** Each frame keeps a residual of itself, so that one modality alone still says something.

    a = W_a · audio + e_a,  t = W_t · text + e_t
    a' = a + attention(norm a, norm t),  t' = t + attention(norm t, norm a),  each + its feed-forward layer
    c' = c + attention(c, [a', t']);  margins = head(norm(aggregate([a', t'])))

The encoder is the user's: anything that gives a row of numbers a frame (a wav2vec, HuBERT or BERT; log-mel frames; word
vectors). Nothing is downloaded here. Split people, not utterances, when judging: MemoCMT's published splits share
speakers, so its figures are no goal for a split that does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from feltsense.crossmodal._descent import Recipe, cross_entropy, descend
from feltsense.crossmodal._layers import AGGREGATES, attend, feed, mask_bias, norm, pooled
from feltsense.errors import InputError, ModelDataError
from feltsense.fusion.late import probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["RECIPE", "AudioText", "Frames", "frames"]

WIDTH, HEADS = 32, 4
HIDE: Final = 0.25
"""Share of the training rows with both, of which one is hidden."""
RECIPE: Final = Recipe(steps=300, batch=64, rate=4e-3, penalty=0.02, seed=20)
_SIDES: Final = ("audio", "text")


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Embeddings of the frames of some utterances, padded to one length.

    Attributes
    ----------
    values : ndarray, shape (n, length, width)
        Whatever stands behind the mask is never looked at.
    there : ndarray of bool, shape (n, length)
        Frames that are real; none: the modality is absent.
    """

    values: NDArray[np.float64]
    there: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.there.shape != self.values.shape[:2]:
            msg = (
                f"frames are (utterances, length, width) with a mask (utterances, length), got {self.values.shape} "
                f"and {self.there.shape}"
            )
            raise InputError(msg)
        if not np.isfinite(self.values[self.there]).all():
            msg = "an embedding of a real frame is not finite: mask the frame, or leave the utterance out"
            raise InputError(msg)
        object.__setattr__(self, "values", np.where(self.there[:, :, None], self.values, 0.0))

    def __len__(self) -> int:
        return len(self.values)

    def some(self, rows: NDArray[np.int64] | slice) -> Frames:
        """Some of the utterances, without padding that none of them needs."""
        there = self.there[rows]
        length = int(np.flatnonzero(there.any(axis=0))[-1]) + 1 if there.any() else 1
        return Frames(self.values[rows][:, :length], there[:, :length])


def frames(
    items: Sequence[Any], encoder: Callable[[Any], NDArray[np.float64]] | None = None, width: int | None = None
) -> Frames:
    """Frame embeddings of utterances of any length.

    Parameters
    ----------
    items : sequence
        One an utterance: an array (length, width), or whatever the encoder takes; None where the modality is absent.
    encoder : callable, optional
        Item → array (length, width).
    width : int, optional
        Of an embedding; needed only where every item is None.

    Raises
    ------
    InputError
        If embeddings are not two-dimensional, or of different widths.
    """
    encoded = [None if x is None else np.asarray(encoder(x) if encoder else x, np.float64) for x in items]
    odd = sorted({str(e.shape) for e in encoded if e is not None and e.ndim != 2})
    widths = sorted({e.shape[1] for e in encoded if e is not None and e.ndim == 2} | ({width} if width else set()))
    if odd or len(widths) != 1:
        found = f"shapes {', '.join(odd)}" if odd else f"widths {', '.join(map(str, widths)) or 'unknown: give width'}"
        msg = f"embeddings are arrays (length, width) of one width, got {found}"
        raise InputError(msg)
    length = max((len(e) for e in encoded if e is not None), default=1)
    values = np.zeros((len(encoded), max(length, 1), widths[0]))
    there = np.zeros(values.shape[:2], np.bool_)
    for i, e in enumerate(encoded):
        if e is not None:
            values[i, : len(e)], there[i, : len(e)] = e, True
    return Frames(values, there)


@dataclass(frozen=True, slots=True, eq=False)
class AudioText:
    """A fitted block.

    Attributes
    ----------
    weights : mapping of str to ndarray
        Everything it learned.
    aggregate : str
        One of :data:`feltsense.crossmodal.AGGREGATES`.
    """

    weights: Mapping[str, NDArray[np.float64]]
    aggregate: str

    @classmethod
    def fit(
        cls, audio: Frames, text: Frames, y: NDArray[np.int64], *, aggregate: str = "cls",
        weight: NDArray[np.float64] | None = None, recipe: Recipe = RECIPE,
    ) -> Self:
        """Fit a block.

        Parameters
        ----------
        audio, text : Frames
            Of the same utterances.
        y : ndarray of int64, shape (n,)
            Class numbers, each there at least once.
        aggregate : {"cls", "mean", "max", "min"}
            How frames become one vector.
        weight : ndarray, shape (n,), optional
            Of each utterance; default: classes at equal shares.
        recipe : Recipe
            How to descend; its seed makes it reproducible.

        Raises
        ------
        ModelDataError
            If there is only one class, or an utterance has neither audio nor text.
        InputError
            If the three are of different lengths, or there is no such aggregation.
        MissingExtraError
            If autograd is not installed.
        """
        _check(audio, text, aggregate)
        counts = np.bincount(y) if len(y) and y.min() >= 0 else np.zeros(0)
        if len(y) != len(audio) or len(counts) < 2 or counts.min() == 0:
            msg = f"{len(y)} labels of classes {sorted(set(y.tolist()))} for {len(audio)} utterances: one label each, "
            msg += "numbered from 0, every class there, and at least two"
            raise ModelDataError(msg)
        if not (audio.there.any(axis=1) | text.there.any(axis=1)).all():
            msg = "an utterance to learn from has neither audio nor text: leave it out"
            raise ModelDataError(msg)
        share = weight if weight is not None else len(y) / counts[y] / len(counts)
        truth = np.eye(len(counts))[y]
        scales = {f"{s}_{k}": v for s, f in zip(_SIDES, (audio, text), strict=True) for k, v in _standard(f).items()}
        widths = audio.values.shape[2], text.values.shape[2]
        begin = _start(widths, len(counts), np.random.default_rng(recipe.seed))

        def loss(w: Mapping[str, Any], some: NDArray[np.int64], rng: np.random.Generator, xp: Any) -> Any:
            sides = [audio.some(some), text.some(some)]
            hidden = _hidden(sides[0].there, sides[1].there, rng)
            masks = [f.there & ~h[:, None] for f, h in zip(sides, hidden, strict=True)]
            margins, _ = _forward({**w, **scales}, (sides[0].values, sides[1].values), masks, aggregate, xp)
            return cross_entropy(margins, truth[some], share[some], xp)

        return cls({**descend(begin, loss, len(y), recipe), **scales}, aggregate)

    def margins(self, audio: Frames, text: Frames) -> NDArray[np.float64]:
        """Log-odds (n, classes − 1) against the first class; NaN for an utterance with neither audio nor text."""
        return self._answer(audio, text)[0]

    def probabilities(self, audio: Frames, text: Frames) -> NDArray[np.float64]:
        """Probability of each class (n, classes); NaN for an utterance with neither."""
        return probabilities(self.margins(audio, text))

    def looked_at(self, audio: Frames, text: Frames) -> dict[str, NDArray[np.float64]]:
        """What was looked at, which is no reason: maps (n, heads, queries, keys) of ``audio``, ``text`` and ``cls``."""
        return self._answer(audio, text)[1]

    def _answer(self, audio: Frames, text: Frames) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        _check(audio, text, self.aggregate)
        for side, given in zip(_SIDES, (audio, text), strict=True):
            meant = len(self.weights[f"{side}_mean"])
            if given.values.shape[2] != meant:
                msg = f"{side} embeddings of width {given.values.shape[2]}; this block was trained on {meant}"
                raise InputError(msg)
        margins, maps = _forward(self.weights, (audio.values, text.values), [audio.there, text.there], self.aggregate)
        some = np.asarray(audio.there.any(axis=1) | text.there.any(axis=1))
        return np.where(some[:, None], margins, np.nan), maps

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything it is, for ``numpy.savez``."""
        return {**self.weights, "aggregate": np.array([AGGREGATES.index(self.aggregate)], np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Inverse of :meth:`arrays`."""
        rest = {k: np.asarray(arrays[k], np.float64) for k in arrays if k != "aggregate"}
        return cls(rest, AGGREGATES[int(np.asarray(arrays["aggregate"], np.int64)[0])])


def _check(audio: Frames, text: Frames, aggregate: str) -> None:
    if len(audio) != len(text):
        msg = f"{len(audio)} utterances of audio and {len(text)} of text: give None for what is absent"
        raise InputError(msg)
    if aggregate not in AGGREGATES:
        msg = f"aggregation {aggregate!r} is none of {', '.join(AGGREGATES)}"
        raise InputError(msg)


def _standard(side: Frames) -> dict[str, NDArray[np.float64]]:
    """Mean and spread of real frames: encoders differ by orders of magnitude."""
    real = side.values[side.there]
    if not len(real):
        return {"mean": np.zeros(side.values.shape[2]), "scale": np.ones(side.values.shape[2])}
    spread = real.std(axis=0)
    return {"mean": real.mean(axis=0), "scale": np.where(spread > 0, spread, 1.0)}


def _hidden(
    audio: NDArray[np.bool_], text: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of some utterances that have both, which is hidden."""
    both = np.asarray(audio.any(axis=1) & text.any(axis=1)) & (rng.random(len(audio)) < HIDE)
    first = rng.random(len(audio)) < 0.5
    return both & first, both & ~first


def _start(widths: tuple[int, int], classes: int, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Weights before training; Glorot & Bengio 2010, eq. 16."""

    def matrix(rows: int, columns: int) -> NDArray[np.float64]:
        bound = np.sqrt(6.0 / (rows + columns))
        return rng.uniform(-bound, bound, (rows, columns))

    out: dict[str, NDArray[np.float64]] = {"cls": rng.normal(0, 0.3, WIDTH)}
    for side, width in zip(_SIDES, widths, strict=True):
        out |= {f"{side}_in": matrix(width, WIDTH), f"{side}_embedding": rng.normal(0, 0.3, WIDTH)}
        out |= {f"{side}_inner": matrix(WIDTH, 2 * WIDTH), f"{side}_inner_bias": np.zeros(2 * WIDTH)}
        out |= {f"{side}_outer": matrix(2 * WIDTH, WIDTH), f"{side}_outer_bias": np.zeros(WIDTH)}
    for who in (*_SIDES, "cls"):
        out |= {f"{who}_{part}": matrix(WIDTH, WIDTH) for part in ("query", "key", "value", "out")}
        out |= {f"{who}_{part}": np.stack([np.ones(WIDTH), np.zeros(WIDTH)]) for part in ("norm", "norm_mid")}
    out |= {"norm_out": np.stack([np.ones(WIDTH), np.zeros(WIDTH)])}
    return out | {"head": matrix(WIDTH, classes - 1), "head_bias": np.zeros(classes - 1)}


def _forward(
    w: Mapping[str, Any], values: tuple[Any, Any], masks: Sequence[NDArray[np.bool_]], aggregate: str, xp: Any = np
) -> tuple[Any, dict[str, Any]]:
    """Margins and maps."""
    gates = [np.asarray(m, np.float64) for m in masks]
    h = {}
    for side, x in zip(_SIDES, values, strict=True):
        plain = (x - w[f"{side}_mean"]) / w[f"{side}_scale"]
        h[side] = xp.matmul(plain, w[f"{side}_in"]) + w[f"{side}_embedding"]
    n, maps, new = len(masks[0]), {}, {}
    for i, side in enumerate(_SIDES):
        other = h[_SIDES[1 - i]]
        mixed, maps[side] = _asked(w, side, (norm(h[side], w[f"{side}_norm"], xp), norm(other, w[f"{side}_norm"], xp)),
                                   gates[1 - i], xp)
        own = h[side] + mixed
        layers = (w[f"{side}_inner"], w[f"{side}_inner_bias"], w[f"{side}_outer"], w[f"{side}_outer_bias"])
        new[side] = own + feed(norm(own, w[f"{side}_norm_mid"], xp), *layers, xp)
    sequence = xp.concatenate([new["audio"], new["text"]], axis=1)
    gate = np.concatenate(gates, axis=1)
    cls = xp.zeros((n, 1, WIDTH)) + w["cls"]
    mixed, maps["cls"] = _asked(w, "cls", (norm(cls, w["cls_norm"], xp), norm(sequence, w["cls_norm_mid"], xp)), gate, xp)
    vector = pooled((cls + mixed)[:, 0], sequence, gate, aggregate, xp)
    return xp.matmul(norm(vector, w["norm_out"], xp), w["head"]) + w["head_bias"], maps


def _asked(w: Mapping[str, Any], who: str, pair: tuple[Any, Any], gate: Any, xp: Any) -> tuple[Any, Any]:
    """What one sequence hears from the other; nothing where all of that is masked."""
    query, key, value = (
        xp.matmul(x, w[f"{who}_{part}"]) for x, part in ((pair[0], "query"), (pair[1], "key"), (pair[1], "value"))
    )
    mixed, looked = attend(query, key, value, mask_bias(gate), HEADS, xp)
    return xp.matmul(mixed, w[f"{who}_out"]), looked
