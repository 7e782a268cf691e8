"""What runs along with the windows of timelines: the smoothing of logits, and the decision that is held.

Each is a recursion from window to window, and the same for every timeline: so all timelines take their step together.
Row by row it is what :class:`feltsense.session.Session` computes (a test holds the two together) where windows are
:data:`feltsense.fusion.late.APART_S` apart, as those of training and evaluation are; at a finer hop a session runs one such
timeline for each of the windows in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.fusion.late import decay, held, lead, probabilities, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["decided", "smooth"]


def _steps(line: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows of the first, second, … windows of all timelines that have so many, each with the rows before them.

    Longer timelines come first: those that end drop out at the end.
    """
    order = np.argsort(line, kind="stable")
    starts = np.flatnonzero(np.diff(line[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    longest = np.argsort(-sizes, kind="stable")
    starts, sizes = starts[longest], sizes[longest]
    before = np.empty(0, np.int64)
    for t in range(int(sizes[0]) if len(sizes) else 0):
        rows = order[starts[: int((sizes > t).sum())] + t]
        yield rows, before[: len(rows)]
        before = rows


def smooth(
    logit: NDArray[np.float64], present: NDArray[np.bool_], known: NDArray[np.bool_], stop_s: NDArray[np.float64],
    half_life: float, line: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Exponential mean over windows (n, k), as a session does it.

    Nothing present: the memory stays as it was. When the baseline changes, the memory starts anew.

    Parameters
    ----------
    logit : ndarray, shape (n, k)
        Of each window, in order of time within a timeline.
    present, known : ndarray of bool, shape (n,)
        Whether any modality is there, and whether the person's baseline applies.
    stop_s : ndarray, shape (n,)
        When each window ends.
    half_life : float
        Of the memory, in seconds.
    line : ndarray of int64, shape (n,), optional
        Number of each window's timeline, 0 or more; without it there is one.
    """
    out = np.array(logit)
    line = np.zeros(len(out), np.int64) if line is None else line
    memory = np.full(int(line.max(initial=-1)) + 1, -1)
    for rows, before in _steps(line):
        last = memory[line[rows]]
        if len(before):
            last[known[rows] != known[before]] = -1
        some = last >= 0
        new, old = rows[some], last[some]
        left, lately = _shares(stop_s[new] - stop_s[old], half_life)
        mixed = left * out[old] + lately * logit[old] + (1.0 - left - lately) * logit[new]
        out[new] = np.where(present[new, None], mixed, out[old])
        memory[line[rows]] = np.where(present[rows], rows, last)
    return out


def _shares(since: NDArray[np.float64], half_life: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is left of the mean, and the share of the logit before: computed as the session does, one by one."""
    if len(since) and (since == since[0]).all():
        # Nearly always: windows are a hop apart, in every timeline.
        one = float(since[0])
        return np.array([[decay(one, half_life)]]), np.array([[lead(one, half_life)]])
    kinds, which = np.unique(since, return_inverse=True)
    left = np.array([decay(s, half_life) for s in kinds.tolist()])
    lately = np.array([lead(s, half_life) for s in kinds.tolist()])
    return left[which, None], lately[which, None]


def decided(
    smoothed: NDArray[np.float64], present: NDArray[np.bool_], known: NDArray[np.bool_], hold: float,
    line: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Probabilities (n, classes), each decision held as a session does it; arguments as in :func:`smooth`."""
    n, others = smoothed.shape
    line = np.zeros(n, np.int64) if line is None else line
    out = np.empty((n, others + 1))
    memory = np.zeros((int(line.max(initial=-1)) + 1, others + 1))
    for rows, before in _steps(line):
        if len(before):
            memory[line[rows[known[rows] != known[before]]]] = 0.0
        out[rows] = p = probabilities(settled(smoothed[rows], memory[line[rows]], hold))
        there = rows[present[rows]]
        memory[line[there]] = held(p[present[rows]])
    return out
