"""What a recording leaves behind to be recognised by: the same signal under two names, and normalisation of a session.

Rules
-----
- A print is a hash of the *ups and downs* of consecutive samples, so that a copy is found however it was scaled,
  shifted, cut or relabelled. Which prints are kept is decided by their value alone (winnowing: Schleimer 2003,
  SIGMOD, "hash mod p"), so that two cuts of a recording keep the same ones.
- Stretches that hardly turn (a strap in a drawer, a slow decay) give no print: they look alike in everybody.
- Moments are over the whole recording: real people differ in them. A signal that has the same mean and the same
  spread in everyone was normalised by its whole session, test conditions included.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.recording import Recording

__all__ = ["Moments", "Traces", "alike", "moments_of", "normalised", "sharing", "traces"]

FAST_HZ = 16.0
LEVELS_FAST, LEVELS_SLOW = 8, 6
"""log2 of the samples of a print: 256 of a pulse wave or an ECG, 64 of skin conductance."""
KEEP_FAST, KEEP_SLOW = 512, 32
"""One print in so many is kept: some hundred an hour for either kind of signal."""
LEAST_TURNS = 1 / 8
"""Turning points a sample that a stretch needs to be told from others."""
ALIKE, ALIKE_LEAST = 0.05, 5
"""Two recordings are one where they share this part of the fewer prints, and this number of them: 3 minutes of an
hour. Different people share none."""
SAME = 1e-3
"""Means (in standard deviations) and spreads (as ratios) that differ by less than this in everyone were made equal."""
LEAST_PEOPLE = 3
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ODD = tuple(np.uint64(c) for c in (
    0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F,
    0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3, 0x1D8E4E27C47D124F,
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moments:
    """Of one channel over a whole recording: samples, mean, standard deviation, extremes and how often each is met."""

    n: int
    mean: float
    sd: float
    low: float
    high: float
    at_low: int
    at_high: int


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """Of one recording.

    Attributes
    ----------
    prints : ndarray of uint64
        Sorted, unique.
    moments : mapping of str to Moments
        Stream and channel → its moments.
    """

    prints: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    moments: Mapping[str, Moments] = field(default_factory=dict)


def traces(recording: Recording) -> Traces:
    """What a recording can be recognised by."""
    prints, moments = [np.empty(0, np.uint64)], {}
    for name, stream in sorted(recording.streams.items()):
        rate = stream.info.spec.rate
        if rate is None or not stream.segments:
            continue
        values = [s.values for s in stream.segments]
        for c in range(values[0].shape[1]):
            columns = [v[:, c] for v in values]
            prints += [_prints(v, float(rate)) for v in columns]
            found = moments_of(np.concatenate(columns))
            if found is not None:
                moments[f"{name}[{c}]"] = found
    return Traces(np.unique(np.concatenate(prints)), moments)


def _prints(x: NDArray[np.float64], rate: float) -> NDArray[np.uint64]:
    levels, keep = (LEVELS_FAST, KEEP_FAST) if rate > FAST_HZ else (LEVELS_SLOW, KEEP_SLOW)
    length = 1 << levels
    if len(x) < length + 2:
        return np.empty(0, np.uint64)
    step = np.sign(np.diff(x))
    turns = np.concatenate([[0.0], np.cumsum(step[1:] * step[:-1] < 0)])
    h = (step + 2.0).astype(np.uint64) * _MIX
    for k in range(levels):
        h = h[: len(h) - (1 << k)] * _ODD[k] + h[1 << k :]
        h ^= h >> np.uint64(29)
    turned = turns[length - 1 : length - 1 + len(h)] - turns[: len(h)]
    sharp = np.isfinite(turned) & (turned >= LEAST_TURNS * length) & (h % np.uint64(keep) == 0)
    out: NDArray[np.uint64] = h[sharp]
    return out


def moments_of(x: NDArray[np.float64]) -> Moments | None:
    """Of one channel; None where nothing is finite."""
    x = x[np.isfinite(x)]
    if not len(x):
        return None
    low, high = float(x.min()), float(x.max())
    return Moments(
        len(x), float(x.mean()), float(x.std()), low, high, int((x == low).sum()), int((x == high).sum())
    )


def alike(a: Traces, b: Traces) -> bool:
    """Whether two recordings hold the same signal."""
    shared = len(np.intersect1d(a.prints, b.prints, assume_unique=True))
    return shared >= ALIKE_LEAST and shared >= ALIKE * min(len(a.prints), len(b.prints))


def sharing(every: Sequence[Traces]) -> list[tuple[int, int]]:
    """Pairs of recordings that share any print, the earlier first: among thousands only these need be compared."""
    owner = np.repeat(np.arange(len(every)), [len(t.prints) for t in every])
    prints = np.concatenate([np.empty(0, np.uint64), *(t.prints for t in every)])
    order = np.argsort(prints, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(prints[order]) != 0])) if len(prints) else order
    sizes = np.diff(starts, append=len(prints))
    pairs = set()
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        pairs |= set(combinations(owner[order[start : start + size]].tolist(), 2))
    return sorted(pairs, key=lambda p: (p[1], p[0]))


def normalised(every: Sequence[Traces]) -> list[str]:
    """Channels that were normalised by their whole session in everyone, with how it shows."""
    out = []
    for name in sorted({n for t in every for n in t.moments}):
        found = [t.moments[name] for t in every if name in t.moments]
        if len(found) < LEAST_PEOPLE or any(m.sd <= 0 for m in found):
            continue
        mean, sd = np.array([m.mean for m in found]), np.array([m.sd for m in found])
        low, high = np.array([m.low for m in found]), np.array([m.high for m in found])
        typical = float(np.median(sd))
        if np.ptp(mean) < SAME * typical and np.ptp(sd) < SAME * typical:
            out.append(f"{name} has mean {mean[0]:.3g} and standard deviation {sd[0]:.3g} in every recording")
        elif np.ptp(low) == 0 and np.ptp(high) == 0 and all(max(m.at_low, m.at_high) <= LEAST_PEOPLE for m in found):
            # A converter that clips meets its ends often; who scales to the extremes meets each once.
            out.append(f"{name} runs from exactly {low[0]:.3g} to {high[0]:.3g} in every recording")
    return out
