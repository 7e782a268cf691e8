"""The gate that every bundle passes before it is written: three implementations, one answer.

The training stack (the fitted estimators themselves), the ONNX graph and the numpy runner are compared on rows made
to break them: plain, NaN, ±inf, whole modalities missing, no quality, with and without a past and a known rest, and
values one grid step on either side of tree thresholds. No label may flip; no probability may differ by more
than 1e-5.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from feltsense.bundle.run import Inputs, NumpyRunner, OnnxRunner
from feltsense.core.modality import base
from feltsense.errors import BundleError
from feltsense.fusion.adaptive import SCORE
from feltsense.fusion.inputs import CLIP, GRID
from feltsense.fusion.late import probabilities, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from feltsense.bundle.run import Outputs, Runner
    from feltsense.bundle.schema import Model

__all__ = ["LIMIT", "Parity", "agreement", "check", "rows"]

LIMIT = 1e-5
ROWS = 1200
"""Rows of each kind together, threshold rows not counted."""
BATCHES = 9
"""Draws of such rows: more than 10,000 in all, at the memory of one."""
THRESHOLDS = 40
"""Of each expert and draw."""
_STEPS = np.array([-1.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True)
class Parity:
    """Outcome of the gate."""

    rows: int
    flips: int
    difference: float

    def passed(self) -> bool:
        """Whether the bundle may be written."""
        return self.flips == 0 and self.difference <= LIMIT


def rows(model: Model, seed: int = 0) -> Inputs:
    """Rows made to break a model."""
    rng = np.random.default_rng(seed)
    n = model.normaliser
    features, modalities, others = len(model.features), len(model.modalities), len(model.classes) - 1
    x = _features(model, rng.normal(0, 2, (ROWS, len(n.left))), rng)
    kinds = rng.integers(0, 6, ROWS)
    x[kinds == 1] = np.where(rng.random((int((kinds == 1).sum()), features)) < 0.4, np.nan, x[kinds == 1])
    wild = rng.choice(np.array([np.inf, -np.inf, 1e300, -1e300, 0.0, 1e31]), (ROWS, features))
    x = np.where((kinds == 2)[:, None] & (rng.random(x.shape) < 0.3), wild, x)
    odd = rng.choice([0.0, np.nan, 1.0], (ROWS, modalities))
    quality = np.where(kinds[:, None] == 5, odd, rng.random((ROWS, modalities)))
    owners = np.array([model.modalities.index(base(name)) for name in model.names])
    for m in range(modalities):
        gone = (kinds == 3) & (rng.random(ROWS) < 0.6)
        x[np.ix_(gone, owners == m)] = np.nan
        quality[gone, m] = 0.0
    x = np.concatenate([x, _near_thresholds(model, rng)])
    total = len(x)
    quality = np.concatenate([quality, np.ones((total - ROWS, modalities))])
    rest = _features(model, rng.normal(0, 1, (total, len(n.left))), rng)
    seconds = rng.choice(np.array([0.0, 5.0, 215.0, 3000.0]), (total, features))
    # Threshold rows were placed for an unknown person without a past.
    seconds[ROWS:] = 0.0
    rest[rng.random(rest.shape) < 0.1] = np.nan
    previous = np.where(rng.random((total, 1)) < 0.5, np.nan, rng.normal(0, 1, (total, others)))
    previous[ROWS:] = np.nan
    seen = _seen(model, total, rng)
    seen[ROWS:] = 0.0
    last = np.concatenate([np.eye(others + 1), np.zeros((1, others + 1))])[rng.integers(0, others + 2, total)]
    own = (rng.uniform(0.5, 2, (total, others)), rng.normal(0, 1, (total, others)), rng.uniform(0.5, 2, (total, 1)))
    before = np.where(np.isnan(previous), np.nan, rng.normal(0, 1, (total, others)))
    shares = rng.random((total, 1)), rng.uniform(0, 0.3, (total, 1))
    return Inputs(x, quality, rest, seconds, seen, previous, before, last, *own, *shares, *_past(model, total, rng))


def _past(model: Model, total: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """No earlier windows, some of them, some modalities of them; poor ones and good ones."""
    tokens, gates = model.no_past(total)
    there = rng.random(gates.shape) < rng.choice(np.array([0.0, 0.5, 1.0]), (total, 1, 1))
    return rng.normal(0, 2, tokens.shape), np.where(there, rng.uniform(0.01, 1.0, gates.shape), 0.0)


def _seen(model: Model, total: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Nothing seen, a few minutes of it, and months of it; all in one bin, or spread."""
    inputs, bins = model.adaptive.population.shape
    out = rng.exponential(1.0, (total, inputs, bins)) * (rng.random((total, inputs, bins)) < rng.random((total, 1, 1)))
    out *= rng.choice(np.array([0.0, 5.0, 300.0, 1e6]), (total, 1, 1))
    alone = rng.random(total) < 0.1
    out[alone] = 0.0
    out[alone, :, rng.integers(0, bins)] = 1e4
    return out


