"""Studies of synthetic participants whose truth is known: what no data set of real people has.

Two paths to the same kinds of people (:class:`Spread`):

- :func:`recordings`: signals, sample by sample, through every filter and extractor; seconds a person.
- :func:`lines`: windows of features drawn directly; a thousand people a second, for questions about learning,
  calibration and evaluation that need many people.

Rules
-----
- The same arguments give the same bytes. Person k is drawn from (seed, k): a larger study begins with the smaller one.
- Every property can be switched off alone, so that what a method gains can be told apart: no offsets, and calibration
  has nothing to mend; one order of tasks, and a clock scores; no response, and nothing may score.
- They show that methods find what is there. They are no evidence about people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense import features
from feltsense.core.chunk import Gap, GapReason
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import FeatureSchema
from feltsense.datasets.synthetic import START_NS, simulate
from feltsense.errors import InputError
from feltsense.train.examples import HOP_S, REST_S, Line
from feltsense.train.inputs import TABLE
from feltsense.train.tasks import task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from feltsense.datasets.synthetic import Participant
    from feltsense.train.targets import Target

__all__ = ["Spread", "Synthetic", "lines", "recordings"]

BLOCK_S: Final = 300.0
"""A task, or a rest between tasks, lasts about so long."""
RISE_S, FALL_S = 15.0, 60.0
"""Time constants of getting excited and of calming down, as windows show them."""
PERSISTENCE: Final = 0.5
"""Correlation of a feature's noise from window to window: windows of 60 s every 30 s overlap by half."""
INPUTS_THAT_ANSWER: Final = 0.6
"""Share of a modality's features that stress moves at all; which ones, and which way, is the same in everybody."""
_LOG_STEP, _STEP = 0.3, 1.0
"""What one unit of the hidden value changes in a feature that is read through a logarithm, and in one that is not."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How people, devices and sessions of a study differ; the units of offset and drift are a window's noise.

    Attributes
    ----------
    offset : float
        Standard deviation of a person's level of each feature.
    scale : float
        Standard deviation of the logarithm of a person's gain.
    effect : float
        Mean response of a feature that answers, at full arousal.
    non_responders : float
        Share of (person, modality) that hardly answer (a tenth of the response).
    drift : float
        Standard deviation of a feature's slope an hour.
    devices : int
        Makes of devices; each has an own level of every feature.
    device : float
        Standard deviation of those levels.
    order_fixed : bool
        Everyone has the same tasks at the same minute; else each person's blocks are shuffled.
    missing_modality : float
        Share of (person, modality) that are not there at all.
    missing_stretch : float
        Share of stretches of five minutes in which a modality that is there falls silent.
    """

    offset: float = 2.0
    scale: float = 0.3
    effect: float = 0.8
    non_responders: float = 0.1
    drift: float = 0.3
    devices: int = 1
    device: float = 2.0
    order_fixed: bool = True
    missing_modality: float = 0.0
    missing_stretch: float = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Synthetic:
    """A person's windows and the truth behind them.

    Attributes
    ----------
    line : Line
        Windows, as training reads them.
    arousal : ndarray, shape (n,)
        0 calm … 1 at each window.
    offset, gain, drift : ndarray, shape (features,)
        The person's own level, response to the first task at full arousal, and slope an hour, in units of a window's noise.
    device : int
        Number of the make.
    order : tuple of str
        Blocks after the calibration.
    there : tuple of str
        Modalities that the person had.
    """

    line: Line
    arousal: NDArray[np.float64]
    offset: NDArray[np.float64]
    gain: NDArray[np.float64]
    drift: NDArray[np.float64]
    device: int
    order: tuple[str, ...]
    there: tuple[str, ...]


def lines(n: int, target: Target, spread: Spread | None = None, *, seed: int = 0, minutes: float = 60.0) -> list[Synthetic]:
    """People as windows of features.

    Parameters
    ----------
    n : int
        How many.
    target : Target
        Its modalities get features; its classes after the first take turns as the tasks. Each moves the features in its
        own way; levels of one thing (an ordered variant of a task) move them the same way, more and more.
    spread : Spread, optional
        How they differ.
    seed : int
        Decides all that is drawn.
    minutes : float
        Length of a session; the first ten are rest.
    """
    spread = spread or Spread()
    schema = FeatureSchema([(m, features.extractor(m).specs) for m in target.modalities])
    if n < 1 or seed < 0 or not minutes * 60.0 >= 4 * BLOCK_S:
        least = 4 * BLOCK_S / 60.0
        msg = f"a study needs 1 person, a seed of 0 or more and {least:g} minutes; got {n}, {seed} and {minutes:g}"
        raise InputError(msg)
    common = np.random.default_rng([seed, 0])
    width = len(schema.names)
    answers = common.random(width) < INPUTS_THAT_ANSWER
    first = np.where(answers, common.choice([-1.0, 1.0], width) * common.uniform(0.5, 1.5, width), 0.0)
    makes = spread.device * common.standard_normal((max(spread.devices, 1), width))
    loadings = _loadings(first, target, common)
    if spread.devices <= 1:
        makes[:] = 0.0
    return [_person(k, schema, target, spread, _Common(seed, minutes, loadings, makes)) for k in range(n)]


