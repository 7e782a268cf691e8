"""Who is learned from and who is judged: the only way in which data reach training and evaluation.

Rules
-----
- A :class:`Cohort` is people whose recordings were checked: nobody under two names, no recording twice, nothing
  normalised by its whole session, one kind of windows.
- A :class:`SubjectSplit` holds two cohorts without a common person. All windows of a person are on one side, so
  windows that overlap are, too. Inner splits are splits of the learning side: grouped, and blind to the other.
- What calibrates is no property that somebody sets: windows that overlap a person's rest, or lie within one window's
  length of it, are derived from its seconds, and judged in no row (:attr:`feltsense.train.examples.Line.scored`).
- Of a learning side with more windows than :data:`MOST_WINDOWS` people are drawn by the digest of their names: the same
  ones whoever else is there, so that a fold and a training without its people draw alike.
- There is no place for statistics over people or sessions outside a split: what is fitted, is fitted by
  :func:`feltsense.train.fit.fit` on the learning side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, overload

import numpy as np

from feltsense.errors import LeakError, ModelDataError
from feltsense.train.examples import Line
from feltsense.train.traces import alike, normalised, sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

__all__ = [
    "MOST_WINDOWS", "Cohort", "SubjectSplit", "SubjectSplits", "cross_dataset", "everyone", "grouped_k_fold",
    "leave_one_subject_out", "only_split",
]

MOST_WINDOWS = 60_000
"""Windows to learn from at most, 500 hours: what a process holds while fitting is bounded by them, below 1 GB with two
modalities (``docs/scale.md``), and so is how long a fold takes. 0 lifts it."""
LEAST_DRAWN = 20
"""People who are drawn however many windows each of them has."""
LEAST_LEFT = 3
"""People that must be left to learn from."""


class Cohort:
    """People with labelled windows, checked.

    Parameters
    ----------
    lines : iterable of Line
        Recordings; those without a window are dropped. Order does not matter.
    name : str
        Of the data set.

    Raises
    ------
    LeakError
        If a person is there under two names, a recording twice, or a signal was normalised by its whole session.
    ModelDataError
        If there is nothing, or the windows are of different lengths.
    """

    __slots__ = ("lines", "name", "people")
    lines: tuple[Line, ...]
    name: str
    people: tuple[str, ...]

    def __init__(self, lines: Collection[Line], name: str = "") -> None:
        if any(not isinstance(x, Line) for x in lines):
            msg = "a cohort is made of Line objects, as feltsense.train.parallel.read_lines gives them"
            raise LeakError(msg)
        self.lines = tuple(sorted((x for x in lines if len(x.y)), key=lambda x: (x.subject, x.path)))
        self.name = name
        self.people = tuple(dict.fromkeys(x.subject for x in self.lines))
        if not self.lines:
            msg = f"{name or 'the data'}: no recording is as long as one window"
            raise ModelDataError(msg)
        lengths = sorted({x.window_s for x in self.lines})
        if len(lengths) > 1:
            msg = f"windows of {lengths[0]:g} s and of {lengths[-1]:g} s in one cohort: extract all with one length"
            raise ModelDataError(msg)
        _no_copies(self.lines)
        for text in normalised([x.traces for x in self.lines]):
            msg = (
                f"{text}: it was normalised over whole sessions, with the conditions to be told apart, or is a clock; "
                "give the signal as it was recorded"
            )
            raise LeakError(msg)

    def only(self, people: Collection[str]) -> Cohort:
        """Some of the people; a part of a checked cohort needs no check."""
        part = object.__new__(Cohort)
        part.lines = tuple(x for x in self.lines if x.subject in people)
        part.name = self.name
        part.people = tuple(p for p in self.people if p in people)
        return part

    def drawn(self, windows: int) -> Cohort:
        """People with so many windows together at most; everyone where they have no more, or `windows` is 0."""
        sizes: dict[str, int] = dict.fromkeys(self.people, 0)
        for x in self.lines:
            sizes[x.subject] += len(x.y)
        if not windows or sum(sizes.values()) <= windows:
            return self
        order = sorted(self.people, key=lambda name: hashlib.sha256(name.encode()).digest())
        total = np.cumsum([sizes[name] for name in order])
        count = max(int(np.searchsorted(total, windows, side="right")), LEAST_DRAWN)
        return self.only(set(order[:count]))

    def relabelled(self, label: Callable[[int, Line], NDArray[np.int64]]) -> Cohort:
        """The same people with other labels, for controls that must fail; `label` gets a line's number and the line."""
        changed = self.only(self.people)
        changed.lines = tuple(replace(x, y=label(i, x)) for i, x in enumerate(self.lines))
        return changed


