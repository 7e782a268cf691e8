"""Synthetic participants: a seeded person with a chest strap and an open board, at rest, under stress, recovering.

Contract
--------
- The same arguments give the same bytes; another seed gives another person (level, reactivity, noise).
- Streams: ``h10.ecg`` 130 Hz mV, ``h10.acc`` 50 Hz g, ``board.ppg`` 64 Hz counts, ``board.eda`` 4 Hz µS,
  ``board.temp`` 4 Hz °C, ``board.acc`` 32 Hz g, all from the same heart, skin and arm, without gaps, quantised as
  the devices do. LABEL events say rest, stress and recovery; the first rest lasts 5 min at least, so it can serve
  for calibration.
- The truth behind the signals is known (:class:`Truth`): that is what the signals are for.

They show that the parts work together and find what they should. They are no evidence about people: no figure of
accuracy may come from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.chunk import StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap, to_ns
from feltsense.datasets import _waves
from feltsense.datasets._person import Course, Phase, Traits, beat_times, course, draw_traits, scr_events
from feltsense.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LABELS", "START_NS", "STREAMS", "Participant", "Phase", "Traits", "Truth", "participant", "simulate"]

LABELS = ("rest", "stress", "recovery")
"""The phases of a protocol."""

STREAMS = (
    StreamInfo("board.acc", spec("acc", 32), "Open board"),
    StreamInfo("board.eda", spec("eda", 4), "Open board"),
    StreamInfo("board.ppg", spec("ppg", 64), "Open board"),
    StreamInfo("board.temp", spec("skin_temperature", 4), "Open board"),
    StreamInfo("h10.acc", spec("acc", 50), "Polar H10"),
    StreamInfo("h10.ecg", spec("ecg", 130), "Polar H10"),
)
"""What every participant wears."""

START_NS = 1_767_258_000 * NS
"""When sessions begin unless told otherwise: 2026-01-01 09:00 UTC, an arbitrary fixed morning."""

MIN_REST_S = 300.0
"""Calibration wants five minutes of rest."""
MIN_PHASE_S = 30.0
"""Shorter than this the body has not answered yet."""
_REST_SHARE = 3 / 7
_STRESS_SHARE = 1 / 2
"""Of the session, and of what is left of it: 14 min are 6 of rest, 4 of stress, 4 of recovery."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What happened inside, in seconds from the recording's first sample.

    Attributes
    ----------
    traits : Traits
        The person.
    phases : tuple of Phase
        The protocol.
    course : Course
        Arousal and breathing over time.
    beat_s : ndarray of float64, shape (beats,)
        R peaks.
    pulse_s : ndarray of float64, shape (beats,)
        Arrival of each beat's pulse (its foot) at the wrist.
    scr_onset_s : ndarray of float64, shape (responses,)
        Onsets of the skin conductance responses.
    scr_amplitude : ndarray of float64, shape (responses,)
        Height of each response by itself, in µS (on the slope of another the trough-to-peak height is less).
    """

    traits: Traits
    phases: tuple[Phase, ...]
    course: Course
    beat_s: NDArray[np.float64]
    pulse_s: NDArray[np.float64]
    scr_onset_s: NDArray[np.float64]
    scr_amplitude: NDArray[np.float64]

    def state_at(self, t_s: float) -> str:
        """Label of the phase at a time; empty outside the protocol."""
        return next((p.label for p in self.phases if p.start_s <= t_s < p.stop_s), "")


@dataclass(frozen=True, slots=True, eq=False)
class Participant:
    """A recording and the truth behind it."""

    recording: Recording
    truth: Truth


def participant(
    seed: int,
    minutes: float = 14.0,
    *,
    protocol: Sequence[tuple[str, float]] | None = None,
    start_ns: int = START_NS,
    reactivity: float = 1.0,
    beats: bool = False,
) -> Recording:
    """Recording of a synthetic participant; see :func:`simulate`."""
    made = simulate(seed, minutes, protocol=protocol, start_ns=start_ns, reactivity=reactivity, beats=beats)
    return made.recording


def simulate(
    seed: int,
    minutes: float = 14.0,
    *,
    protocol: Sequence[tuple[str, float]] | None = None,
    start_ns: int = START_NS,
    reactivity: float = 1.0,
    beats: bool = False,
) -> Participant:
    """Make a participant.

    Parameters
    ----------
    seed : int
        Decides the person and the noise; 0 or more.
    minutes : float
        Length of a session of rest, stress and recovery, 6 or more: five of rest, half a minute of each other.
    protocol : sequence of (str, float), optional
        Label and seconds of each phase, instead of `minutes`; any order and length from 30 s.
    start_ns : int
        Session time of the first sample of every stream.
    reactivity : float
        Scales all that stress does to the body: 0 is a person whom nothing moves (a control), 1 as people are.
    beats : bool
        Whether the recording carries the true R peaks as BEAT events (text ``N``).

    Raises
    ------
    InputError
        If the session is too short or a label unknown.
    """
    phases = _phases(minutes, protocol)
    if seed < 0 or not 0.0 <= reactivity <= 2.0:
        msg = f"synthetic participant: seed must be 0 or more and reactivity 0 to 2, got {seed} and {reactivity}"
        raise InputError(msg)
    person, inner, heart, vessel, skin, *sensors = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(12))
    traits = draw_traits(person, reactivity)
    body = course(traits, phases, inner)
    beat_s = beat_times(traits, body, heart)
    # The pulse is faster under stress (stiffer vessels) and each one differs by a few ms.
    transit = traits.transit_s - 0.02 * reactivity * body.at(body.arousal, beat_s)
    pulse_s = beat_s + transit + 0.003 * vessel.standard_normal(len(beat_s))
    onset_s, amplitude = scr_events(traits, body, skin)
    end_s = phases[-1].stop_s
    seen = onset_s < end_s
    truth = Truth(traits, phases, body, beat_s[beat_s < end_s], pulse_s[beat_s < end_s], onset_s[seen], amplitude[seen])
    inside = _Inside(traits, body, beat_s, pulse_s, onset_s, amplitude)
    streams = {
        info.id: _stream(info, start_ns, end_s, values)
        for info, values in zip(STREAMS, _read(inside, end_s, sensors), strict=True)
    }
    events = [Event(start_ns + to_ns(p.start_s), EventKind.LABEL, p.stop_s - p.start_s, p.label) for p in phases]
    if beats:
        events += [Event(start_ns + to_ns(b), EventKind.BEAT, 0.0, "N") for b in truth.beat_s.tolist()]
    metadata = {"source": "synthetic", "seed": str(seed), "reactivity": repr(float(reactivity))}
    return Participant(Recording(f"synthetic-{seed}", streams, tuple(events), metadata), truth)


@dataclass(frozen=True, slots=True, eq=False)
class _Inside:
    """Everything the sensors look at."""

    traits: Traits
    body: Course
    beat_s: NDArray[np.float64]
    pulse_s: NDArray[np.float64]
    onset_s: NDArray[np.float64]
    amplitude: NDArray[np.float64]


def _read(x: _Inside, end_s: float, rngs: Sequence[np.random.Generator]) -> list[NDArray[np.float64]]:
    """Values of every stream, in the order of :data:`STREAMS`."""
    wrist, sweat, pulse, warmth, chest, lead, arm = rngs
    moving = _waves.movements(x.traits, x.body, arm)
    acc_t, eda_t, ppg_t, temp_t, chest_t, ecg_t = (_grid(info, end_s) for info in STREAMS)
    return [
        _waves.wrist_acceleration(x.body, moving, wrist, acc_t),
        _waves.eda(x.traits, x.body, x.onset_s, x.amplitude, sweat, eda_t),
        _waves.pulse_wave(x.traits, x.body, x.pulse_s, moving, pulse, ppg_t),
        _waves.skin_temperature(x.traits, x.body, warmth, temp_t),
        _waves.chest_acceleration(x.body, x.beat_s, moving, chest, chest_t),
        _waves.ecg(x.traits, x.body, x.beat_s, moving, lead, ecg_t),
    ]


def _grid(info: StreamInfo, end_s: float) -> NDArray[np.float64]:
    return np.arange(int(end_s * info.spec.hz)) / info.spec.hz


def _stream(info: StreamInfo, start_ns: int, end_s: float, values: NDArray[np.float64]) -> Stream:
    column = values.reshape(len(values), -1)
    column.setflags(write=False)
    if info.spec.rate is None:
        msg = f"{info.id}: a synthetic stream has a rate"
        raise InputError(msg)
    return Stream(info, (Segment(column, TimeMap.uniform(start_ns, info.spec.rate)),))


def _phases(minutes: float, protocol: Sequence[tuple[str, float]] | None) -> tuple[Phase, ...]:
    if protocol is None:
        total = minutes * 60.0
        rest = max(MIN_REST_S, total * _REST_SHARE)
        stress = (total - rest) * _STRESS_SHARE
        protocol = tuple(zip(LABELS, (rest, stress, total - rest - stress), strict=True))
    phases: list[Phase] = []
    t = 0.0
    for label, seconds in protocol:
        if label not in LABELS or not MIN_PHASE_S <= seconds < float("inf"):
            msg = (
                f"synthetic participant: phase {label!r} of {seconds:g} s; labels are {', '.join(LABELS)}, "
                f"a phase lasts {MIN_PHASE_S:g} s at least, and the first rest takes {MIN_REST_S:g} s of the minutes"
            )
            raise InputError(msg)
        phases.append(Phase(label, t, t + seconds))
        t += seconds
    if not phases:
        msg = "synthetic participant: the protocol has no phase"
        raise InputError(msg)
    return tuple(phases)