def _features(model: Model, z: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Features whose single inputs have the given z for an unknown person."""
    n = model.normaliser
    out = rng.normal(0, 1, (len(z), len(model.features)))
    for j, (left, right) in enumerate(zip(n.left, n.right, strict=True)):
        if right < 0:
            value = n.population[j] + np.hypot(n.within[j], n.between[j]) * z[:, j]
            out[:, left] = value if np.isnan(n.offset[left]) else np.exp(value) - n.offset[left]
    return out


def _near_thresholds(model: Model, rng: np.random.Generator) -> NDArray[np.float64]:
    """Rows in which one input is the last grid point up to a threshold of a tree, or one of its neighbours."""
    out = []
    for member in model.members:
        arrays = member.expert.arrays()
        if "threshold" not in arrays:
            continue
        inner = np.flatnonzero(arrays["left"] != np.arange(len(arrays["left"])))
        # A threshold out of the scores' range only sorts missing values.
        inner = inner[np.abs(np.asarray(arrays["threshold"], dtype=np.float64)[inner]) < CLIP]
        for node in rng.permutation(inner)[:THRESHOLDS]:
            z = rng.normal(0, 1, (len(_STEPS), len(model.inputs)))
            j = int(member.columns[int(arrays["feature"][node])])
            z[:, j] = (np.floor(_standing_at(model, j, float(arrays["threshold"][node])) * GRID) + _STEPS) / GRID
            out.append(_features(model, z, rng))
    return np.concatenate(out) if out else np.empty((0, len(model.features)))


def _standing_at(model: Model, j: int, score: float) -> float:
    """Normalised input whose score is `score` for somebody of whom nothing has been seen."""
    a = model.adaptive
    odds = np.exp(score / SCORE)
    share = (odds / (1.0 + odds) * (a.kappa + 2.0 * a.floor) - a.floor) / a.kappa
    return float(np.interp(share, np.concatenate([[0.0], np.cumsum(a.population[j])]), a.edges[j]))


def check(model: Model, graph: bytes, stack: Sequence[Callable[[NDArray[np.float64]], NDArray[np.float64]]]) -> Parity:
    """Compare the three.

    Parameters
    ----------
    model : Model
        What the numpy runner runs.
    graph : bytes
        What onnxruntime runs.
    stack : sequence of callable
        Margins of each expert as its own library computes them, in the order of the members.

    Raises
    ------
    BundleError
        If they disagree; nothing may be written then.
    """
    numpy, onnx = NumpyRunner(model), OnnxRunner(graph)
    count = flips = 0
    difference = 0.0
    for seed in range(BATCHES):
        inputs = rows(model, seed)
        ours, theirs = numpy.run(inputs), onnx.run(inputs)
        answers = (theirs.probability, _stack_probabilities(model, inputs, stack))
        count += len(inputs.x)
        flips += sum(int((a.argmax(axis=1) != ours.probability.argmax(axis=1)).sum()) for a in answers)
        worst = max(float(np.abs(a - ours.probability).max()) for a in answers)
        difference = max(difference, worst, _worst(ours, theirs))
    result = Parity(count, flips, difference)
    if not result.passed():
        found = f"{flips} labels flip and answers differ by {difference:.2g} over {len(inputs.x)} rows"
        msg = f"export refused: {found} (allowed: 0, {LIMIT}); nothing was written"
        raise BundleError(msg)
    return result


def agreement(model: Model, runner: Runner, step: int = 1) -> Parity:
    """How another runner's answers compare with the numpy runner's.

    Parameters
    ----------
    model : Model
        What both run.
    runner : Runner
        The other one.
    step : int
        Of one draw of :func:`rows`, every so many.
    """
    drawn = rows(model)
    inputs = Inputs(*(getattr(drawn, f.name)[::step] for f in fields(Inputs)))
    ours, theirs = NumpyRunner(model).run(inputs), runner.run(inputs)
    flips = int((theirs.probability.argmax(axis=1) != ours.probability.argmax(axis=1)).sum())
    difference = float(np.abs(theirs.probability - ours.probability).max())
    return Parity(len(inputs.x), flips, max(difference, _worst(ours, theirs)))


def _worst(ours: Outputs, theirs: Outputs) -> float:
    """Largest difference of anything but probabilities, on the scale of one logit; inf where NaN differ."""
    worst = float(np.abs(ours.abstain - theirs.abstain).max())
    if not np.array_equal(ours.imagined, theirs.imagined):
        return float("inf")
    for name in ("logit", "smoothed", "contribution", "z", "token"):
        a, b = getattr(ours, name), getattr(theirs, name)
        if not a.size:
            continue
        if not np.array_equal(np.isnan(a), np.isnan(b)):
            return float("inf")
        worst = max(worst, float(np.nanmax(np.abs(a - b) / np.maximum(1.0, np.abs(a)))))
    return worst


def _stack_probabilities(
    model: Model, inputs: Inputs, stack: Sequence[Callable[[NDArray[np.float64]], NDArray[np.float64]]]
) -> NDArray[np.float64]:
    z = model.normaliser(inputs.x, inputs.rest_mean, inputs.rest_seconds)
    finite = np.abs(z) < CLIP
    z = model.adaptive(z, inputs.seen)
    counts = np.stack([finite[:, model.owner == m].sum(axis=1) for m in range(len(model.modalities))], axis=1)
    margins = [predict(z[:, m.columns]) for predict, m in zip(stack, model.members, strict=True)]
    fused = model.fusion(margins, counts.astype(np.float64), inputs.quality)
    logit = fused.logit + model.together(z, fused.present, inputs.quality, (inputs.tokens, inputs.gates)).contribution
    mixed = inputs.decay * inputs.previous + inputs.lead * inputs.before
    mixed = mixed + (1.0 - inputs.decay - inputs.lead) * logit
    now = np.where(np.isnan(inputs.previous), logit, mixed)
    personal = (inputs.slope * now + inputs.offset) / inputs.temperature
    return probabilities(settled(personal, inputs.last, model.hold))
