"""Work on people, here or on a cluster: one process, N on this machine, or a Dask scheduler's.

Rules
-----
- Results come in the order of the jobs and do not depend on who did the work, or on how many did.
- Each works on one thread: the matrices are small, and threads that wait for each other made fitting ten times slower.
- A worker that dies costs its job, which somebody else does again.
- What all jobs share lies in a file that the workers of this machine map (:mod:`feltsense.train.shelf`); to those of
  other machines it is handed out, and again if one of them dies.
- Only so many jobs are under way that nobody's memory grows with the number of people.
"""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from feltsense.errors import FeltsenseError, InputError, MissingExtraError
from feltsense.train.examples import Line, read_line
from feltsense.train.resume import fingerprint, line_from, line_parts
from feltsense.train.shelf import Shelved, shelve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from feltsense.core.vector import FeatureSchema
    from feltsense.datasets.labelled import Labelled
    from feltsense.train.resume import Kept
    from feltsense.train.targets import Target

__all__ = ["ALONE", "Crew", "cluster", "one_thread", "read_lines"]

AHEAD = 3
"""Jobs under way for each worker: one done, one being done, one on its way."""
TRIES = 5
"""How often a job is given out anew when its worker died; a job that kills every worker is at fault itself."""

_WORKERS: Final = {
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
}
"""Environment of workers of this machine. Dask's own lets the allocator give back every free 64 kB, and with it every
array of more than 128 kB: each is then mapped, faulted in page by page and unmapped, which was half of a worker's time
(extracting 24 hours: 8.7 s of system time beside 9.3 s of work; so 0.2 s). 2²⁵ is the most that glibc takes. What
somebody has set in the environment goes before."""
_ANY_PORT: Final = "127.0.0.1:0"
"""Dask shows its state on a port: on this machine only, and on one that is free."""
_WINDOWS = "windows"

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")


class Crew(Protocol):
    """Whoever does the work.

    Attributes
    ----------
    client : distributed.Client or None
        Of the cluster, for what spreads its own work over it; None where this process does everything.
    """

    client: Any

    def map(self, work: Callable[[S, T], R], shared: S, jobs: Iterable[T]) -> Iterator[R]:
        """``work(shared, job)`` of each job, in order; `work` must be importable."""


