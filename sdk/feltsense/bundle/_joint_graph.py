"""The joint part of a model as nodes of its graph: crossmodal/attention.py, line by line, in double."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.crossmodal._layers import FAR, TINY, VARIANCE_FLOOR
from feltsense.crossmodal.attention import HEADS, TRUST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.crossmodal.attention import Attention
    from feltsense.experts import Emitter

__all__ = ["emit"]


class _Network:
    """Layers of the network as nodes."""

    def __init__(self, graph: Emitter, network: Attention) -> None:
        self.g, self.w = graph, network.weights

    def const(self, *values: float) -> str:
        return self.g.constant(np.array(values[0] if len(values) == 1 else values, np.float64))

    def shape(self, *sizes: int) -> str:
        return self.g.constant(np.array(sizes, np.int64))

    def linear(self, x: str, matrix: str, bias: str = "") -> str:
        out = self.g.op("MatMul", x, self.g.constant(self.w[matrix]))
        return self.g.op("Add", out, self.g.constant(self.w[bias])) if bias else out

    def norm(self, x: str, name: str) -> str:
        g = self.g
        away = g.op("Sub", x, g.op("ReduceMean", x, axes=[-1], keepdims=1))
        variance = g.op("ReduceMean", g.op("Mul", away, away), axes=[-1], keepdims=1)
        scaled = g.op("Div", away, g.op("Sqrt", g.op("Add", variance, self.const(VARIANCE_FLOOR))))
        scaled = g.op("Mul", scaled, g.constant(self.w[name][0]))
        return g.op("Add", scaled, g.constant(self.w[name][1]))

    def rectified(self, x: str) -> str:
        return self.g.op("Max", x, self.const(0.0))

    def sum(self, x: str, axis: int, *, keep: int = 0) -> str:
        return self.g.op("ReduceSum", x, self.shape(axis), keepdims=keep)

    def bias(self, gate: str) -> str:
        """Logarithm of a gate, FAR where it is 0."""
        there = self.g.op("Greater", gate, self.const(0.0))
        return self.g.op("Where", there, self.g.op("Log", self.g.op("Where", there, gate, self.const(1.0))), self.const(FAR))

    def split(self, x: str) -> str:
        """(n, length, width) → (n, heads, length, width / heads)."""
        width = self.w["query"].shape[0]
        return self.g.op("Transpose", self.g.op("Reshape", x, self.shape(0, -1, HEADS, width // HEADS)), perm=[0, 2, 1, 3])

    def attend(self, queries: str, keys: str, bias: str) -> str:
        g, width = self.g, self.w["query"].shape[0]
        pairs = ((queries, "query"), (keys, "key"), (keys, "value"))
        q, k, v = (self.split(self.linear(x, name)) for x, name in pairs)
        score = g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2]))
        score = g.op("Div", score, self.const(np.sqrt(width / HEADS)))
        lifted = g.op("Unsqueeze", bias, self.shape(1, 2))
        score = g.op("Add", score, lifted)
        e = g.op("Exp", g.op("Sub", score, g.op("ReduceMax", score, axes=[-1], keepdims=1)))
        e = g.op("Mul", e, g.op("Cast", g.op("Greater", lifted, self.const(FAR)), to="double"))
        looked = g.op("Div", e, g.op("Add", self.sum(e, -1, keep=1), self.const(TINY)))
        mixed = g.op("Transpose", g.op("MatMul", looked, v), perm=[0, 2, 1, 3])
        return self.linear(g.op("Reshape", mixed, self.shape(0, -1, width)), "out")

    def imagine(self, token: str, gate: str) -> str:
        g = self.g
        lifted = g.op("Unsqueeze", gate, self.shape(2))
        mean = self.sum(g.op("Mul", lifted, token), 1)
        mean = g.op("Div", mean, g.op("Add", self.sum(gate, 1, keep=1), self.const(TINY)))
        hidden = self.rectified(self.linear(mean, "imagine_inner", "imagine_inner_bias"))
        # (n, 1, 1, hidden) x (modalities, hidden, width) → (n, modalities, 1, width)
        many = self.linear(g.op("Unsqueeze", hidden, self.shape(1, 2)), "imagine_outer")
        return g.op("Add", g.op("Squeeze", many, self.shape(2)), g.constant(self.w["imagine_bias"]))

    def pooled(self, h: str, gate: str, how: str) -> str:
        g, length = self.g, len(self.w["modality"]) + 1
        if how == "cls":
            return g.op("Squeeze", g.op("Slice", h, self.shape(0), self.shape(1), self.shape(1)), self.shape(1))
        mine = g.op("Slice", h, self.shape(1), self.shape(length), self.shape(1))
        lifted = g.op("Unsqueeze", gate, self.shape(2))
        if how == "mean":
            total = g.op("Add", self.sum(gate, 1, keep=1), self.const(TINY))
            return g.op("Div", self.sum(g.op("Mul", lifted, mine), 1), total)
        there = g.op("Greater", lifted, self.const(0.0))
        kind, far = ("ReduceMax", FAR) if how == "max" else ("ReduceMin", -FAR)
        best = g.op(kind, g.op("Where", there, mine, self.const(far)), axes=[1], keepdims=0)
        some = g.op("Greater", self.sum(gate, 1, keep=1), self.const(0.0))
        return g.op("Where", some, best, self.const(0.0))


def emit(graph: Emitter, network: Attention, score: str, gate: str) -> tuple[str, str, str]:
    """Add the network; names of its margins (unscaled), tokens of this window, and who was imagined (0 or 1).

    Parameters
    ----------
    graph : Emitter
        Has the inputs ``tokens`` and ``gates``.
    network : Attention
        The network.
    score, gate : str
        Standings (n, inputs), NaN where missing, and gates (n, modalities).
    """
    g, net, w = graph, _Network(graph, network), network.weights
    clean = g.op("Where", g.op("IsNaN", score), net.const(0.0), score)
    token = _tokens(net, clean, network.owner)
    some = g.op("Greater", net.sum(gate, 1, keep=1), net.const(0.0))
    now, open_ = token, gate
    imagined = g.op("Mul", gate, net.const(0.0))
    if network.imagines.any():
        missing = g.op("And", g.op("Not", g.op("Greater", gate, net.const(0.0))), g.constant(network.imagines[None]))
        flag = g.op("And", missing, some)
        now = g.op("Where", g.op("Unsqueeze", flag, net.shape(2)), net.imagine(token, gate), token)
        open_ = g.op("Where", flag, net.const(TRUST), gate)
        imagined = g.op("Cast", flag, to="double")
    modalities, width = w["modality"].shape
    aged = g.op("Add", g.op("Mul", g.op("Unsqueeze", open_, net.shape(2)), now), g.constant(w["age"][0]))
    cls = g.op("Add", g.op("Slice", g.op("Mul", aged, net.const(0.0)), net.shape(0), net.shape(1), net.shape(1)),
               g.constant(w["cls"]))
    queries = g.op("Concat", cls, aged, axis=1)
    before = g.op("Mul", g.op("Unsqueeze", "gates", net.shape(3)), "tokens")
    before = g.op("Add", before, g.constant(w["age"][1:][:, None, :]))
    flat = net.shape(0, network.steps * modalities, width)
    sequence = g.op("Concat", queries, g.op("Reshape", before, flat), axis=1)
    past = g.op("Reshape", "gates", net.shape(0, network.steps * modalities))
    nobody = g.op("Mul", g.op("Slice", open_, net.shape(0), net.shape(1), net.shape(1)), net.const(0.0))
    bias = g.op("Concat", nobody, net.bias(open_), net.bias(past), axis=1)
    known = net.norm(sequence, "norm_in")
    asked = g.op("Slice", known, net.shape(0), net.shape(1 + modalities), net.shape(1))
    h = g.op("Add", queries, net.attend(asked, known, bias))
    hidden = net.rectified(net.linear(net.norm(h, "norm_mid"), "inner", "inner_bias"))
    h = g.op("Add", h, net.linear(hidden, "outer", "outer_bias"))
    margins = net.linear(net.norm(net.pooled(h, open_, network.aggregate), "norm_out"), "head", "head_bias")
    return g.op("Where", some, margins, net.const(0.0)), token, imagined


def _tokens(net: _Network, clean: str, owner: NDArray[np.int64]) -> str:
    g, w = net.g, net.w
    parts = []
    for m in range(len(w["modality"])):
        columns = np.flatnonzero(owner == m)
        x = g.op("Gather", clean, g.constant(columns), axis=1)
        part = g.op("Add", g.op("MatMul", x, g.constant(w["embed"][columns])), g.constant(w["modality"][m]))
        parts.append(g.op("Unsqueeze", part, net.shape(1)))
    return g.op("Concat", *parts, axis=1)