@dataclass(frozen=True, slots=True, eq=False)
class _Common:
    """What everyone in a study shares."""

    seed: int
    minutes: float
    loadings: NDArray[np.float64]
    makes: NDArray[np.float64]


def _loadings(first: NDArray[np.float64], target: Target, common: np.random.Generator) -> NDArray[np.float64]:
    """How each task moves the features at full arousal (tasks, features)."""
    tasks = len(target.classes) - 1
    known = task(target.name)
    if known is not None and any(set(target.classes) <= set(known.variants[v]) for v in known.ordered):
        return first * np.arange(1, tasks + 1)[:, None] / tasks
    others = [np.where(first != 0.0, common.permutation(first), first) for _ in range(tasks - 1)]
    return np.stack([first, *others])


def _person(k: int, schema: FeatureSchema, target: Target, spread: Spread, common: _Common) -> Synthetic:
    rng = np.random.default_rng([common.seed, 1, k])
    width, modalities = len(schema.names), len(schema.modalities)
    owner = np.array([schema.modalities.index(m) for m in schema.owner], np.int64)
    order = _order(spread, target.classes, common.minutes, rng)
    stop_s = np.arange(target.window_s, common.minutes * 60.0 + 1e-9, HOP_S)
    felt, y = _course(order, target, stop_s)
    responds = np.where(rng.random(modalities) < spread.non_responders, 0.1, 1.0)
    scale = np.exp(spread.scale * rng.standard_normal())
    offset = spread.offset * rng.standard_normal(width)
    gain = scale * spread.effect * common.loadings * (responds * rng.lognormal(0.0, 0.3, modalities))[owner]
    drift = spread.drift * rng.standard_normal(width)
    device = int(rng.integers(len(common.makes)))
    noise = rng.standard_normal((len(stop_s), width))
    for i in range(1, len(noise)):
        noise[i] = PERSISTENCE * noise[i - 1] + np.sqrt(1.0 - PERSISTENCE**2) * noise[i]
    hidden = offset + common.makes[device] + felt @ gain + (stop_s[:, None] / 3600.0) * drift + scale * noise
    quality = np.clip(rng.beta(8.0, 2.0, (len(stop_s), modalities)), 0.0, 1.0)
    gone = _gone(spread, len(stop_s), modalities, rng)
    x = np.where(gone[:, owner], np.nan, _native(hidden, schema))
    there = tuple(m for j, m in enumerate(schema.modalities) if not gone[:, j].all())
    line = _line(f"synthetic-{k:04d}", schema, target, stop_s, (x, np.where(gone, 0.0, quality), y))
    line = replace(line, about={"device": f"make {device + 1}"})
    return Synthetic(line, felt.sum(axis=1), offset, gain[0], drift, device, order, there)


