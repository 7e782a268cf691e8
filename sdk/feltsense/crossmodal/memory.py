"""What a joint part looks back at: tokens of the windows that ended 30, 60 and 90 s ago, at any hop.

Of the windows there are, the one nearest to each age counts, if it is at most half a step off; of two equally near, the
newer. A hop of 5 s so looks back at the same moments as one of 30 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.timeline import to_ns
from feltsense.crossmodal.attention import AGES_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLOSE_S", "Memory", "earlier", "looked_back", "starts"]

CLOSE_S = 15.0
"""Half a step of :data:`feltsense.crossmodal.attention.AGES_S`."""


class Memory:
    """Tokens of a session's last windows, bounded in time.

    Parameters
    ----------
    blank : (ndarray, ndarray)
        Shape (1, steps, modalities, width) and (1, steps, modalities), zeros; without steps nothing is kept.
    """

    def __init__(self, blank: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
        self._blank = blank
        self._kept: list[tuple[int, NDArray[np.float64], NDArray[np.float64]]] = []

    def add(self, stop_ns: int, token: NDArray[np.float64], gate: NDArray[np.float64]) -> None:
        """Keep a window's."""
        if not self._blank[1].shape[1]:
            return
        oldest = stop_ns - to_ns(AGES_S[-1] + CLOSE_S)
        self._kept = [k for k in self._kept if k[0] >= oldest] + [(stop_ns, token, gate)]

    def at(self, stop_ns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Earlier tokens and gates as a window that ends then sees them."""
        tokens, gates = np.array(self._blank[0]), np.array(self._blank[1])
        for s in range(gates.shape[1] if self._kept else 0):
            meant = stop_ns - to_ns(AGES_S[1 + s])
            stop, token, gate = min(self._kept, key=lambda k: (abs(k[0] - meant), -k[0]))
            if abs(stop - meant) <= to_ns(CLOSE_S):
                tokens[0, s], gates[0, s] = token, gate
        return tokens, gates


def earlier(stop_s: NDArray[np.float64], fresh: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which windows of one recording are looked back at (n, steps), −1 for none: :class:`Memory` for all at once.

    Parameters
    ----------
    stop_s : ndarray, shape (n,)
        Ends of the windows, increasing.
    fresh : ndarray of bool, shape (n,)
        Where the memory starts anew: nothing before is looked at.
    """
    first = np.maximum.accumulate(np.where(fresh, np.arange(len(stop_s)), 0))
    stop = np.array([to_ns(t) for t in stop_s.tolist()], np.int64)
    out = np.full((len(stop), len(AGES_S) - 1), -1, np.int64)
    for s, age in enumerate(AGES_S[1:]):
        right = np.clip(np.searchsorted(stop, stop - to_ns(age)), first, np.maximum(np.arange(len(stop)) - 1, 0))
        for shift in (1, 0):
            # The newer of two equally near ones is looked at last, and stays.
            candidate = right - shift
            usable = (candidate >= first) & (candidate < np.arange(len(stop)))
            away = np.abs(stop[candidate] - (stop - to_ns(age)))
            now = np.where(out[:, s] >= 0, np.abs(stop[out[:, s]] - (stop - to_ns(age))), to_ns(CLOSE_S))
            out[:, s] = np.where(usable & (away <= now), candidate, out[:, s])
    return out


def starts(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a session's memory starts anew: at its beginning, and where the person's baseline begins to apply."""
    out: NDArray[np.bool_] = np.concatenate([[True], known[1:] != known[:-1]])[: len(known)]
    return out


def looked_back(
    token: NDArray[np.float64], gate: NDArray[np.float64], past: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Earlier tokens and gates of each window, from everybody's own and :func:`earlier`."""
    there = past >= 0
    index = np.maximum(past, 0)
    return np.where(there[:, :, None, None], token[index], 0.0), np.where(there[:, :, None], gate[index], 0.0)