def _no_copies(lines: Sequence[Line]) -> None:
    for j, i in sharing([x.traces for x in lines]):
        a, b = lines[i], lines[j]
        if not alike(a.traces, b.traces):
            continue
        if a.subject == b.subject:
            msg = f"{b.path} and {a.path} of {a.subject} hold the same signal: give each recording once"
        else:
            msg = (
                f"{b.subject} ({b.path}) and {a.subject} ({a.path}) hold the same signal: one person under two "
                "names would be learned from and judged; give each person one name"
            )
        raise LeakError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class SubjectSplit:
    """People to learn from, and people to judge by.

    Attributes
    ----------
    name : str
        Who is judged, for reports and file names.
    learn, judge : Cohort
        Two sides without a common person.

    Raises
    ------
    LeakError
        If somebody is on both sides, also under another name.
    """

    name: str
    learn: Cohort
    judge: Cohort

    def __post_init__(self) -> None:
        if not isinstance(self.learn, Cohort) or not isinstance(self.judge, Cohort):
            msg = "a split has two cohorts: feltsense.train.splits.Cohort(lines)"
            raise LeakError(msg)
        both = sorted(set(self.learn.people) & set(self.judge.people))
        if both:
            msg = f"{', '.join(both)} would be learned from and judged: a person is on one side of a split"
            raise LeakError(msg)

    def inner(self, k: int, seed: int) -> SubjectSplits:
        """Splits of the learning side alone, people dealt into `k` groups."""
        return grouped_k_fold(self.learn, min(k, len(self.learn.people)), seed)


class SubjectSplits(Sequence[SubjectSplit]):
    """Splits of one cohort, made when they are asked for.

    Attributes
    ----------
    kind : str
        In words, for reports.
    cohort : Cohort
        Who is judged, all together; and who is learned from, unless `source` is given.
    groups : tuple of tuple of str
        People judged in each split.
    source : Cohort or None
        Another data set that is learned from.
    most : int
        Windows that each split learns from at most; 0: all.
    """

    __slots__ = ("cohort", "groups", "kind", "most", "source")

    def __init__(
        self, kind: str, cohort: Cohort, groups: Sequence[tuple[str, ...]], source: Cohort | None = None,
        most: int = MOST_WINDOWS,
    ) -> None:
        self.kind, self.cohort, self.groups, self.source, self.most = kind, cohort, tuple(groups), source, most
        if (source or cohort).drawn(most) is not (source or cohort):
            self.kind += f", learned from {most} windows at most"
        if source is not None:
            _no_copies((*source.lines, *cohort.lines))

    def of(self, cohort: Cohort, source: Cohort | None) -> SubjectSplits:
        """The same splits of the same people with other labels."""
        again = SubjectSplits("", cohort, self.groups, source, self.most)
        again.kind = self.kind
        return again

    def __len__(self) -> int:
        return len(self.groups)

    @overload
    def __getitem__(self, i: int) -> SubjectSplit: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[SubjectSplit]: ...
    def __getitem__(self, i: int | slice) -> SubjectSplit | Sequence[SubjectSplit]:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        group = self.groups[i]
        learn = self.source if self.source is not None else self.cohort.only(set(self.cohort.people) - set(group))
        name = "+".join(group) if len(group) < 4 else f"group {i + 1}"
        return SubjectSplit(name, learn.drawn(self.most), self.cohort.only(group))

    def __iter__(self) -> Iterator[SubjectSplit]:
        return (self[i] for i in range(len(self)))


def leave_one_subject_out(cohort: Cohort, most: int = MOST_WINDOWS) -> SubjectSplits:
    """Everyone judged by what was learned from all others, `most` windows of them.

    Raises
    ------
    ModelDataError
        If too few people are left to learn from.
    """
    _enough(cohort, len(cohort.people) - 1)
    return SubjectSplits("leave one person out", cohort, [(p,) for p in cohort.people], most=most)


def grouped_k_fold(cohort: Cohort, k: int, seed: int, most: int = MOST_WINDOWS) -> SubjectSplits:
    """People dealt out into `k` groups in a seeded order; each judged by what `most` windows of the others teach.

    Raises
    ------
    ModelDataError
        If there are fewer people than groups.
    """
    if not 2 <= k <= len(cohort.people):
        msg = f"{k} groups of {len(cohort.people)} people: at least 2 groups, and at most one a person"
        raise ModelDataError(msg)
    order = np.random.default_rng(seed).permutation(len(cohort.people))
    groups = [tuple(sorted(cohort.people[j] for j in order[i::k])) for i in range(k)]
    return SubjectSplits(f"{k} groups of people", cohort, groups, most=most)


def cross_dataset(learn: Cohort, judge: Cohort, most: int = MOST_WINDOWS) -> SubjectSplits:
    """Everyone of one data set judged by what another one taught, `most` windows of it.

    Raises
    ------
    LeakError
        If somebody is in both, by name or by signal.
    """
    return SubjectSplits(f"learned from {learn.name or 'another data set'}", judge, [judge.people], learn, most)


def everyone(cohort: Cohort, most: int = MOST_WINDOWS) -> SubjectSplit:
    """Learn from all, `most` windows of them, judge nobody: for the model that is shipped."""
    return SubjectSplit("nobody", cohort.drawn(most), cohort.only(()))


def only_split(value: object, what: str) -> SubjectSplit:
    """`value` if it is a split.

    Raises
    ------
    LeakError
        If it is anything else: there is no other way in.
    """
    if isinstance(value, SubjectSplit):
        return value
    msg = f"{what} takes data only through a SubjectSplit (feltsense.train.splits), got {type(value).__name__}"
    raise LeakError(msg)


def _enough(cohort: Cohort, left: int) -> None:
    if left < LEAST_LEFT:
        msg = (
            f"leaving one person out needs at least {LEAST_LEFT + 1} people, got {len(cohort.people)}: "
            f"{', '.join(cohort.people)}"
        )
        raise ModelDataError(msg)
