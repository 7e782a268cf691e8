"""The beats of a whole gapless run of ECG at once: the same bits as :class:`feltsense.features._beats.BeatLine`.

The stream advances block by block and beat by beat. Here all blocks of a run are filtered as the rows of one array, all
beats measured as the rows of another, and what the stream decides in order is decided in the same order; a test holds
both to the last bit. Sums run along rows, where numpy adds up in the same order as for one row alone.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.signal import find_peaks

from feltsense.dsp import peaks
from feltsense.dsp.blocks import samples
from feltsense.dsp.correction import Classifier, stands_out
from feltsense.dsp.intervals import quantile_rows
from feltsense.dsp.qrs_filter import QRS_MEAN_SECONDS, QrsOperation
from feltsense.dsp.waves import Qrs
from feltsense.features import _beats
from feltsense.quality.beats import LEAST_NEIGHBOURS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.features._beats import BeatRule

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Found", "RunBeats", "apart", "between_samples", "crests", "judged", "known_in", "run_beats"]

_ROWS = 64
"""Blocks filtered together: half a megabyte, which stays in the cache."""


class RunBeats(NamedTuple):
    """All beats of a run, as columns of :class:`feltsense.features._beats.Beats`."""

    t_ns: Ints
    interval_ms: Array
    valid: NDArray[np.bool_]
    likeness: Array
    pair: Array
    kinds: NDArray[np.int8]

    @classmethod
    def none(cls) -> RunBeats:
        """No beats."""
        x = np.empty(0)
        return cls(np.empty(0, np.int64), x, np.empty(0, np.bool_), x, x, np.empty(0, np.int8))


def run_beats(x: Array, t_ns: Ints, device_ns: Ints, rate: float, rule: BeatRule) -> RunBeats:
    """Beats of one run.

    Parameters
    ----------
    x : ndarray, shape (n,)
        The run's samples, mV.
    t_ns, device_ns : ndarray of int64, shape (n,)
        Their session and device times.
    rate : float
        Hz.
    rule : BeatRule
        Which beats to trust.
    """
    wave = Qrs(rate)
    block = samples(_beats.BLOCK_SECONDS, rate)
    clean, excess = _filtered(x, rate, block)
    at, decided = _peaks(clean, excess > 0.0, rate, block)
    at, decided, shapes, offset = _measured(clean, at, decided, wave, block)
    fiducial = at + offset
    found = Found(at, decided, shapes, between_samples(fiducial, device_ns))
    return RunBeats(between_samples(fiducial, t_ns), *judged(found, rule, rate, len(x)))


class Found(NamedTuple):
    """Measured beats of a run, not judged yet: peak, block in which each is known, shape, device time."""

    at: Ints
    known: Ints
    shapes: Array
    device_ns: Ints


class Judged(NamedTuple):
    """What :class:`RunBeats` says of each beat beside its time."""

    interval_ms: Array
    valid: NDArray[np.bool_]
    likeness: Array
    pair: Array
    kinds: NDArray[np.int8]


def judged(found: Found, rule: BeatRule, rate: float, n: int) -> Judged:
    """Likeness of each beat, validity and class of each interval, in a run of `n` samples."""
    block = samples(_beats.BLOCK_SECONDS, rate)
    at = found.at
    like = _likeness(at, found.known, found.shapes, samples(_beats.SHAPE_SECONDS, rate), block, n)
    interval, pair = np.full(len(at), np.nan), np.full(len(at), np.nan)
    interval[1:] = np.diff(found.device_ns) / 1e6
    pair[1:] = np.minimum(like[1:], like[:-1])
    blocks = -(-n // block)
    known = np.arange(blocks) + 1 + _beats.RHYTHM_BLOCKS
    # At a run's end all that is left is judged at once.
    known[(known + _beats.SHAPE_BLOCKS) * block > n] = blocks
    valid = _valid(at, interval, pair, rule, back=samples(_beats.RHYTHM_SECONDS, rate), block=block, known=known)
    kinds = _kinds(at, interval, block, known) if rule.corrects else np.zeros(len(at), np.int8)
    return Judged(interval, valid, like, pair, kinds)


def between_samples(position: Array, stamps: Ints) -> Ints:
    """Times of positions between samples, whose own times are given."""
    whole = np.floor(position).astype(np.int64)
    after = np.minimum(whole + 1, len(stamps) - 1)
    step = (position - whole) * (stamps[after] - stamps[whole])
    out: Ints = stamps[whole] + np.rint(step).astype(np.int64)
    return out


def known_in(at: Ints, decided: Ints, ahead: int, block: int, n: int) -> Ints:
    """Block in which peaks are measured, with their surroundings, one after the other; n where it is the run's end."""
    if not len(at):
        return decided
    known = np.maximum.accumulate(np.maximum(decided, -(-(at + ahead) // block) - 1))
    known[(known + 1) * block > n] = n
    return known


def _filtered(x: Array, rate: float, block: int) -> tuple[Array, Array]:
    """Cleaned ECG and steepness over its threshold, block by block as the stream filters them."""
    after, operation = samples(_beats.AFTER_SECONDS, rate), QrsOperation(rate)
    margin, n = operation.margin, len(x)
    out = np.empty((n, 2))
    forwards = operation.forwards(x, operation.begin(float(x[0])))
    first = -(-margin // block)
    last = (n - after) // block  # blocks first..last−1 have their whole context
    for start in range(0, n, block):
        if first * block <= start < last * block:
            continue
        a, stop = max(start - margin, 0), min(start + block, n)
        out[start:stop] = operation.rows(forwards[a : start + block + after], start - a, stop - a)
    if last > first:
        spans = np.lib.stride_tricks.sliding_window_view(forwards, margin + block + after)[first * block - margin :: block]
        for k in range(first, last, _ROWS):
            many = spans[k - first : min(k + _ROWS, last) - first]
            out[k * block : (k + len(many)) * block] = operation.many(many, margin, margin + block)
    return out[:, 0].copy(), out[:, 1]


def _peaks(clean: Array, flag: NDArray[np.bool_], rate: float, block: int) -> tuple[Ints, Ints]:
    """R peaks, and the block in which each is decided."""
    edges = np.flatnonzero(np.diff(flag, prepend=False))
    rises, falls = edges[flag[edges]], edges[~flag[edges]].astype(np.int64)
    rises = rises[: len(falls)]
    begin, end, decided = np.maximum(rises - 1, 0), falls - 1, falls // block
    longest = samples(2 * QRS_MEAN_SECONDS, rate)
    low = np.maximum(begin, np.where(decided > 0, decided * block - longest, 0))
    high, deep = _extremes(clean, low, end)
    good = _long_enough(end - rises + 1) & (high - deep >= peaks.QRS_LEAST_MV)
    begin, end, low, decided = begin[good], end[good], low[good], decided[good]
    signs = _signs(clean, high[good], deep[good], decided, block)
    found = crests(clean, low, end, signs)
    at = begin + (found - low)  # as the stream counts, also in a stretch longer than it remembers
    keep = apart(at, found >= 0, rate)
    return at[keep], decided[keep]


def apart(at: Ints, real: NDArray[np.bool_], rate: float) -> list[int]:
    """Which of the real peaks do not follow the last one too soon."""
    dead, last, keep = round(peaks.DEAD_SECONDS * rate), peaks.NEVER, []
    for i in np.flatnonzero(real).tolist():
        if int(at[i]) - last > dead:
            last = int(at[i])
            keep.append(i)
    return keep


def _long_enough(length: Ints) -> NDArray[np.bool_]:
    """Which complexes are long enough beside the running mean of the last ones, themselves included."""
    total = np.concatenate(([0], np.cumsum(length)))
    stop = np.arange(1, len(total))
    start = np.maximum(stop - peaks.QRS_MEMORY, 0)
    enough: NDArray[np.bool_] = length * (stop - start) >= peaks.QRS_LEAST_LENGTH * (total[stop] - total[start])
    return enough


def _extremes(x: Array, start: Ints, stop: Ints) -> tuple[Array, Array]:
    """Largest and smallest in [start, stop) of each; equal where there is nothing."""
    high, low = np.zeros(len(start)), np.zeros(len(start))
    full = stop > start
    if full.any():
        # Stretches do not overlap, but what lies between them must not count: every second segment is one.
        cuts = np.column_stack((start[full], stop[full])).ravel()
        order = np.maximum.accumulate(cuts)
        high[full] = np.maximum.reduceat(x, order)[::2]
        low[full] = np.minimum.reduceat(x, order)[::2]
    return high, low


def _signs(clean: Array, high: Array, deep: Array, decided: Ints, block: int) -> Ints:
    """Polarity of the lead for each complex: the vote of the last ones, those of its own block included."""
    whole = len(clean) // block
    parts = clean[: whole * block].reshape(whole, block), clean[None, whole * block :]
    level = np.concatenate([quantile_rows(np.sort(p, axis=1), 0.5) for p in parts if p.size])[decided]
    height, depth = high - level, level - deep
    down, up = depth > peaks.QRS_INVERTED * height, height > peaks.QRS_INVERTED * depth
    vote, of = np.where(down, -1, np.where(up, 1, 0)).tolist(), decided.tolist()
    votes: deque[int] = deque(maxlen=peaks.QRS_POLARITY_MEMORY)
    out, sign, i = np.ones(len(decided), np.int64), 1, 0
    while i < len(of):
        k, first = of[i], i
        while i < len(of) and of[i] == k:
            votes.append(vote[i])
            i += 1
        total = sum(votes)
        if 2 * abs(total) > len(votes):
            sign = 1 if total > 0 else -1
        out[first:i] = sign
    return out


def crests(clean: Array, low: Ints, end: Ints, signs: Ints) -> Ints:
    """Most prominent crest in each [low, end); −1 where there is none."""
    out = np.full(len(low), -1)
    for sign in (1, -1):
        mine = np.flatnonzero(signs == sign)
        if not len(mine):
            continue
        wave = clean if sign > 0 else -clean
        at, shape = find_peaks(wave, plateau_size=1)
        inside = np.searchsorted(shape["left_edges"], low[mine] + 1), np.searchsorted(shape["right_edges"], end[mine] - 1)
        count = inside[1] - inside[0]
        for m in np.unique(count[count > 0]).tolist():
            group = np.flatnonzero(count == m)
            at_most = at[inside[0][group][:, None] + np.arange(m)]
            best = _most_prominent(wave, low[mine[group]], end[mine[group]], at_most) if m > 1 else 0
            out[mine[group]] = at_most[np.arange(len(group)), best]
    return out


def _most_prominent(wave: Array, low: Ints, end: Ints, at: Ints) -> Ints:
    """Which of the crests of each [low, end) is the most prominent there; the first of equals.

    Parameters
    ----------
    wave : ndarray, shape (n,)
        The signal.
    low, end : ndarray of int64, shape (k,)
        Stretches.
    at : ndarray of int64, shape (k, m)
        All their crests, in order.
    """
    k, m = at.shape
    # Deepest point between neighbouring crests: nothing but crests turns the wave down.
    cuts = np.column_stack((low, at, end))
    flat = np.column_stack((cuts[:, :-1], cuts[:, 1:])).reshape(k, 2, m + 1).transpose(0, 2, 1).reshape(-1)
    valley = np.minimum.reduceat(wave, flat)[::2].reshape(k, m + 1)
    height = wave[at]
    prominence = np.empty((k, m))
    for j in range(m):
        base = np.full(k, -np.inf)
        for step in (-1, 1):
            deepest, open_ = np.full(k, np.inf), np.ones(k, np.bool_)
            i = j
            while 0 <= i < m:
                gap = valley[:, i] if step < 0 else valley[:, i + 1]
                deepest = np.where(open_, np.minimum(deepest, gap), deepest)
                i += step
                if 0 <= i < m:
                    open_ = open_ & (height[:, i] <= height[:, j])
            base = np.maximum(base, deepest)
        prominence[:, j] = height[:, j] - base
    return np.asarray(prominence.argmax(axis=1), np.int64)


def _measured(clean: Array, at: Ints, decided: Ints, wave: Qrs, block: int) -> tuple[Ints, Ints, Array, Array]:
    """Beats that have their surroundings: peak, block at which they are known, shape, offset of the crest."""
    left, right = wave.sides
    n = len(clean)
    known = known_in(at, decided, wave.ahead, block, n)
    # What comes after its block was judged comes too late.
    late = (known < n) & (at // block < known - _beats.SHAPE_BLOCKS)
    keep = (at >= left) & (at + right <= n) & ~late
    at, known = at[keep], known[keep]
    around = clean[at[:, None] + np.arange(-left, right)]
    spread = around.std(axis=1)
    some = spread > 0.0
    at, known, around, spread = at[some], known[some], around[some], spread[some]
    shapes = (around - around.mean(axis=1, keepdims=True)) / spread[:, None]
    offset = peaks.parabolas(*(clean[at + k] for k in (-1, 0, 1)))
    return at, known, shapes, offset


def _likeness(at: Ints, known: Ints, shapes: Array, back: int, block: int, n: int) -> Array:
    """Correlation of each beat with the median shape of its block's neighbourhood."""
    out = np.zeros(len(at))
    if not len(at):
        return out
    of = at // block
    blocks = np.unique(of)
    ahead = blocks + _beats.SHAPE_BLOCKS
    first = np.searchsorted(at, blocks * block - back)
    stop = np.where((ahead + 1) * block > n, len(at), np.searchsorted(known, ahead, side="right"))
    size = stop - first
    template = np.zeros((len(blocks), shapes.shape[1]))
    for m in np.unique(size[size >= LEAST_NEIGHBOURS]).tolist():
        same = np.flatnonzero(size == m)
        for part in np.split(same, range(_ROWS, len(same), _ROWS)):
            near = np.ascontiguousarray(shapes[first[part][:, None] + np.arange(m)].transpose(0, 2, 1))
            near.sort(axis=2)
            template[part] = near[:, :, m // 2] if m % 2 else (near[:, :, m // 2 - 1] + near[:, :, m // 2]) / 2.0
    template -= template.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.mean(template * template, axis=1))
    scale[size < LEAST_NEIGHBOURS] = 0.0
    mine = np.searchsorted(blocks, of)
    some = scale[mine] > 0.0
    out[some] = np.mean(shapes[some] * template[mine[some]], axis=1) / scale[mine[some]]
    return out


def _valid(
    at: Ints, interval: Array, pair: Array, rule: BeatRule, *, back: int, block: int, known: Ints
) -> NDArray[np.bool_]:
    """Which intervals are trusted, plausible and near the median of those around them."""
    limits = rule.interval
    plausible = (pair > rule.trusted) & (interval >= limits.low_ms) & (interval <= limits.high_ms)
    good = np.flatnonzero(plausible)
    of = at // block
    blocks = np.unique(of)
    first = np.searchsorted(at[good], blocks * block - back)
    stop = np.searchsorted(at[good], known[blocks] * block)
    size = stop - first
    median = np.full(len(blocks), np.nan)
    enough = size >= max(limits.least, 1)
    if enough.any():
        reach = np.arange(int(size.max()))
        index = np.minimum(first[enough][:, None] + reach, len(good) - 1)
        rows = np.where(reach < size[enough][:, None], interval[good][index], np.inf)
        rows.sort(axis=1)
        middle = 0.5 * (size[enough] - 1)
        low = middle.astype(np.int64)
        high = np.minimum(low + 1, size[enough] - 1)
        each = np.arange(len(rows))
        median[enough] = rows[each, low] + (rows[each, high] - rows[each, low]) * (middle - low)
    centre = median[np.searchsorted(blocks, of)]
    with np.errstate(invalid="ignore"):
        valid: NDArray[np.bool_] = plausible & (np.abs(interval - centre) <= limits.deviation * centre)
    return valid


def _kinds(at: Ints, interval: Array, block: int, known: Ints) -> NDArray[np.int8]:
    """Classes of the beats; only blocks in which something stands out are looked at closely."""
    kinds = np.zeros(len(at), np.int8)
    if len(at) < 2:
        return kinds
    series = interval[1:]  # a run's first beat has no interval
    place = at[1:]
    blocks = np.unique(place // block)
    start, stop = np.searchsorted(place, blocks * block), np.searchsorted(place, (blocks + 1) * block)
    end = np.searchsorted(place, known[blocks] * block)
    for k in np.flatnonzero(stands_out(series, start, stop, end)).tolist():
        a, b, e = int(start[k]), int(stop[k]), int(end[k])
        kinds[1 + a : 1 + b] = Classifier(series[:a]).advance(series[a:b], series[b:e])
    return kinds
