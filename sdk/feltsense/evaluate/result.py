"""Folds → everything that a report says, as plain JSON values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.evaluate import metrics
from feltsense.evaluate.arms import Arm
from feltsense.evaluate.bootstrap import BOOTSTRAPS
from feltsense.evaluate.compare import pairs
from feltsense.evaluate.nulls import shift_null
from feltsense.evaluate.protocol import PIECE_S, SHUFFLES, Plan
from feltsense.evaluate.raters import agreement
from feltsense.evaluate.reliability import calibration, risk_coverage
from feltsense.evaluate.robustness import missing
from feltsense.evaluate.steps import families, steps
from feltsense.evaluate.suspicions import suspicions
from feltsense.train.examples import HOP_S, REST_S
from feltsense.train.labels import PURITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feltsense.evaluate.arms import Fold
    from feltsense.train.targets import Target

__all__ = ["compared", "plain", "result"]

PER_PERSON = ("balanced_accuracy", "auroc", "macro_f1", "accuracy")
DIGITS = 6
NULLS = ("shuffled_labels", "shifted_labels")
_NO_MATCH = ("order_randomised", "time_only_order_randomised", "calm_only")
"""Arms whose clock is not the session's own."""


def compared(arms: Mapping[str, Arm]) -> tuple[str, ...]:
    """Arms that are compared in pairs: models, not controls that must fail."""
    named = ("rest", "raw", "rest_model_without_profile", "late_fusion")
    return (*named, *sorted(n for n in arms if n.endswith("_alone")), "motion_only", "time_only")


def result(
    done: Sequence[Fold], target: Target, training: Mapping[str, Any], *, split: str = "leave one person out",
    plan: Plan | None = None,
) -> dict[str, Any]:
    """All figures of an evaluation.

    Parameters
    ----------
    done : sequence of Fold
        One a person.
    target : Target
        What was estimated.
    training : mapping
        Where the data come from.
    split : str
        How it was split, in words.
    plan : Plan, optional
        How it was run.
    """
    plan = plan or Plan()
    decided = target.classes.index(target.decision)
    names = dict.fromkeys(n for f in done for n in f.arms)
    joined = {n: Arm.joined([f.arms[n] for f in done if n in f.arms]) for n in names}
    figures = _figures(joined, target, decided)
    controls = _controls(done, joined, figures, plan)
    rest = joined["rest"]
    quiet = joined.pop("calm_only", None)
    calm = _calm(quiet, decided) if quiet is not None and target.rest is not None else None
    body = {
        "target": target.name,
        "classes": list(target.classes),
        "decision": target.decision,
        "data": dict(training),
        "protocol": {
            "split": split,
            "window_s": target.window_s, "hop_s": HOP_S, "purity": PURITY, "rest_s": REST_S,
            "embargo_s": target.window_s, "smoothing_half_lives_s": list(target.half_lives),
            "order_randomised_piece_s": PIECE_S, "order_randomised_timelines": SHUFFLES,
            "bootstraps": BOOTSTRAPS, "seed": plan.seed, "draws": plan.draws,
        },
        "figures": figures,
        "controls": controls,
        "suspicions": suspicions(figures, controls),
        "undefined": metrics.undefined(rest.truth, rest.said, target.classes),
        "gains": _gains(joined, plan.seed),
        "steps": steps(joined, plan.seed),
        "families": families(joined, plan.seed),
        "chosen": _chosen(done),
        "comparisons": pairs(joined, compared(joined), plan.seed),
        "calibration": calibration(rest, decided, plan.seed),
        "risk_coverage": risk_coverage(rest),
        "calm_only": calm,
        "missing": _missing(done),
        "raters": _raters(done),
        "groups": _groups(done, decided),
        "people": [_person(f, decided) for f in done],
        "worst": _worst(done, decided),
        "metrics": {n: {"formula": f, "source": s} for n, (f, s) in metrics.FORMULAS.items()},
    }  # fmt: skip
    out: dict[str, Any] = plain(body)
    return out


def _figures(joined: Mapping[str, Arm], target: Target, decided: int) -> dict[str, Any]:
    figures = {
        name: arm.figures(decided, interval=name not in _NO_MATCH, matched=name not in _NO_MATCH)
        for name, arm in joined.items()
        if name != "calm_only" and not name.startswith(NULLS)
    }
    for name in ("order_randomised", "time_only_order_randomised"):
        if name in figures:
            figures[name]["windows"] //= SHUFFLES
    rest = joined["rest"]
    common = int(np.bincount(rest.truth, minlength=1).argmax())
    said = np.eye(len(target.classes))[np.full(len(rest.truth), common)]
    figures["majority"] = Arm(rest.subject, rest.start_unix, rest.time_s, rest.truth, said).figures(decided, interval=False)
    return figures


