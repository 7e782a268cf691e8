"""Running a model: one numpy runner (base install) and one onnxruntime runner, with equal answers.

Both take the same inputs and give the same outputs, all float64:

==============  =====================  ========================================================================
input           shape                  meaning
==============  =====================  ========================================================================
x               n, features            features, NaN = missing
quality         n, modalities          0..1
rest_mean       n, features            the person's mean of each feature at rest, NaN = unknown
rest_seconds    n, features            seconds of rest behind it, 0 = nobody known
seen            n, inputs, bins        seconds that the person has spent in each bin so far (fusion/adaptive.py)
previous        n, classes − 1         smoothed logit before, NaN = none
before          n, classes − 1         logit of the window before, NaN = none
last            n, classes             1 for the class that was decided last, 0 everywhere = none yet
slope           n, classes − 1         the person's calibration of the smoothed logit: (slope · logit + offset) /
offset          n, classes − 1         temperature; 1, 0 and 1 for nobody's
temperature     n, 1
decay, lead     n, 1                   shares of `previous` and of `before` in the smoothed logit (fusion/late.py)
tokens          n, steps, m, width     tokens of earlier windows, the newest first (crossmodal/attention.py); of a
gates           n, steps, m            model without a joint part there are no steps; gates 0 = no such window
==============  =====================  ========================================================================

==============  =====================  ========================================================================
output          shape                  meaning
==============  =====================  ========================================================================
probability     n, classes             smoothed, calibrated
logit           n, classes − 1         this window's, before smoothing
smoothed        n, classes − 1         to be handed back as `previous`
contribution    n, parts, classes − 1  base, each modality, joint (0 for a model without a joint part)
plausible       n, classes             1 where the class is in the conformal set
abstain         n, 1                   1 where no modality is present
z               n, inputs              normalised inputs: what is counted into `seen` afterwards
token           n, m, width            of this window, to be handed back in `tokens`; without a joint part width 0
gate            n, m                   likewise in `gates`; without a joint part all 0
imagined        n, m                   1 where the joint part imagined the modality, which is missing
==============  =====================  ========================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from feltsense.errors import MissingExtraError
from feltsense.fusion.inputs import CLIP
from feltsense.fusion.late import probabilities, settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model
    from feltsense.fusion.late import Fused

__all__ = ["Inputs", "NumpyRunner", "OnnxRunner", "Outputs", "Runner", "fed", "taken"]


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What the model is given; shapes in the module's table."""

    x: NDArray[np.float64]
    quality: NDArray[np.float64]
    rest_mean: NDArray[np.float64]
    rest_seconds: NDArray[np.float64]
    seen: NDArray[np.float64]
    previous: NDArray[np.float64]
    before: NDArray[np.float64]
    last: NDArray[np.float64]
    slope: NDArray[np.float64]
    offset: NDArray[np.float64]
    temperature: NDArray[np.float64]
    decay: NDArray[np.float64]
    lead: NDArray[np.float64]
    tokens: NDArray[np.float64]
    gates: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        model: Model,
        x: NDArray[np.float64],
        quality: NDArray[np.float64],
        rest: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    ) -> Inputs:
        """Rows without a past, of one person whose rest (mean, seconds) is known or not."""
        shape, others = model.adaptive.population.shape, len(model.classes) - 1
        n, features = x.shape
        mean, seconds = rest if rest is not None else (np.full(features, np.nan), np.zeros(features))
        return cls(
            x, quality, np.broadcast_to(mean, (n, features)), np.broadcast_to(seconds, (n, features)),
            np.zeros((n, *shape)), np.full((n, others), np.nan), np.full((n, others), np.nan),
            np.zeros((n, others + 1)), np.ones((n, others)), np.zeros((n, others)), np.ones((n, 1)), np.zeros((n, 1)),
            np.zeros((n, 1)), *model.no_past(n),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What the model says; shapes in the module's table."""

    probability: NDArray[np.float64]
    logit: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    contribution: NDArray[np.float64]
    plausible: NDArray[np.float64]
    abstain: NDArray[np.float64]
    z: NDArray[np.float64]
    token: NDArray[np.float64]
    gate: NDArray[np.float64]
    imagined: NDArray[np.float64]


class Runner(Protocol):
    """Something that evaluates a model."""

    name: str

    def run(self, inputs: Inputs) -> Outputs:
        """Evaluate rows; each row is independent of the others.

        x, rest_mean, rest_seconds and seen may also be one row for all: one window under many circumstances.
        """


class NumpyRunner:
    """Evaluates a model with numpy alone."""

    name = "numpy"

    def __init__(self, model: Model) -> None:
        self._model = model
        self._owner = [np.flatnonzero(model.owner == m) for m in range(len(model.modalities))]

    def _fused(self, inputs: Inputs) -> tuple[NDArray[np.float64], NDArray[np.float64], Fused]:
        """Normalised inputs, standings, and what the additive experts say."""
        model = self._model
        z = model.normaliser(inputs.x, inputs.rest_mean, inputs.rest_seconds)
        score = model.adaptive(z, inputs.seen)
        # At the clip a value is not a measurement of this person any more: out of range counts as missing.
        seen = np.abs(z) < CLIP
        finite = np.stack([seen[:, columns].sum(axis=1) for columns in self._owner], axis=1).astype(np.float64)
        margins = [m.expert.margins(score[:, m.columns]) for m in model.members]
        return z, score, model.fusion(margins, finite, inputs.quality)

    def run(self, inputs: Inputs) -> Outputs:
        """Evaluate rows."""
        model = self._model
        z, score, fused = self._fused(inputs)
        joint = model.together(score, fused.present, inputs.quality, (inputs.tokens, inputs.gates))
        logit = fused.logit + joint.contribution
        any_present = np.asarray(fused.present.any(axis=1, keepdims=True))
        mixed = inputs.decay * inputs.previous + inputs.lead * inputs.before
        mixed = mixed + (1.0 - inputs.decay - inputs.lead) * logit
        now = np.where(np.isnan(inputs.previous), logit, mixed)
        personal = (inputs.slope * now + inputs.offset) / inputs.temperature
        probability = probabilities(settled(personal, inputs.last, model.hold))
        top = probability >= probability.max(axis=1, keepdims=True)
        plausible = top | (probability >= model.plausible) | ~any_present
        n, classes = probability.shape
        contribution = np.zeros((n, len(model.modalities) + 2, classes - 1))
        contribution[:, 0] = model.fusion.base
        contribution[:, 1:-1] = fused.contributions
        contribution[:, -1] = joint.contribution
        return Outputs(
            probability, logit, np.where(any_present, now, inputs.previous), contribution,
            plausible.astype(np.float64), np.where(any_present, 0.0, 1.0), z,
            joint.token, joint.gate, joint.imagined,
        )

    def looked_at(self, inputs: Inputs) -> NDArray[np.float64]:
        """Attention maps of the joint part."""
        _, score, fused = self._fused(inputs)
        past = inputs.tokens, inputs.gates
        return self._model.together(score, fused.present, inputs.quality, past).looked


class OnnxRunner:
    """Evaluates a model's graph with onnxruntime, on one thread.

    Parameters
    ----------
    graph : bytes
        ``model.onnx``.

    Raises
    ------
    MissingExtraError
        If onnxruntime is not installed.
    """

    name = "onnxruntime"

    def __init__(self, graph: bytes) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError("onnx", "running a model with onnxruntime") from None
        options = onnxruntime.SessionOptions()
        # Batches are one window: threads would cost more than they give.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._inputs = [i.name for i in self._session.get_inputs()]
        self._outputs = [o.name for o in self._session.get_outputs()]
        rows = {i.name: i.shape[0] for i in self._session.get_inputs()}
        # Graphs of earlier releases know one number of rows only.
        self._alike = rows["x"] == rows["quality"]

    def run(self, inputs: Inputs) -> Outputs:
        """Evaluate rows."""
        given = fed(inputs, self._inputs, alike=self._alike)
        return taken(inputs, dict(zip(self._outputs, self._session.run(self._outputs, given), strict=True)))


def fed(inputs: Inputs, names: Iterable[str], *, alike: bool) -> dict[str, NDArray[np.float64]]:
    """What a graph is given by name; `alike`: with as many rows of each."""
    given = {name: getattr(inputs, name) for name in names}
    if alike:
        n = len(inputs.quality)
        given = {name: np.broadcast_to(v, (n, *v.shape[1:])) if len(v) == 1 else v for name, v in given.items()}
    return {name: np.ascontiguousarray(v, dtype=np.float64) for name, v in given.items()}


def taken(inputs: Inputs, out: Mapping[str, NDArray[np.float64]]) -> Outputs:
    """What a graph gave by name."""
    # A graph without a joint part has no tokens to give.
    none = np.zeros(inputs.quality.shape)
    nothing = {"token": none[:, :, None][:, :, :0], "gate": none, "imagined": none}
    return Outputs(**nothing | dict(out))
