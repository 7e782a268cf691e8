"""Gradient-boosted trees (fitted by LightGBM), evaluated exactly as LightGBM does for float32 inputs.

Rules
-----
- Inputs are rounded to float32, in training as in use; a threshold t becomes the largest float32 ≤ t, so that
  x ≤ t decides the same for every float32 x. (Rounding to nearest flips labels where spread is small against
  the offset.)
- A missing input goes where LightGBM sends it: with missing type None it is read as 0, with NaN to the default side.
- What cannot be carried over exactly is refused: categorical splits, zero as missing, linear leaves.
- A leaf is its own child, so that all trees walk the same number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from feltsense.errors import ModelDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.experts import Emitter

__all__ = ["EXPERT", "Trees", "floor32"]

_MOST = float(np.finfo(np.float32).max)
_NODE_ATTRIBUTES = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")


def floor32(value: float) -> np.float32:
    """The largest float32 that is not above `value`."""
    # LightGBM writes 1e300 where only missing values go right: beyond the largest float32 stands that float32.
    inside = float(np.clip(value, -_MOST, _MOST))
    near = np.float32(inside)
    return np.nextafter(near, np.float32(-np.inf)) if float(near) > inside else near


@dataclass(slots=True)
class _Flat:
    """Trees being flattened."""

    feature: list[int] = field(default_factory=list)
    threshold: list[np.float32] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    value: list[np.float32] = field(default_factory=list)
    deepest: int = 0

    def add(self, node: Mapping[str, Any], depth: int = 0) -> int:
        here = len(self.feature)
        self.deepest = max(self.deepest, depth)
        self.feature.append(0)
        self.threshold.append(np.float32(0))
        self.value.append(np.float32(0))
        self.left.append(here)
        self.right.append(here)
        self.missing_left.append(True)
        if "split_feature" not in node:
            if "leaf_coeff" in node:
                msg = "trees with linear leaves cannot be exported exactly: train with linear_tree=false"
                raise ModelDataError(msg)
            self.value[here] = np.float32(node["leaf_value"])
            return here
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            msg = "categorical splits and zero_as_missing cannot be exported exactly: train without them"
            raise ModelDataError(msg)
        threshold = float(node["threshold"])
        self.feature[here] = int(node["split_feature"])
        self.threshold[here] = floor32(threshold)
        self.missing_left[here] = threshold >= 0.0 if node["missing_type"] == "None" else bool(node["default_left"])
        self.left[here] = self.add(node["left_child"], depth + 1)
        self.right[here] = self.add(node["right_child"], depth + 1)
        return here


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Fitted trees, flattened.

    Attributes
    ----------
    feature, left, right : ndarray of int32, shape (nodes,)
        Input that a node asks for, and its children; a leaf is its own child.
    threshold : ndarray of float32, shape (nodes,)
        Left where the input is at or below.
    missing_left : ndarray of bool, shape (nodes,)
        Where a missing input goes.
    value : ndarray of float32, shape (nodes,)
        A leaf's addend.
    roots, target : ndarray of int32, shape (trees,)
        First node of each tree, and the output that it adds to.
    shape : ndarray of int32, shape (2,)
        Longest way from a root to a leaf; number of outputs (1, or the number of classes).
    """

    kind: ClassVar[str] = "trees"
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]
    target: NDArray[np.int32]
    shape: NDArray[np.int32]

    @classmethod
    def from_booster(cls, booster: Any, rounds: int | None = None) -> Self:
        """Flatten a LightGBM booster.

        Parameters
        ----------
        booster : lightgbm.Booster
            Fitted with objective binary or multiclass.
        rounds : int, optional
            Use only the first so many boosting rounds.

        Raises
        ------
        ModelDataError
            If it holds something that cannot be evaluated exactly.
        """
        dump = booster.dump_model(num_iteration=rounds if rounds is not None else -1)
        if not str(dump["objective"]).startswith(("binary", "multiclass ")) or dump.get("average_output"):
            msg = f"objective {dump['objective']!r} cannot be exported exactly: use binary or multiclass boosting"
            raise ModelDataError(msg)
        outputs = int(dump["num_tree_per_iteration"])
        flat = _Flat()
        roots = [flat.add(tree["tree_structure"]) for tree in dump["tree_info"]]
        return cls(
            np.array(flat.feature, np.int32), np.array(flat.threshold, np.float32), np.array(flat.left, np.int32),
            np.array(flat.right, np.int32), np.array(flat.missing_left, np.bool_), np.array(flat.value, np.float32),
            np.array(roots, np.int32), np.arange(len(roots), dtype=np.int32) % outputs,
            np.array([flat.deepest, outputs], np.int32),
        )

    def margins(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Margins (n, classes − 1)."""
        depth, outputs = (int(v) for v in self.shape)
        x = z.astype(np.float32)
        rows = np.arange(len(x))[:, None]
        node = np.broadcast_to(self.roots, (len(x), len(self.roots)))
        for _ in range(depth):
            asked = x[rows, self.feature[node]]
            left = (asked <= self.threshold[node]) | (np.isnan(asked) & self.missing_left[node])
            node = np.where(left, self.left[node], self.right[node])
        leaves = self.value[node].astype(np.float64)
        raw = np.stack([leaves[:, self.target == k].sum(axis=1) for k in range(outputs)], axis=1)
        return raw if outputs == 1 else raw[:, 1:] - raw[:, :1]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything it is."""
        return {name: getattr(self, name) for name in (f.name for f in fields(self))}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Inverse of :meth:`arrays`."""
        return cls(*(np.asarray(arrays[name]) for name in (f.name for f in fields(cls))))

    def emit(self, graph: Emitter, z: str) -> str:
        """One TreeEnsembleRegressor on float32, its sums cast back to double."""
        outputs = int(self.shape[1])
        out = graph.ml("TreeEnsembleRegressor", graph.op("Cast", z, to="float"), **self._attributes(outputs))
        out = graph.op("Cast", out, to="double")
        if outputs == 1:
            return out
        first = graph.op("Gather", out, graph.constant(np.array([0])), axis=1)
        others = graph.op("Gather", out, graph.constant(np.arange(1, outputs)), axis=1)
        return graph.op("Sub", others, first)

    def _attributes(self, outputs: int) -> dict[str, object]:
        ends = np.append(self.roots[1:], len(self.feature))
        sizes = ends - self.roots
        tree = np.repeat(np.arange(len(self.roots)), sizes)
        within = np.arange(len(self.feature)) - np.repeat(self.roots, sizes)
        first = np.repeat(self.roots, sizes)
        leaf = self.left == np.arange(len(self.left))
        columns: tuple[NDArray[Any], ...] = (
            tree, within, self.feature, self.threshold, np.where(leaf, "LEAF", "BRANCH_LEQ"),
            np.where(leaf, 0, self.left - first), np.where(leaf, 0, self.right - first),
        )
        attributes: dict[str, object] = {f"nodes_{n}": c.tolist() for n, c in zip(_NODE_ATTRIBUTES, columns, strict=True)}
        attributes["nodes_missing_value_tracks_true"] = self.missing_left.astype(int).tolist()
        attributes["target_treeids"] = tree[leaf].tolist()
        attributes["target_nodeids"] = within[leaf].tolist()
        attributes["target_ids"] = self.target[tree[leaf]].tolist()
        attributes["target_weights"] = self.value[leaf].tolist()
        return attributes | {"n_targets": outputs, "aggregate_function": "SUM", "post_transform": "NONE"}


EXPERT = Trees
