"""Work on people side by side, at most two at a time: reading and fitting take one core each.

Workers are started fresh (spawn): forking a process that has used OpenMP can hang. Each works on one thread: the
matrices are small, and threads that wait for each other made fitting ten times slower.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from feltsense.errors import FeltsenseError, InputError
from feltsense.train.examples import Line, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from feltsense.datasets.labelled import Labelled
    from feltsense.train.targets import Target

__all__ = ["one_thread", "read_lines", "side_by_side"]

LARGEST = 2
FEW = 4
"""Up to so many jobs are done in this process: starting another takes longer."""

T = TypeVar("T")
R = TypeVar("R")


def one_thread() -> AbstractContextManager[object]:
    """Within it, linear algebra and OpenMP use one thread (where scikit-learn brought what can say so)."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


def _alone(work: Callable[[T], R], job: T) -> R:
    with one_thread():
        return work(job)


def side_by_side(work: Callable[[T], R], jobs: Sequence[T], few: int = FEW) -> Iterator[R]:
    """Results of `work` in the order of the jobs; `work` must be importable (spawn)."""
    processes = min(LARGEST, os.cpu_count() or 1, len(jobs))
    if processes < 2 or len(jobs) <= few:
        yield from map(partial(_alone, work), jobs)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(partial(_alone, work), jobs)


def read_lines(labelled: Sequence[Labelled], target: Target, note: Callable[[str], None]) -> Iterator[Line]:
    """Windows of each recording, in order.

    Raises
    ------
    InputError
        What is wrong with a recording or its labels.
    """
    for line, notes, problem in side_by_side(partial(_read, target), labelled):
        for text in notes:
            note(text)
        if problem or line is None:
            raise InputError(problem)
        yield line


def _read(target: Target, labelled: Labelled) -> tuple[Line | None, list[str], str]:
    """Errors travel as text: not every error survives the way between processes."""
    notes: list[str] = []
    try:
        return read_line(labelled, target, notes.append), notes, ""
    except (FeltsenseError, OSError) as e:
        return None, notes, str(e)
