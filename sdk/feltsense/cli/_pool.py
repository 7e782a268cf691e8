"""Many recordings on all cores: each task's end as it comes, whatever becomes of the others.

Workers are started fresh (spawn): forking a process that has used threads can hang. A worker that dies (no memory left)
takes down its pool; what had not ended is done again, each in a worker of its own, so that only the culprit is lost.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["each"]

DIED = "its worker was stopped from outside; there may be too little memory: try --jobs 1"


def each(work: Callable[..., str], tasks: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[tuple[int, str]]:
    """Number and outcome of each task, in the order in which they end.

    Parameters
    ----------
    work : callable
        Importable; gives what is wrong, or an empty text.
    tasks : sequence of tuple
        Its arguments.
    jobs : int
        Processes; with one, all is done in this one.
    """
    if jobs <= 1 or len(tasks) == 1:
        yield from ((i, work(*task)) for i, task in enumerate(tasks))
        return
    left = dict(enumerate(tasks))
    for number, outcome in _pooled(work, left, jobs):
        del left[number]
        yield number, outcome
    for number, task in left.items():
        yield number, next((text for _, text in _pooled(work, {number: task}, 1)), DIED)


def _pooled(work: Callable[..., str], tasks: dict[int, tuple[Any, ...]], jobs: int) -> Iterator[tuple[int, str]]:
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(work, *task): number for number, task in tasks.items()}
        for future in as_completed(futures):
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                continue
            yield futures[future], future.result() if error is None else f"{type(error).__name__}: {error}"
