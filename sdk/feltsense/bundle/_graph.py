"""The model as an ONNX graph, node by node with onnx.helper: no converter, nothing silently different.

Everything but the trees is in double, in the order of operations of the numpy runner. Opset 17 and ai.onnx.ml 3
(IR 8): old enough for every runtime on phones.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.bundle._joint_graph import emit as emit_joint
from feltsense.bundle.run import Inputs, Outputs
from feltsense.errors import MissingExtraError
from feltsense.fusion.adaptive import SCORE
from feltsense.fusion.inputs import CLIP, GRID, LARGEST
from feltsense.fusion.late import LEAST_SHARE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model
    from feltsense.crossmodal.joint import Joint
    from feltsense.fusion.adaptive import Adaptive
    from feltsense.fusion.inputs import Normaliser

__all__ = ["build"]

OPSET, ML_OPSET, IR = 17, 3, 8
JOINT = ("tokens", "gates", "token", "gate", "imagined")
"""Inputs and outputs of a graph with a joint part only."""
COMMON = ("x", "rest_mean", "rest_seconds", "seen", "z", "token")
"""What may be one row where the others are many (one window, many coalitions): a dimension of another name, since
onnxruntime shares memory between values whose dimensions have the same."""


class _Builder:
    """Nodes and constants of a graph under construction; names are numbers, so equal models give equal bytes."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: NDArray[np.generic]) -> str:
        """Add a constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def number(self, value: float) -> str:
        """Add a constant scalar."""
        return self.constant(np.array(value, dtype=np.float64))

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node with one output."""
        if kind == "Cast":
            attributes["to"] = {"float": self._onnx.TensorProto.FLOAT, "double": self._onnx.TensorProto.DOUBLE}[
                str(attributes["to"])
            ]
        return self._add(kind, inputs, attributes)

    def ml(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node of ai.onnx.ml."""
        return self._add(kind, inputs, attributes | {"domain": "ai.onnx.ml"})

    def _add(self, kind: str, inputs: tuple[str, ...], attributes: dict[str, Any]) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(kind, list(inputs), [name], name=f"{kind}_{name}", **attributes))
        return name

    def finish(self, value: str, name: str) -> None:
        """Give a value the name of a graph's output."""
        self.nodes.append(self._onnx.helper.make_node("Identity", [value], [name], name=f"out_{name}"))

    def double(self, flag: str) -> str:
        """Boolean → 0 or 1."""
        return self.op("Cast", flag, to="double")

    def column(self, x: str, m: int) -> str:
        """Column `m` of x, kept as (n, 1)."""
        return self.op("Gather", x, self.constant(np.array([m])), axis=1)


def build(model: Model) -> bytes:
    """The serialised graph of a model.

    Raises
    ------
    MissingExtraError
        If onnx is not installed.
    """
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError:
        raise MissingExtraError("train", "writing a model bundle") from None
    g = _Builder(onnx)
    z = _normalised(g, model.normaliser)
    # NaN compares false: missing and out of range alike are not there.
    seen = g.double(g.op("Less", g.op("Abs", z), g.number(CLIP)))
    # Counts are small integers: exact in any order of summation.
    finite = g.op("MatMul", seen, g.constant(np.eye(len(model.modalities))[model.owner]))
    present = _present(g, model, finite)
    score = _standing(g, model.adaptive, z)
    contributions = _contributions(g, model, score, present)
    base = g.constant(model.fusion.base[None])
    # One row for each of the inputs', even where no expert has anything to say.
    logit = g.op("Add", base, g.op("Abs", g.op("Mul", "decay", g.number(0.0))))
    for part in contributions:
        logit = g.op("Add", logit, part)
    together = _together(g, model, model.joint, score, present) if model.joint is not None else None
    if together:
        logit = g.op("Add", logit, together)
    _outputs(g, model, present, ([base, *contributions], together), logit)
    g.finish(z, "z")
    helper, double = onnx.helper, onnx.TensorProto.DOUBLE
    others = len(model.classes) - 1
    inputs, bins = model.adaptive.population.shape
    widths = {
        "x": [len(model.features)], "quality": [len(model.modalities)], "rest_mean": [len(model.features)],
        "rest_seconds": [len(model.features)], "seen": [inputs, bins], "previous": [others],
        "last": [others + 1], "slope": [others], "offset": [others], "temperature": [1], "decay": [1],
        "lead": [1], "before": [others],
        "probability": [others + 1], "logit": [others], "smoothed": [others],
        "contribution": [len(model.modalities) + 2, others], "plausible": [others + 1], "abstain": [1],
        "z": [inputs],
    }
    if model.joint is not None:
        steps, m, width = model.joint.network.steps, len(model.modalities), model.joint.network.width
        widths |= {"tokens": [steps, m, width], "gates": [steps, m], "token": [m, width], "gate": [m], "imagined": [m]}
    values = {
        n: helper.make_tensor_value_info(n, double, ["windows" if n in COMMON else "n", *w]) for n, w in widths.items()
    }
    names = [[f.name for f in fields(kind) if model.joint is not None or f.name not in JOINT] for kind in (Inputs, Outputs)]
    graph = helper.make_graph(
        g.nodes, f"feltsense_{model.target}", [values[n] for n in names[0]], [values[n] for n in names[1]], g.constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="feltsense")
    onnx.checker.check_model(proto)
    data: bytes = proto.SerializeToString(deterministic=True)
    return data


def _transformed(g: _Builder, n: Normaliser, x: str) -> str:
    logged = ~np.isnan(n.offset)
    nan, one, zero = g.number(np.nan), g.number(1.0), g.number(0.0)
    usable = g.op("Less", g.op("Abs", x), g.number(LARGEST))
    finite = g.op("Where", usable, x, nan)
    mask = g.constant(logged)
    floored = g.op("Where", g.op("Less", finite, zero), zero, finite)
    shifted = g.op("Add", floored, g.constant(np.where(logged, n.offset, 1.0)))
    moved = g.op("Where", mask, g.op("Log", g.op("Where", mask, shifted, one)), finite)
    moved = g.op("Where", g.op("Less", g.op("Abs", moved), g.number(LARGEST)), moved, nan)
    single = n.right < 0
    left = g.op("Gather", moved, g.constant(n.left), axis=1)
    right = g.op("Gather", moved, g.constant(np.where(single, n.left, n.right)), axis=1)
    return g.op("Sub", left, g.op("Where", g.constant(single), zero, right))


def _normalised(g: _Builder, n: Normaliser) -> str:
    zero = g.number(0.0)
    rest = _transformed(g, n, "rest_mean")
    unknown = g.op("IsNaN", rest)
    right = np.where(n.right < 0, n.left, n.right)
    pairs = [g.op("Gather", "rest_seconds", g.constant(c), axis=1) for c in (n.left, right)]
    seconds = g.op("Where", unknown, zero, g.op("Max", g.op("Min", *pairs), zero))
    kappa = g.number(n.kappa)
    known = g.op("Mul", seconds, g.op("Where", unknown, zero, rest))
    weighted = g.op("Add", known, g.op("Mul", kappa, g.constant(n.population)))
    total = g.op("Add", seconds, kappa)
    baseline = g.op("Div", weighted, total)
    unsure = g.op("Div", g.constant(n.between * n.kappa), total)
    spread = g.op("Sqrt", g.op("Add", g.constant(n.within * n.within), g.op("Mul", unsure, unsure)))
    z = g.op("Div", g.op("Sub", _transformed(g, n, "x"), baseline), spread)
    clipped = g.op("Clip", g.op("Where", g.op("IsNaN", z), zero, z), g.number(-CLIP), g.number(CLIP))
    grid = g.number(GRID)
    clipped = g.op("Add", g.op("Div", g.op("Round", g.op("Mul", clipped, grid)), grid), zero)
    # Clip of NaN is not the same in every runtime: put the missing ones back explicitly.
    return g.op("Where", g.op("IsNaN", z), g.number(np.nan), clipped)


def _standing(g: _Builder, a: Adaptive, z: str) -> str:
    axis, zero, one = g.constant(np.array([2])), g.number(0.0), g.number(1.0)
    missing = g.op("IsNaN", z)
    value = g.op("Unsqueeze", g.op("Where", missing, zero, z), axis)
    away = g.op("Sub", value, g.constant(a.edges[:, :-1]))
    share = g.op("Clip", g.op("Div", away, g.constant(np.diff(a.edges, axis=1))), zero, one)
    mass = g.op("Add", "seen", g.constant(a.kappa * a.population))
    below = g.op("ReduceSum", g.op("Mul", share, mass), axis, keepdims=0)
    below = g.op("Add", below, g.number(a.floor))
    total = g.op("Add", g.op("ReduceSum", "seen", axis, keepdims=0), g.number(a.kappa + 2.0 * a.floor))
    odds = g.op("Div", below, g.op("Sub", total, below))
    grid = g.number(GRID)
    score = g.op("Mul", g.op("Log", odds), g.number(SCORE))
    score = g.op("Add", g.op("Div", g.op("Round", g.op("Mul", score, grid)), grid), zero)
    return g.op("Where", missing, g.number(np.nan), score)


def _present(g: _Builder, model: Model, finite: str) -> str:
    enough = g.op("Not", g.op("Less", finite, g.constant(model.fusion.need)))
    # NaN compares false, so a quality that is not a number is not present.
    good = g.op("GreaterOrEqual", "quality", g.number(model.fusion.min_quality))
    return g.op("And", enough, good)


def _fade(g: _Builder, model: Model, present: str) -> str:
    quality = g.op("Where", present, "quality", g.number(0.0))
    return g.op("Min", g.op("Div", quality, g.number(model.fusion.full_quality)), g.number(1.0))


def _together(g: _Builder, model: Model, joint: Joint, score: str, present: str) -> str:
    """Contribution of the joint part."""
    gate = _fade(g, model, present)
    margins, token, imagined = emit_joint(g, joint.network, score, gate)
    count = g.op("ReduceSum", g.double(present), g.constant(np.array([1])), keepdims=1)
    others = g.op("Max", g.op("Sub", count, g.number(1.0)), g.number(0.0))
    shrink = g.op("Div", others, g.number(max(len(model.modalities) - 1, 1)))
    for name, value in (("token", token), ("gate", gate), ("imagined", imagined)):
        g.finish(value, name)
    return g.op("Mul", g.number(joint.weight), g.op("Mul", shrink, margins))


def _contributions(g: _Builder, model: Model, z: str, present: str) -> list[str]:
    f, zero, one = model.fusion, g.number(0.0), g.number(1.0)
    fade = _fade(g, model, present)
    share = zero
    for m, part in enumerate(f.share):
        share = g.op("Add", share, g.op("Where", g.column(present, m), g.number(part), zero))
    bounded = g.op("Min", g.op("Max", share, g.number(LEAST_SHARE)), one)
    gain = g.op("Mul", fade, g.op("Pow", bounded, g.number(-f.rescale)))
    none = np.zeros((1, len(model.classes) - 1))
    parts = [g.constant(none)] * len(model.modalities)
    for i, member in enumerate(model.members):
        m = int(f.member[i])
        margins = member.expert.emit(g, g.op("Gather", z, g.constant(member.columns), axis=1))
        weighted = g.op("Mul", g.column(gain, m), g.op("Mul", g.number(f.weight[i]), margins))
        parts[m] = g.op("Add", parts[m], weighted)
    return parts


def _outputs(
    g: _Builder, model: Model, present: str, said: tuple[list[str], str | None], logit: str
) -> None:
    """Smooth, decide, and name the outputs."""
    parts, together = said
    axis = g.constant(np.array([1]))
    anyone = g.op("Greater", g.op("ReduceSum", g.double(present), axis, keepdims=1), g.number(0.0))
    fresh = g.op("IsNaN", "previous")
    kept = g.op("Add", g.op("Mul", "decay", "previous"), g.op("Mul", "lead", "before"))
    new = g.op("Sub", g.op("Sub", g.number(1.0), "decay"), "lead")
    mixed = g.op("Add", kept, g.op("Mul", new, logit))
    now = g.op("Where", fresh, logit, mixed)
    nothing = g.op("Mul", "decay", g.number(0.0))
    last = [g.op("Gather", "last", g.constant(c), axis=1) for c in (np.arange(1, len(model.classes)), np.array([0]))]
    personal = g.op("Div", g.op("Add", g.op("Mul", "slope", now), "offset"), "temperature")
    settled = g.op("Add", personal, g.op("Mul", g.number(model.hold), g.op("Sub", *last)))
    probability = g.op("Softmax", g.op("Concat", nothing, settled, axis=1), axis=1)
    top = g.op("GreaterOrEqual", probability, g.op("ReduceMax", probability, axes=[1], keepdims=1))
    likely = g.op("GreaterOrEqual", probability, g.number(model.plausible))
    plausible = g.op("Or", g.op("Or", top, likely), g.op("Not", anyone))
    # Abs: a column of zeros without minus signs.
    blank = g.op("Abs", g.op("Mul", logit, g.number(0.0)))
    stacked = [g.op("Unsqueeze", g.op("Add", p, blank), axis) for p in (*parts, together or blank)]
    results = {
        "probability": probability,
        "logit": logit,
        "smoothed": g.op("Where", anyone, now, "previous"),
        "contribution": g.op("Concat", *stacked, axis=1),
        "plausible": g.double(plausible),
        "abstain": g.op("Sub", g.number(1.0), g.double(anyone)),
    }
    for name, value in results.items():
        g.finish(value, name)