def _order(spread: Spread, classes: Sequence[str], minutes: float, rng: np.random.Generator) -> tuple[str, ...]:
    """Blocks after ten minutes of rest: rest and tasks take turns, or are shuffled."""
    blocks = max(2, int(minutes * 60.0 / BLOCK_S) - 2)
    turns = [classes[1 + (i // 2) % (len(classes) - 1)] if i % 2 == 0 else classes[0] for i in range(blocks)]
    return tuple(turns) if spread.order_fixed else tuple(turns[i] for i in rng.permutation(blocks))


def _course(
    order: Sequence[str], target: Target, stop_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Arousal by each task (n, tasks), and class of each window; a window that straddles a border has no class."""
    begins = 2 * BLOCK_S
    block = np.floor((stop_s - 1e-9 - begins) / BLOCK_S).astype(int)
    first = np.floor((stop_s - target.window_s + 1e-9 - begins) / BLOCK_S).astype(int)
    number = np.array([target.classes.index(b) for b in order])

    def at(b: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(b < 0, 0, number[np.clip(b, 0, len(order) - 1)])

    y = np.where(at(first) == at(block), at(block), -1)
    goals = at(block)[:, None] == np.arange(1, len(target.classes))
    felt, level = np.zeros(goals.shape), np.zeros(goals.shape[1])
    for i, goal in enumerate(goals):
        level = level + (goal - level) * (1.0 - np.exp(-HOP_S / np.where(goal, RISE_S, FALL_S)))
        felt[i] = level
    return felt, y.astype(np.int64)


def _gone(spread: Spread, n: int, modalities: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Who is missing when; somebody with no modality at all is no participant and keeps the first."""
    absent = rng.random(modalities) < spread.missing_modality
    if absent.all():
        absent[0] = False
    long = int(BLOCK_S / HOP_S)
    stretches = rng.random((-(-n // long), modalities)) < spread.missing_stretch
    out: NDArray[np.bool_] = np.repeat(stretches, long, axis=0)[:n] | absent
    return out


def _native(hidden: NDArray[np.float64], schema: FeatureSchema) -> NDArray[np.float64]:
    """Hidden values as features: positive and skewed where models read them through a logarithm."""
    logged = {f"{m}.{i.feature}" for m, table in TABLE.items() for i in table if i.offset is not None}
    through = np.array([name in logged for name in schema.names])
    return np.where(through, np.exp(_LOG_STEP * hidden), _STEP * hidden)


def _line(
    subject: str, schema: FeatureSchema, target: Target, stop_s: NDArray[np.float64],
    drawn: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
) -> Line:
    x, quality, y = drawn
    inside = stop_s <= REST_S + 1e-9
    seen = np.isfinite(x[inside])
    count = seen.sum(axis=0)
    mean = np.where(count > 0, np.where(seen, x[inside], 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    seconds = np.where(count > 0, count * HOP_S + target.window_s - HOP_S, 0.0)
    return Line(
        subject, subject, schema, stop_s, x, quality, y, np.ones(len(y), np.bool_), mean, seconds, ((0.0, REST_S),),
        START_NS / NS, target.window_s,
    )  # fmt: skip


def recordings(n: int, spread: Spread | None = None, *, seed: int = 0, minutes: float = 14.0) -> Iterator[Participant]:
    """People as recordings of a chest strap and a board, one at a time.

    Response, order of tasks, make of device (gain and level of skin conductance and pulse wave) and missing stretches
    follow `spread`; levels and drift are those of :mod:`feltsense.datasets.synthetic`. The truth is in each one's
    ``truth``, and the make in the recording's metadata.

    Parameters
    ----------
    n : int
        How many.
    spread : Spread, optional
        How they differ.
    seed : int
        Decides all that is drawn.
    minutes : float
        Length of a session; the first five are rest.
    """
    spread = spread or Spread()
    makes = np.random.default_rng([seed, 2]).standard_normal((max(spread.devices, 1), 2))
    for k in range(n):
        rng = np.random.default_rng([seed, 3, k])
        left = minutes * 60.0 - BLOCK_S
        blocks = max(2, int(left / 120.0))
        turns = ["stress" if i % 2 == 0 else "rest" for i in range(blocks)]
        if not spread.order_fixed:
            turns = [turns[i] for i in rng.permutation(blocks)]
        responds = 0.1 if rng.random() < spread.non_responders else 1.0
        reactivity = float(np.clip(spread.effect / 0.8 * responds, 0.0, 2.0))
        protocol = [("rest", BLOCK_S), *((t, left / blocks) for t in turns)]
        made = simulate(int(rng.integers(2**31)), protocol=protocol, reactivity=reactivity)
        make = int(rng.integers(len(makes)))
        gain = np.exp(0.2 * spread.device * makes[make]) if spread.devices > 1 else np.ones(2)
        streams = {
            name: _worn(stream, {"eda": float(gain[0]), "ppg": float(gain[1])}.get(stream.info.spec.name, 1.0), spread, rng)
            for name, stream in made.recording.streams.items()
        }
        metadata = {**made.recording.metadata, "make": f"make {make + 1}"}
        yield replace(made, recording=Recording(f"synthetic-{k:04d}", streams, made.recording.events, metadata))


def _worn(stream: Stream, gain: float, spread: Spread, rng: np.random.Generator) -> Stream:
    """The stream of another make, with the stretches that a loose strap loses; each gap starts a segment."""
    if stream.info.spec.rate is None:
        return stream
    (whole,) = stream.segments
    values = whole.values * gain
    long = int(BLOCK_S / 5 * stream.info.spec.hz)
    cuts = [(a, min(a + long, len(values))) for a in range(0, len(values), long)]
    kept = [c for c in cuts if rng.random() >= spread.missing_stretch / 5] or cuts[:1]
    segments: list[Segment] = []
    last = 0
    for a, b in kept:
        if segments and a == last:
            previous = segments.pop()
            a -= len(previous.values)
            lost = previous.gap
        else:
            lost = Gap(a - last, a - last, GapReason.LINK) if segments and a > last else None
        part = values[a:b].copy()
        part.setflags(write=False)
        time = TimeMap.uniform(whole.time.time_at(a), stream.info.spec.rate)
        segments.append(Segment(part, time, lost, len(segments)))
        last = b
    return Stream(stream.info, tuple(segments))
