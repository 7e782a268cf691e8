"""A person's answers as arrays and back, so that an interrupted evaluation goes on from them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.evaluate.arms import Arm, Fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["folds_from", "folds_parts"]

_ARM = tuple(f.name for f in fields(Arm))


def folds_parts(folds: Sequence[Fold]) -> dict[str, NDArray[Any]]:
    """The folds of one split as arrays."""
    parts: dict[str, NDArray[Any]] = {}
    meta = []
    for i, fold in enumerate(folds):
        named = {**{f"arm/{n}": a for n, a in fold.arms.items()},
                 **{f"curve/{n}/{k}": a for n, c in fold.curves.items() for k, a in enumerate(c)}}  # fmt: skip
        for name, arm in named.items():
            parts |= {f"{i}/{name}/{column}": getattr(arm, column) for column in _ARM}
        parts[f"{i}/time_leak"] = fold.time_leak
        if fold.votes is not None:
            parts[f"{i}/votes"] = fold.votes
        meta.append({
            "subject": fold.subject, "unanswered": fold.unanswered, "windows": fold.windows, "about": dict(fold.about),
            "unlabelled": fold.unlabelled, "chosen": dict(fold.chosen),
            "arms": list(fold.arms), "curves": {n: len(c) for n, c in fold.curves.items()},
        })  # fmt: skip
    return {**parts, "meta": np.array(json.dumps(meta))}


def folds_from(parts: Mapping[str, NDArray[Any]]) -> list[Fold]:
    """Inverse of :func:`folds_parts`."""

    def arm(name: str) -> Arm:
        return Arm(*(parts[f"{name}/{column}"] for column in _ARM))

    return [
        Fold(
            m["subject"], {n: arm(f"{i}/arm/{n}") for n in m["arms"]},
            {n: [arm(f"{i}/curve/{n}/{k}") for k in range(c)] for n, c in m["curves"].items()},
            parts[f"{i}/time_leak"], m["unanswered"], m["windows"], m["about"], parts.get(f"{i}/votes"), m["unlabelled"],
            m["chosen"],
        )
        for i, m in enumerate(json.loads(str(parts["meta"])))
    ]  # fmt: skip
