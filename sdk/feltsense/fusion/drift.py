"""Whether what has been seen of a person still looks like what it is compared with: PSI and KS for each input.

Rules
-----
- Compared is a profile's histogram of an input (:mod:`feltsense.fusion.adaptive`) with the person's own earlier profile,
  or with the training people. Bins are joined to :data:`CELLS` cells that the training people fill equally.
- PSI = Σ (a − e) ln(a / e) over the cells' shares, Laplace-smoothed by half a window a cell so that an empty cell is
  finite (Siddiqi, Credit Risk Scorecards, 2006; he calls .25 a shift). KS = the largest distance of the two cumulative
  shares at the cells' edges, which is at most that of the values.
- Chance: windows that overlap are not independent, so that time counts in whole windows. Without a shift
  PSI / (1/n + 1/m) is χ² with CELLS − 1 degrees of freedom (Yurdakul, Statistical Properties of Population Stability
  Index, 2018) and KS / √(1/n + 1/m) is below 1.95 in 999 of 1,000 (Smirnov 1948). Neighbouring windows are alike, so
  that this is the least that must be passed: an input has drifted when both its measures are beyond chance and PSI is
  beyond .25.
- One person differs from all people in some inputs, and one day from another. The whole has drifted when
  more than half of the inputs have, which is what a loose strap, another device or another place on the body does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.fusion.adaptive import Adaptive

__all__ = ["CELLS", "LEAST_WINDOWS", "MOST_SHARE", "SHIFT", "Drift", "InputDrift", "drift", "since"]

CELLS = 8
"""As many as half an hour of windows fills with about four each: with fewer the χ² above is none."""
SHIFT = 0.25
"""Siddiqi's line for a shift that needs an answer."""
LEAST_WINDOWS = 30
"""Four a cell; below, an input is not judged."""
MOST_SHARE = 0.5
"""Most of the inputs: a few are unlike at any time."""
ALPHA = 0.001
"""Chance of a measure beyond its line where nothing has changed: one false input in thirty reports of thirty inputs."""
SMIRNOV = 1.95
"""√(−ln(ALPHA / 2) / 2)."""
MS = 1000


@dataclass(frozen=True, slots=True)
class InputDrift:
    """One input: both measures, whether they are beyond their lines, and the windows' worth of time behind them."""

    name: str
    psi: float
    ks: float
    windows: float
    drifted: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """All inputs that could be judged, and the names of those with too little time."""

    inputs: tuple[InputDrift, ...]
    unjudged: tuple[str, ...]

    @property
    def share(self) -> float:
        """Share of the judged inputs that have drifted; NaN where none could be judged."""
        return sum(i.drifted for i in self.inputs) / len(self.inputs) if self.inputs else math.nan

    @property
    def drifted(self) -> bool:
        """Whether more than half of them have."""
        return self.share > MOST_SHARE

    @property
    def text(self) -> str:
        """What to tell, with the offer of what to do."""
        if not self.inputs:
            return f"too little was seen to judge drift: it takes {LEAST_WINDOWS} windows' worth of time on both sides"
        moved = sorted((i for i in self.inputs if i.drifted), key=lambda i: (-i.psi, i.name))
        told = f"{len(moved)} of {len(self.inputs)} inputs have drifted"
        if not self.drifted:
            return f"no drift of the whole: {told}"
        most = ", ".join(i.name for i in moved[:3])
        return (
            f"{told}, most {most}: estimates may be off. Check how the sensor sits, then learn the rest again: "
            "feltsense calibrate RECORDING --rest START END --out PROFILE"
        )


def since(later: Mapping[str, Sequence[int]], earlier: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """What `later` has seen beyond `earlier`, a state of the same profile.

    Raises
    ------
    ProfileError
        If something was seen in `earlier` and not in `later`.
    """
    same = all(n in later and len(later[n]) == len(c) for n, c in earlier.items())
    out = {n: [a - b for a, b in zip(c, earlier.get(n, (0,) * len(c)), strict=True)] for n, c in later.items() if same}
    if not same or any(min(c, default=0) < 0 for c in out.values()):
        msg = "the earlier profile has seen what the later one has not: give two states of one profile, the later one first"
        raise ProfileError(msg)
    return out


def drift(
    adaptive: Adaptive, inputs: Sequence[str], seen: Mapping[str, Sequence[int]], window_s: float,
    reference: Mapping[str, Sequence[int]] | None = None,
) -> Drift:
    """Compare what was seen.

    Parameters
    ----------
    adaptive : Adaptive
        Bins and training people of the model.
    inputs : sequence of str
        The model's, in its order.
    seen : mapping of str to sequence of int
        Milliseconds in each bin of each input.
    window_s : float
        Length of a window.
    reference : mapping, optional
        Like `seen`, from earlier; the training people where left out.

    Raises
    ------
    ProfileError
        If a histogram has another number of bins than the model.
    """
    found: list[InputDrift] = []
    unjudged: list[str] = []
    for name, population in zip(inputs, adaptive.population, strict=True):
        cells = _cells(population)
        now = _windows(seen.get(name), cells, window_s)
        n = float(now.sum())
        if reference is None:
            before: NDArray[np.float64] = np.bincount(cells, population, CELLS).astype(np.float64)
            m = math.inf
        else:
            before = _windows(reference.get(name), cells, window_s)
            m = float(before.sum())
        if n < LEAST_WINDOWS or m < LEAST_WINDOWS:
            unjudged.append(name)
            continue
        chance = 1.0 / n + 1.0 / m
        a = (now + 0.5) / (n + 0.5 * CELLS)
        e = before if reference is None else (before + 0.5) / (m + 0.5 * CELLS)
        psi = float(((a - e) * np.log(a / e)).sum())
        ks = float(np.abs(np.cumsum(now / n) - np.cumsum(before / before.sum())).max())
        found.append(InputDrift(name, psi, ks, n, psi > max(SHIFT, _line() * chance) and ks > SMIRNOV * math.sqrt(chance)))
    return Drift(tuple(found), tuple(unjudged))


def _cells(population: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cell of each bin: by the share of the training people up to its middle."""
    middle = np.cumsum(population) - population / 2
    return np.clip((middle * CELLS).astype(np.int64), 0, CELLS - 1)


def _windows(counts: Sequence[int] | None, cells: NDArray[np.int64], window_s: float) -> NDArray[np.float64]:
    """Windows' worth of time in each cell."""
    if counts is None:
        return np.zeros(CELLS)
    if len(counts) != len(cells):
        msg = f"a profile's histogram has {len(counts)} bins and the model's {len(cells)}: calibrate again with this model"
        raise ProfileError(msg)
    out: NDArray[np.float64] = np.bincount(cells, np.asarray(counts, np.float64), CELLS).astype(np.float64) / (MS * window_s)
    return out


def _line() -> float:
    from scipy.special import chdtri

    return float(chdtri(CELLS - 1, ALPHA))
