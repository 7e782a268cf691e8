"""Anybody's scikit-learn estimator under the same protocol: cloned and fitted inside each split, judged on new people.

Rules
-----
- The estimator comes unfitted. Whatever in it is fitted already (a scaler, a selector, a frozen model) was fitted
  outside the split, and is refused; so is a function that carries something fitted with it.
- It answers a session as it would have run: what it says about a window must not change when later windows are taken
  away. An estimator that looks ahead (a z-score over the rows it is given) is refused.
- Its inputs are the windows' features and their distances from the person's rest; NaN is missing.
- Beside it stand the guards. A clock that it makes for itself, by counting rows, loses its worth where the order is
  randomised, and the report says so.
"""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.errors import LeakError, ModelDataError
from feltsense.evaluate.apply import rearranged
from feltsense.evaluate.arms import Arm, Fold
from feltsense.evaluate.plain import Clock, Motion, TimeTeller
from feltsense.evaluate.protocol import SHUFFLES
from feltsense.train.examples import HOP_S
from feltsense.train.parallel import ALONE
from feltsense.train.splits import SubjectSplits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from feltsense.train.examples import Line
    from feltsense.train.parallel import Crew
    from feltsense.train.targets import Target

__all__ = ["evaluate_estimator", "inputs"]

PREFIXES = (0.35, 0.6, 0.85)
"""Parts of a session after which the rest is taken away."""
SAME = 1e-9
_DEEP = 12
"""How far into an estimator's parts we look; pipelines of pipelines are four deep."""


def inputs(line: Line) -> NDArray[np.float64]:
    """What an estimator sees of a recording (n, 2 · features): features, and their distances from rest."""
    return np.concatenate([line.x, line.x - line.rest_mean], axis=1)


def evaluate_estimator(
    splits: SubjectSplits, target: Target, estimator: Any, *, crew: Crew = ALONE
) -> Iterator[Fold]:
    """Judge an estimator on people it never saw; :func:`feltsense.evaluate.result.result` makes the report.

    Parameters
    ----------
    splits : SubjectSplits
        Who is learned from and who is judged.
    target : Target
        What is estimated.
    estimator : object
        With ``fit``, ``predict_proba`` and ``get_params``, unfitted.
    crew : Crew
        Who does the work.

    Raises
    ------
    LeakError
        If the data come otherwise, the estimator is fitted in part, or looks ahead.
    """
    if not isinstance(splits, SubjectSplits):
        msg = f"evaluate_estimator() takes data only through SubjectSplits, got {type(splits).__name__}"
        raise LeakError(msg)
    found = _fitted(estimator, type(estimator).__name__, _DEEP, set())
    if found:
        msg = f"{found} is fitted already: whatever it learned came from outside the split; give it unfitted"
        raise LeakError(msg)
    done = crew.map(_judge, (splits, target, estimator), range(len(splits)))
    return (fold for folds in done for fold in folds)


def _judge(given: tuple[SubjectSplits, Target, Any], number: int) -> list[Fold]:
    from sklearn.base import clone

    splits, target, estimator = given
    split, classes = splits[number], len(target.classes)
    x = np.concatenate([inputs(line)[line.scored] for line in split.learn.lines])
    y = np.concatenate([line.y[line.scored] for line in split.learn.lines])
    model = clone(estimator)
    model.fit(x, y)
    if list(model.classes_) != list(range(classes)):
        msg = f"without {split.name} the data have {len(model.classes_)} of {classes} classes: nothing to tell apart"
        raise ModelDataError(msg)

    def say(line: Line) -> NDArray[np.float64]:
        return np.asarray(model.predict_proba(inputs(line)), np.float64)

    clock, motion, teller = Clock.fit(split, classes), Motion.fit(split, classes), TimeTeller.fit(split, inputs)
    out = []
    for subject in split.judge.people:
        mine = split.judge.only((subject,)).lines
        for line in mine:
            _no_looking_ahead(model, line)
        told = np.concatenate([teller(line) for line in mine])
        fold = Fold(subject, time_leak=told, windows=sum(int(line.scored.sum()) for line in mine), about=dict(mine[0].about))
        fold.arms["rest"] = Arm.joined([Arm.of(line, line.scored, say(line)) for line in mine])
        fold.arms["order_randomised"] = _randomised(say, mine)
        fold.arms["time_only"] = Arm.joined([Arm.of(line, line.scored, clock(line)) for line in mine])
        fold.arms["time_only_order_randomised"] = _randomised(clock, mine)
        if motion is not None:
            fold.arms["motion_only"] = Arm.joined([Arm.of(line, line.scored, motion(line)) for line in mine])
        out.append(fold)
    return out


def _randomised(say: Callable[[Line], NDArray[np.float64]], mine: tuple[Line, ...]) -> Arm:
    arms = []
    for line in mine:
        for seed in range(SHUFFLES):
            moved, order = rearranged(line, HOP_S, seed)
            arms.append(Arm.of(moved, line.scored[order], say(moved)))
    return Arm.joined(arms)


def _no_looking_ahead(model: Any, line: Line) -> None:
    x = inputs(line)
    whole = np.asarray(model.predict_proba(x), np.float64)
    for part in PREFIXES:
        n = int(part * len(x))
        if n and not np.allclose(np.asarray(model.predict_proba(x[:n])), whole[:n], rtol=0.0, atol=SAME, equal_nan=True):
            msg = (
                f"{type(model).__name__}: what it says about a window of {line.subject} changes when later windows are "
                "taken away: it looks ahead, as a z-score over the session does; each window must be answered from the past"
            )
            raise LeakError(msg)


def _fitted(value: Any, where: str, deep: int, seen: set[int]) -> str:
    """Where something fitted hides: an attribute that ends in one underscore is scikit-learn's mark of it."""
    if deep == 0 or id(value) in seen or isinstance(value, str | bytes | int | float | bool | type(None) | np.ndarray):
        return ""
    seen.add(id(value))
    inside: list[tuple[str, Any]] = []
    if isinstance(value, FunctionType):
        inside = [(where, c.cell_contents) for c in value.__closure__ or () if _filled(c)]
        inside += [(f"{where} ({n})", value.__globals__[n]) for n in value.__code__.co_names if n in value.__globals__]
    elif isinstance(value, MethodType):
        inside = [(where, value.__self__)]
    elif isinstance(value, dict):
        inside = [(f"{where}[{k!r}]", v) for k, v in value.items()]
    elif isinstance(value, list | tuple | set | frozenset):
        inside = [(f"{where}[{i}]", v) for i, v in enumerate(value)]
    elif hasattr(value, "get_params") or hasattr(value, "fit"):
        own = vars(value) if hasattr(value, "__dict__") else {}
        if any(n.endswith("_") and not n.startswith("_") for n in own):
            return f"{type(value).__name__} in {where}"
        inside = [(f"{where}.{n}", v) for n, v in own.items()]
    elif hasattr(value, "func"):
        inside = [(where, value.func), (where, getattr(value, "args", ())), (where, getattr(value, "keywords", {}))]
    return next((found for name, v in inside if (found := _fitted(v, name, deep - 1, seen))), "")


def _filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True
