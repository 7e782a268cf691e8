"""What sensors on a synthetic participant would read: beats become ECG and pulse waves, sweat becomes conductance.

Rules
-----
- Each function gives one stream's samples at the times asked for, in the catalogue's unit, already with the
  sensor's noise and resolution. The R wave's summit is the beat's time; the foot of the pulse is the pulse's.
- Movements are shared: what moves the wrist disturbs the pulse wave and, a little, the ECG.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import signal

from feltsense.datasets._person import drift, wander

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.datasets._person import Course, Traits

    Array = NDArray[np.float64]

__all__ = ["chest_acceleration", "ecg", "eda", "movements", "pulse_wave", "skin_temperature", "wrist_acceleration"]

ECG_STEP_MV = 0.001
ACC_STEP_G = 0.001
TEMPERATURE_STEP_C = 0.01
EDA_STEP_US = 0.001
PPG_STEP = 1.0
"""Resolutions of the devices that are imitated."""

# P, Q, R, S, T: delay from the R peak as a share of √RR (R wave and its neighbours: in s), height as a share of R,
# width (standard deviation, s). Intervals that follow the rate do so by its square root (Bazett).
_P, _T = (-0.18, 0.12, 0.022), (0.29, 0.27, 0.042)
_QRS = ((-0.026, -0.10, 0.008), (0.0, 1.0, 0.0105), (0.028, -0.20, 0.010))

# Systolic wave, reflected wave, diastolic wave: delay of the summit from the foot (s), share of height, width (s).
_PULSE = ((0.135, 1.0, 0.055), (0.27, 0.42, 0.085), (0.42, 0.24, 0.09))

EDA_RISE_S, EDA_DECAY_S = 0.75, 3.0
"""Time constants of the bi-exponential (Bateman) response of the skin."""
MOVES_MORE = 2.0
"""Stress makes people fidget: rate of movements under stress as a multiple of that at rest, plus one."""
GRAVITY_G = 1.0


_FELT = 8.7
"""Widths up to which a bump is felt: beyond, it is smaller than the last bit of its height."""


def _step(values: Array, step: float) -> Array:
    # Multiplying by the count of steps a unit keeps 0.001 exactly the nearest double to a decimal number.
    return np.rint(values / step) / round(1.0 / step)


def _bumps(t: Array, centres: Array, heights: Array, widths: Array) -> Array:
    """Sum of Gaussian bumps on a regular grid, each computed where it is felt."""
    rate = 1.0 / (t[1] - t[0])
    reach = int(np.ceil(_FELT * widths.max(initial=0.0) * rate))
    at = np.floor((centres - t[0]) * rate).astype(np.int64)[:, None] + np.arange(-reach, reach + 2)
    away = (t[np.clip(at, 0, len(t) - 1)] - centres[:, None]) / widths[:, None]
    wave = heights[:, None] * np.exp(-0.5 * away**2)
    inside = (at >= 0) & (at < len(t))
    out: Array = np.bincount(at[inside], wave[inside], minlength=len(t)).astype(np.float64, copy=False)
    return out


def ecg(traits: Traits, body: Course, beats: Array, moving: Array, rng: np.random.Generator, t: Array) -> Array:
    """One chest lead in mV: P, QRS and T as Gaussian bumps, breathing in height and baseline, muscle noise."""
    rr = np.diff(beats, append=2 * beats[-1] - beats[-2])
    root = np.sqrt(rr)
    height = traits.r_wave * (1.0 + 0.06 * body.at(body.breath, beats))
    out = np.zeros(len(t))
    for delay, share, width in (_P, _T):
        out += _bumps(t, beats + delay * root, share * height, np.full(len(beats), width))
    for delay, share, width in _QRS:
        out += _bumps(t, beats + delay, share * height, np.full(len(beats), width))
    rate = 1.0 / (t[1] - t[0])
    out += 0.04 * body.at(body.breath, t) + 0.05 * wander(rng, len(t), rate, 3.0)
    out += rng.standard_normal(len(t)) * (0.010 + 0.10 * np.interp(t, body.t_s, moving))
    return _step(out, ECG_STEP_MV)


def pulse_wave(traits: Traits, body: Course, pulses: Array, moving: Array, rng: np.random.Generator, t: Array) -> Array:
    """Wrist photoplethysmogram in counts, blood volume upwards: three waves a pulse, smaller under stress."""
    constricted = 1.0 - 0.3 * np.minimum(body.at(body.arousal, pulses), 1.0)
    height = traits.pulse * constricted * (1.0 + 0.05 * body.at(body.breath, pulses))
    out = np.zeros(len(t))
    for delay, share, width in _PULSE:
        out += _bumps(t, pulses + delay, share * height, np.full(len(pulses), width))
    rate = 1.0 / (t[1] - t[0])
    shake = np.interp(t, body.t_s, moving)
    out += traits.pulse * (0.12 * body.at(body.breath, t) + 0.15 * wander(rng, len(t), rate, 5.0) - 0.4)
    out += traits.pulse * (0.01 * rng.standard_normal(len(t)) + 6.0 * shake * wander(rng, len(t), rate, 0.12))
    return _step(out, PPG_STEP)


def eda(traits: Traits, body: Course, onsets: Array, amplitudes: Array, rng: np.random.Generator, t: Array) -> Array:
    """Skin conductance in µS: a level that follows arousal slowly, and a Bateman response at each onset."""
    rate = 1.0 / (t[1] - t[0])
    step = body.t_s[1] - body.t_s[0]
    kernel = np.exp(-np.arange(0.0, 90.0, step) / 25.0)
    slow = signal.oaconvolve(body.arousal, kernel / kernel.sum())[: len(body.t_s)]
    level = traits.scl * (1.0 + traits.scl_gain * np.interp(t, body.t_s, slow) + 0.03 * drift(rng, len(t), rate, 120.0))
    out = np.maximum(level, 0.3)
    peak_at = np.log(EDA_DECAY_S / EDA_RISE_S) * EDA_RISE_S * EDA_DECAY_S / (EDA_DECAY_S - EDA_RISE_S)
    peak = np.exp(-peak_at / EDA_DECAY_S) - np.exp(-peak_at / EDA_RISE_S)
    for onset, amplitude in zip(onsets, amplitudes, strict=True):
        a, b = np.searchsorted(t, (onset, onset + 12 * EDA_DECAY_S))
        dt = t[a:b] - onset
        out[a:b] += amplitude / peak * (np.exp(-dt / EDA_DECAY_S) - np.exp(-dt / EDA_RISE_S))
    return _step(out + 0.0015 * rng.standard_normal(len(t)), EDA_STEP_US)


def skin_temperature(traits: Traits, body: Course, rng: np.random.Generator, t: Array) -> Array:
    """Wrist temperature in °C: warms under the strap, cools slowly while vessels are constricted."""
    rate = 1.0 / (t[1] - t[0])
    step = body.t_s[1] - body.t_s[0]
    kernel = np.exp(-np.arange(0.0, 600.0, step) / 120.0)
    slow = signal.oaconvolve(body.arousal, kernel / kernel.sum())[: len(body.t_s)]
    warming = -0.6 * np.exp(-t / 300.0)
    out = traits.temperature + warming - traits.temperature_fall * np.interp(t, body.t_s, slow)
    out += 0.05 * wander(rng, len(t), rate, 120.0) + 0.004 * rng.standard_normal(len(t))
    return _step(out, TEMPERATURE_STEP_C)


def movements(traits: Traits, body: Course, rng: np.random.Generator) -> Array:
    """How much the arm moves (g, standard deviation) on the grid of the course: short bursts, more under stress."""
    out = np.zeros(len(body.t_s))
    t = 0.0
    highest = traits.restless * (1.0 + 1.3 * MOVES_MORE) / 60.0
    while True:
        t += float(rng.exponential(1.0 / highest))
        length, size, keep = rng.uniform(0.8, 4.0), rng.lognormal(np.log(0.04), 0.6), rng.random()
        if t + length >= body.t_s[-1]:
            return out
        a, b = np.searchsorted(body.t_s, (t, t + length))
        if keep * (1.0 + 1.3 * MOVES_MORE) < 1.0 + MOVES_MORE * body.arousal[a]:
            out[a:b] = np.maximum(out[a:b], size * np.hanning(b - a + 2)[1:-1])


def wrist_acceleration(body: Course, moving: Array, rng: np.random.Generator, t: Array) -> Array:
    """Acceleration at the wrist in g, shape (n, 3): gravity in a posture that drifts, bursts of movement, noise."""
    rate = 1.0 / (t[1] - t[0])
    shake = np.interp(t, body.t_s, moving)
    posture = rng.standard_normal(3)
    shift = np.cumsum(shake)[:, None] / rate * rng.standard_normal(3) * 0.5
    return _acceleration(posture + shift, shake, rng, rate)


def chest_acceleration(body: Course, beats: Array, moving: Array, rng: np.random.Generator, t: Array) -> Array:
    """Acceleration at the chest in g, shape (n, 3): upright, tilted by breathing, knocked by each heart beat."""
    rate = 1.0 / (t[1] - t[0])
    shake = 0.3 * np.interp(t, body.t_s, moving)
    lean = np.array([0.05, -0.97, 0.2]) + 0.05 * rng.standard_normal(3)
    tilt = 0.012 * body.at(body.breath, t)[:, None] * np.array([0.0, 0.2, 1.0])
    out = _acceleration(lean + tilt, shake, rng, rate)
    out[:, 2] += _bumps(t, beats + 0.06, np.full(len(beats), 0.006), np.full(len(beats), 0.02))
    return _step(out, ACC_STEP_G)


def _acceleration(direction: Array, shake: Array, rng: np.random.Generator, rate: float) -> Array:
    unit = np.atleast_2d(direction) / np.linalg.norm(np.atleast_2d(direction), axis=1, keepdims=True)
    out = np.broadcast_to(GRAVITY_G * unit, (len(shake), 3)).copy()
    for axis in range(3):
        out[:, axis] += shake * wander(rng, len(shake), rate, 0.08) + 0.003 * rng.standard_normal(len(shake))
    return _step(out, ACC_STEP_G)