def _controls(done: Sequence[Fold], joined: Mapping[str, Arm], figures: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in NULLS:
        drawn = [metrics.balanced_accuracy(a.truth, a.said) for n, a in joined.items() if n.startswith(name)]
        if drawn:
            spread = {"mean": float(np.mean(drawn)), "sd": float(np.std(drawn)), "max": max(drawn)}
            out[name] = {"balanced_accuracy": drawn, **spread}
    null = shift_null(joined["rest"], plan.seed)
    true = figures["rest"]["balanced_accuracy"]
    out["shifted_against_answers"] = {
        "turns": len(null), "mean": float(null.mean()), "sd": float(null.std()), "max": float(null.max()),
        "p": float((1 + (null >= true).sum()) / (1 + len(null))),
    }  # fmt: skip
    told = np.concatenate([f.time_leak for f in done])
    all_of_it = float(((told[:, 0] - told[:, 0].mean()) ** 2).sum()) if len(told) else 0.0
    left = float(((told[:, 0] - told[:, 1]) ** 2).sum())
    out["time_leak_r2"] = 1.0 - left / all_of_it if all_of_it > 0 else None
    return out


def _gains(joined: Mapping[str, Arm], seed: int) -> dict[str, Any]:
    """How much calibration adds in balanced accuracy."""
    return {
        f"rest_over_{p['second']}": p
        for p in pairs(joined, ("rest", "raw", "rest_model_without_profile"), seed)
        if p["first"] == "rest"
    }


def _chosen(done: Sequence[Fold]) -> dict[str, dict[str, int]]:
    """How often the folds chose each value of each constant."""
    out: dict[str, dict[str, int]] = {}
    for fold in done:
        for name, value in fold.chosen.items():
            counts = out.setdefault(name, {})
            counts[str(value)] = counts.get(str(value), 0) + 1
    return {n: dict(sorted(c.items(), key=lambda v: (-v[1], v[0]))) for n, c in sorted(out.items())}


def _calm(arm: Arm, decided: int) -> dict[str, Any]:
    """False alarms where nothing happened: pooled, person by person, an hour."""
    wrong = arm.said == decided
    people = {s: float(wrong[arm.subject == s].mean()) for s in dict.fromkeys(arm.subject.tolist())}
    worst = max(people, key=lambda s: people[s]) if people else None
    return {
        "windows": len(wrong), "false_positives": float(wrong.mean()) if len(wrong) else None, "people": people,
        "worst": worst, "worst_false_positives": people[worst] if worst else None,
    }  # fmt: skip


def _missing(done: Sequence[Fold]) -> dict[str, Any] | None:
    curves = {
        name: [Arm.joined([f.curves[name][k] for f in done]) for k in range(len(done[0].curves[name]))]
        for name in ("model", "late_fusion")
        if all(name in f.curves for f in done)
    }
    return missing(curves["model"], curves.get("late_fusion")) if "model" in curves else None


def _raters(done: Sequence[Fold]) -> dict[str, Any] | None:
    """Agreement over everybody whose windows had more than one opinion."""
    voted = [f for f in done if f.votes is not None]
    if not voted:
        return None
    votes = np.concatenate([f.votes for f in voted if f.votes is not None])
    return agreement(votes, np.nan_to_num(votes).argmax(axis=1).astype(np.int64))


def _groups(done: Sequence[Fold], decided: int) -> dict[str, Any]:
    """Figures of each group that is known: device, sex, age."""
    out: dict[str, Any] = {}
    for kind in sorted({k for f in done for k in f.about}):
        for value in sorted({f.about[kind] for f in done if kind in f.about}):
            members = [f for f in done if f.about.get(kind) == value]
            figures = Arm.joined([f.arms["rest"] for f in members]).figures(decided, interval=False, matched=False)
            out.setdefault(kind, {})[value] = {"people": len(members), **figures}
    return out


def _person(fold: Fold, decided: int) -> dict[str, Any]:
    rest = fold.arms["rest"]
    figures = rest.figures(decided, interval=False, matched=False)
    return {
        "subject": fold.subject, "windows": fold.windows, "unanswered": fold.unanswered,
        "unlabelled": fold.unlabelled, "about": dict(fold.about),
        **{n: figures[n] for n in PER_PERSON},
        "share": float((rest.truth == decided).mean()) if len(rest.truth) else None,
    }


def _worst(done: Sequence[Fold], decided: int) -> dict[str, Any]:
    """The worst person, and the tenth of the people who fare worst."""
    each = [(f.subject, metrics.balanced_accuracy(f.arms["rest"].truth, f.arms["rest"].said)) for f in done]
    both = [(s, v) for s, v in each if math.isfinite(v)]
    if not both:
        return {"subject": None, "balanced_accuracy": None, "worst_tenth": None, "median": None}
    subject, value = min(both, key=lambda p: (p[1], p[0]))
    values = np.sort([v for _, v in both])
    tenth = values[: max(1, math.ceil(len(values) / 10))]
    return {
        "subject": subject, "balanced_accuracy": value, "worst_tenth": float(tenth.mean()),
        "median": float(np.median(values)),
    }


def plain(value: Any) -> Any:
    """JSON values: rounded, NaN as null."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float | np.floating):
        return round(float(value), DIGITS) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
