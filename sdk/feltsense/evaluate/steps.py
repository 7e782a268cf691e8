"""What each step of the model is worth, and each family of experts: fitted without it, on the same splits.

Each step is a whole fit with its own choices, its own calibration and its own bound on calm people's false alarms, so a
difference is that of two models as they would be used. Differences are paired over people.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from feltsense.core.modality import lengths
from feltsense.evaluate.compare import paired
from feltsense.train.fit import fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from feltsense.bundle.schema import Model
    from feltsense.evaluate.arms import Arm
    from feltsense.train.splits import SubjectSplit
    from feltsense.train.targets import Target

__all__ = ["FAMILY", "STEPS", "families", "steps", "variants"]

NO_MEMORY_S = 1e-3
"""Half-life of a smoothing that forgets everything before the next window."""
STEPS: Final = ("step_raw", "step_rest", "step_adaptive", "step_smoothed", "rest")
"""Nobody known; rest known; the person's own past, too; smoothed; and with further windows, where the model has any. The
last is the model."""
LEAST = 4
"""Of these, without further windows."""
FAMILY: Final = "family_"
KINDS: Final = ("linear", "neural", "trees")


def variants(split: SubjectSplit, target: Target, whole: Model) -> Iterator[tuple[str, Model, bool]]:
    """Models without some of the steps of `whole`, and of one family alone: name, model, whether rest is used."""
    plain = replace(target, further_s=())
    forgetful = replace(plain, half_lives=(NO_MEMORY_S,))
    yield "step_raw", fit(split, forgetful, calibrated=False, adaptive=False).model, False
    yield "step_rest", fit(split, forgetful, adaptive=False).model, True
    yield "step_adaptive", fit(split, forgetful).model, True
    if lengths(split.learn.lines[0].schema.modalities):
        yield "step_smoothed", fit(split, plain).model, True
    for kind in KINDS:
        # A model that chose one family is that family's.
        alone = whole if whole.training["chosen"]["families"] == kind else fit(split, target, families=(kind,)).model
        yield f"{FAMILY}{kind}", alone, True


def steps(arms: Mapping[str, Arm], seed: int) -> list[dict[str, Any]]:
    """Each step over the one before."""
    there = [n for n in STEPS if n in arms]
    if len(there) < LEAST:
        return []
    return [{"first": b, "second": a, **paired(arms[b], arms[a], seed)} for a, b in pairwise(there)]


def families(arms: Mapping[str, Arm], seed: int) -> list[dict[str, Any]]:
    """The model over each family of experts alone."""
    there = sorted(n for n in arms if n.startswith(FAMILY))
    return [{"first": "rest", "second": n, **paired(arms["rest"], arms[n], seed)} for n in there]
