"""The body of a synthetic participant: who they are, how aroused they are, when the heart beats, the skin sweats.

Rules
-----
- Everything a person *is* (:class:`Traits`) is drawn from the seed; spreads are those of healthy adults at a desk.
- One hidden quantity, :class:`Course` ``arousal`` (0 = calm, 1 = the stressor), drives every organ, each with its
  own delay. Nothing that a sensor would add (noise, movement, quantisation) is decided here.
- Times are seconds from the start of the session; every random process has a generator of its own, so that one
  organ's draws never move another's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Course", "Phase", "Traits", "beat_times", "course", "draw_traits", "drift", "scr_events", "wander"]

GRID_HZ = 10.0
"""Rate of the hidden course: far above breathing (0.2–0.4 Hz), the fastest thing in it."""
AROUSAL_RISE_S = 10.0
AROUSAL_FALL_S = 45.0
"""Time constants of getting excited and of calming down; the second is the slower in every protocol."""
SETTLING = 0.25
SETTLING_S = 90.0
"""People sit down a little excited and settle over a minute or two."""
MAYER_HZ = 0.095
"""Frequency of the blood-pressure (Mayer) waves."""
NON_RESPONDERS = 0.1
"""Share of people whose skin hardly answers (Boucsein 2012: about a tenth)."""
SCR_REFRACTORY_S = 1.2
"""Least time between two onsets: sudomotor bursts closer than this merge into one response."""
SHORTEST_RR_S, LONGEST_RR_S = 0.4, 1.6


@dataclass(frozen=True, slots=True)
class Traits:
    """What differs between people; drawn from the seed.

    Attributes
    ----------
    heart_rate, heart_rate_rise : float
        Rate at rest and what the stressor adds, in bpm.
    rsa_s, mayer_s : float
        Amplitude of breathing and Mayer waves in the RR interval at rest, in s.
    vagal_left : float
        Share of both that is left under stress.
    breath_hz, breath_rise_hz : float
        Breathing rate at rest and what stress adds.
    transit_s : float
        Time from R peak to the foot of the pulse at the wrist.
    scl, scl_gain : float
        Skin conductance level at rest in µS, and by which share stress raises it.
    scr_rate, scr_rate_rise : float
        Responses a minute at rest and what stress adds.
    scr_amplitude : float
        Median amplitude of a response in µS.
    temperature, temperature_fall : float
        Skin temperature at rest, and by how much it falls under lasting stress, in °C.
    r_wave : float
        Height of the R wave in mV.
    pulse : float
        Height of the pulse wave in device counts.
    restless : float
        Movements a minute at rest.
    """

    heart_rate: float
    heart_rate_rise: float
    rsa_s: float
    mayer_s: float
    vagal_left: float
    breath_hz: float
    breath_rise_hz: float
    transit_s: float
    scl: float
    scl_gain: float
    scr_rate: float
    scr_rate_rise: float
    scr_amplitude: float
    temperature: float
    temperature_fall: float
    r_wave: float
    pulse: float
    restless: float


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the protocol: its label, from `start_s` to `stop_s`."""

    label: str
    start_s: float
    stop_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How a session went inside, on a regular grid.

    Attributes
    ----------
    t_s : ndarray of float64, shape (n,)
        Seconds from the start.
    arousal : ndarray of float64, shape (n,)
        0 calm … 1 stressed.
    breath : ndarray of float64, shape (n,)
        −1 full expiration … 1 full inspiration.
    breath_hz : ndarray of float64, shape (n,)
        Breathing rate.
    """

    t_s: Array
    arousal: Array
    breath: Array
    breath_hz: Array

    def at(self, column: Array, t_s: Array) -> Array:
        """A column of the grid at other times."""
        return np.interp(t_s, self.t_s, column)


def draw_traits(rng: np.random.Generator, reactivity: float) -> Traits:
    """Draw a person; `reactivity` scales all that stress does (0 = nothing, 1 = as people are)."""
    answers = 0.1 if rng.random() < NON_RESPONDERS else 1.0
    lasting = 1.0 - rng.uniform(0.3, 0.6)
    return Traits(
        heart_rate=rng.uniform(58.0, 80.0),
        heart_rate_rise=rng.uniform(7.0, 22.0) * reactivity,
        rsa_s=rng.lognormal(math.log(0.032), 0.3),
        mayer_s=rng.lognormal(math.log(0.024), 0.25),
        vagal_left=1.0 - (1.0 - lasting) * min(reactivity, 1.0),
        breath_hz=rng.uniform(0.2, 0.27),
        breath_rise_hz=rng.uniform(0.03, 0.1) * reactivity,
        transit_s=rng.uniform(0.19, 0.25),
        scl=rng.lognormal(math.log(3.0), 0.5),
        scl_gain=rng.uniform(0.1, 0.5) * answers * reactivity,
        scr_rate=rng.uniform(0.8, 3.0),
        scr_rate_rise=rng.uniform(6.0, 15.0) * reactivity,
        scr_amplitude=rng.lognormal(math.log(0.22), 0.4) * answers,
        temperature=rng.uniform(31.0, 34.5),
        temperature_fall=rng.uniform(0.2, 1.2) * reactivity,
        r_wave=rng.uniform(0.7, 1.6),
        pulse=rng.uniform(500.0, 1500.0),
        restless=rng.uniform(0.2, 0.7),
    )


def wander(rng: np.random.Generator, n: int, rate_hz: float, tau_s: float) -> Array:
    """Slow random drift of unit variance: an Ornstein–Uhlenbeck process with time constant `tau_s`."""
    keep = math.exp(-1.0 / (rate_hz * tau_s))
    noise = rng.standard_normal(n) * math.sqrt(1.0 - keep * keep)
    if n:
        noise[0] = rng.standard_normal()
    out: Array = signal.lfilter([1.0], [1.0, -keep], noise)
    return out


def drift(rng: np.random.Generator, n: int, rate_hz: float, tau_s: float) -> Array:
    """Slow random drift of about unit variance without a rough edge: a level that does not twitch like a response."""
    keep = math.exp(-6.0 / (rate_hz * tau_s))
    rough = wander(rng, n, rate_hz, tau_s)
    for _ in range(2):
        start = [rough[0] * keep] if n else [0.0]
        rough, _ = signal.lfilter([1.0 - keep], [1.0, -keep], rough, zi=start)
    return rough


def course(traits: Traits, phases: Sequence[Phase], rng: np.random.Generator) -> Course:
    """Arousal and breathing over the protocol."""
    end_s = phases[-1].stop_s
    t = np.arange(0.0, end_s + 2.0, 1.0 / GRID_HZ)
    arousal = np.zeros(len(t))
    level = SETTLING
    for phase in phases:
        target = 1.0 if phase.label == "stress" else 0.0
        tau = AROUSAL_RISE_S if target > level else (SETTLING_S if phase.start_s == 0 else AROUSAL_FALL_S)
        inside = t >= phase.start_s
        arousal[inside] = target + (level - target) * np.exp((phase.start_s - t[inside]) / tau)
        level = target + (level - target) * math.exp((phase.start_s - phase.stop_s) / tau)
    arousal = np.clip(arousal + 0.06 * wander(rng, len(t), GRID_HZ, 30.0), 0.0, 1.2)
    breath_hz = traits.breath_hz + traits.breath_rise_hz * arousal + 0.015 * wander(rng, len(t), GRID_HZ, 8.0)
    breath_hz = np.clip(breath_hz, 0.12, 0.5)
    return Course(t, arousal, np.sin(2 * np.pi * np.cumsum(breath_hz) / GRID_HZ), breath_hz)


def beat_times(traits: Traits, body: Course, rng: np.random.Generator) -> Array:
    """Times of the R peaks, in s: mean rate by arousal, RSA, Mayer waves, slow drift and a millisecond of jitter."""
    n = len(body.t_s)
    drift_bpm = 1.5 * wander(rng, n, GRID_HZ, 40.0)
    mayer_hz = MAYER_HZ + 0.01 * wander(rng, n, GRID_HZ, 20.0)
    mayer = np.sin(rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.cumsum(mayer_hz) / GRID_HZ)
    vagal = 1.0 - (1.0 - traits.vagal_left) * np.minimum(body.arousal, 1.0)
    rr = 60.0 / (traits.heart_rate + traits.heart_rate_rise * body.arousal + drift_bpm)
    rr += vagal * (traits.mayer_s * mayer - traits.rsa_s * body.breath)
    rr = np.clip(rr, SHORTEST_RR_S, LONGEST_RR_S)
    beats: list[float] = []
    t = float(rng.uniform(0.2, 0.8))
    while t < body.t_s[-1]:
        beats.append(t)
        t += float(np.interp(t, body.t_s, rr)) + 0.002 * float(rng.standard_normal())
    return np.array(beats)


def scr_events(traits: Traits, body: Course, rng: np.random.Generator) -> tuple[Array, Array]:
    """Onsets (s) and amplitudes (µS) of skin conductance responses: a thinned Poisson process with a dead time."""
    highest = (traits.scr_rate + 1.3 * traits.scr_rate_rise) / 60.0
    onsets: list[float] = []
    amplitudes: list[float] = []
    t = 0.0
    while True:
        t += float(rng.exponential(1.0 / highest))
        if t >= body.t_s[-1]:
            return np.array(onsets), np.array(amplitudes)
        arousal = float(np.interp(t, body.t_s, body.arousal))
        keep = rng.random() < (traits.scr_rate + traits.scr_rate_rise * arousal) / 60.0 / highest
        size = traits.scr_amplitude * (1.0 + 0.8 * arousal) * float(rng.lognormal(0.0, 0.5))
        if keep and (not onsets or t - onsets[-1] >= SCR_REFRACTORY_S):
            onsets.append(t)
            amplitudes.append(size)