def one_thread() -> AbstractContextManager[object]:
    """Within it, linear algebra and OpenMP use one thread (where scikit-learn brought what can say so)."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


def _alone(work: Callable[[S, T], R], shared: S, job: T) -> R:
    with one_thread():
        return work(shared, job)


def _from_shelf(work: Callable[[S, T], R], shelved: Shelved, job: T) -> R:
    return _alone(work, shelved.take(), job)


class _Here:
    """The process that asks."""

    client: Any = None

    def map(self, work: Callable[[S, T], R], shared: S, jobs: Iterable[T]) -> Iterator[R]:
        """One job after another."""
        return map(partial(_alone, work, shared), jobs)


ALONE: Final[Crew] = _Here()


class _Cluster:
    """Workers of a Dask scheduler; those of this machine find what they share in a folder."""

    def __init__(self, client: Any, folder: Path | None = None) -> None:
        self.client, self.folder, self.handed = client, folder, count()

    def map(self, work: Callable[[S, T], R], shared: S, jobs: Iterable[T]) -> Iterator[R]:
        """Jobs side by side, results in order."""
        handed = self._hand_out(shared)
        try:
            yield from self._spread(work, shared, handed, jobs)
        finally:
            if isinstance(handed, Shelved):
                handed.path.unlink(missing_ok=True)

    def _spread(self, work: Callable[[S, T], R], shared: S, handed: Any, jobs: Iterable[T]) -> Iterator[R]:
        waiting = iter(jobs)
        under_way: deque[tuple[T, Any]] = deque()

        def submit(job: T) -> Any:
            how = _from_shelf if isinstance(handed, Shelved) else _alone
            return self.client.submit(how, work, handed, job, pure=False, retries=TRIES)

        def fill() -> None:
            room = AHEAD * max(1, len(self.client.scheduler_info(n_workers=-1)["workers"])) - len(under_way)
            under_way.extend((job, submit(job)) for job in islice(waiting, max(room, 0)))

        fill()
        while under_way:
            job, future = under_way.popleft()
            for tried in range(TRIES):
                try:
                    value = future.result()
                    break
                except _lost():
                    if tried == TRIES - 1:
                        raise
                    if not isinstance(handed, Shelved):
                        # Whoever held the shared part is gone: hand it out again, and all that waited for it.
                        handed = self._hand_out(shared)
                        under_way = deque((j, submit(j)) for j, _ in under_way)
                    future = submit(job)
            del future
            fill()
            yield value

    def _hand_out(self, shared: S) -> Any:
        if self.folder is not None:
            return shelve(shared, self.folder / f"{next(self.handed)}")
        return self.client.scatter(shared, broadcast=True, hash=False)


def _lost() -> tuple[type[BaseException], ...]:
    """What Dask raises when a worker took a result, or what a job needed, with it."""
    from asyncio import CancelledError

    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    return CancelledError, FutureCancelledError, KilledWorker


@contextmanager
def cluster(workers: int, scheduler: str = "") -> Iterator[Crew]:
    """Whoever is to do the work.

    Parameters
    ----------
    workers : int
        Processes on this machine; 1 is this one, without Dask.
    scheduler : str
        Address of a running Dask scheduler instead, for example ``tcp://10.0.0.5:8786``.

    Raises
    ------
    InputError
        If there is no such number of workers, or the scheduler does not answer.
    MissingExtraError
        If Dask is not installed.
    """
    if workers < 1 or (workers > 1 and scheduler):
        msg = f"--workers {workers}: 1 or more processes of this machine, or the workers of a --scheduler; choose one"
        raise InputError(msg)
    if workers == 1 and not scheduler:
        yield ALONE
        return
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise MissingExtraError("scale", "working on a cluster") from None
    settings = {
        "distributed.scheduler.allowed-failures": TRIES, "distributed.comm.timeouts.connect": "20s",
        "distributed.nanny.pre-spawn-environ": _WORKERS,
        # Nobody looks at a profile of these workers, and taking it every 10 ms costs them.
        "distributed.worker.profile.enabled": False,
    }  # fmt: skip
    with dask.config.set(settings):
        if scheduler:
            try:
                client = Client(scheduler)
            except (OSError, ValueError, TimeoutError) as e:
                msg = f"--scheduler {scheduler}: no Dask scheduler answers there ({e})"
                raise InputError(msg) from None
            with client:
                yield _Cluster(client)
            return
        # A worker that dies is made up for here; what cannot be, is raised.
        quiet = {"dashboard_address": _ANY_PORT, "silence_logs": "CRITICAL"}
        with (
            TemporaryDirectory(prefix="feltsense-") as folder,
            LocalCluster(n_workers=workers, threads_per_worker=1, **quiet) as local,
            Client(local) as client,
        ):
            yield _Cluster(client, Path(folder))


def read_lines(
    labelled: Sequence[Labelled], target: Target, note: Callable[[str], None], crew: Crew = ALONE, kept: Kept | None = None
) -> Iterator[Line]:
    """Windows of each recording, in order.

    Parameters
    ----------
    labelled : sequence of Labelled
        Recordings.
    target : Target
        What is estimated.
    note : callable
        Told in one line what was trimmed or left out.
    crew : Crew
        Who does the work.
    kept : Kept, optional
        Where windows that were extracted before are taken up, and new ones kept.

    Raises
    ------
    InputError
        What is wrong with a recording or its labels.
    """
    keys = [fingerprint(x, target) if kept is not None else "" for x in labelled]
    done = [kept is not None and kept.has(_WINDOWS, k) for k in keys]
    # Whoever works elsewhere has another working directory.
    jobs = (replace(x, path=x.path.absolute()) for x, there in zip(labelled, done, strict=True) if not there)
    fresh = crew.map(_read, target, jobs)
    schemas: dict[FeatureSchema, FeatureSchema] = {}
    for one, key, there in zip(labelled, keys, done, strict=True):
        found = _take_up(kept, key, target) if there else next(fresh)
        line, notes, problem = found if found is not None else _read(target, one)
        named = str(one.path.absolute()), str(one.path)
        notes = [text.replace(*named) for text in notes]
        for text in notes:
            note(text)
        if problem or line is None:
            raise InputError(problem.replace(*named))
        # One schema for all, not a copy each.
        line = replace(line, path=str(one.path), schema=schemas.setdefault(line.schema, line.schema))
        if kept is not None and not there:
            kept.put(_WINDOWS, key, line_parts(line, notes))
        yield line


def _take_up(kept: Kept | None, key: str, target: Target) -> tuple[Line | None, list[str], str] | None:
    parts = kept.get(_WINDOWS, key) if kept is not None else None
    found = line_from(parts, target) if parts is not None else None
    return None if found is None else (*found, "")


def _read(target: Target, labelled: Labelled) -> tuple[Line | None, list[str], str]:
    """Errors travel as text: not every error survives the way between processes."""
    notes: list[str] = []
    try:
        return read_line(labelled, target, notes.append), notes, ""
    except (FeltsenseError, OSError) as e:
        return None, notes, str(e)
