"""What a mesh's measures say of a window: eyes, blinks, mouth, brows, head, gaze.

Eyelids are closed by how far, from 0 (as open as this person usually is in this window) to 1. Usually open is the upper
quartile of the window's aspect ratios, which blinks do not move; it is at least 0.22, so that eyes that stay shut all along
are not taken for open ones. A closed eye's aspect ratio is 0.35 of an open one's (Soukupová & Čech 2016: 0.1 of 0.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.vector import FeatureSpec, Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.features._frames import Frames

    Array = NDArray[np.float64]

__all__ = ["LID_SPECS", "LONGEST_STEP_S", "MESH_SPECS", "lids", "mesh"]

_LEVEL_S, _BLINK_S, _PERCLOS_S = 1.0, 10.0, 30.0
_SOUKUPOVA = "Soukupová & Čech 2016, CVWW"
_WIERWILLE = "Wierwille 1994, NHTSA DOT HS 808 247 (PERCLOS)"
_OWN = "this library"
LEAST_OPEN = 0.22
CLOSED_SHARE = 0.35
BLINK, PERCLOS = 0.5, 0.8
"""How far closed: half for a blink (at 15–30 frames a second its deepest moment is often missed), 80 % for PERCLOS."""
LONGEST_BLINK_S = 0.5
"""A blink lasts 0.1–0.4 s; longer closures are counted by PERCLOS alone."""
AWAY_DEG = (20.0, 15.0)
"""Yaw and pitch beyond which the head is turned away from the screen."""
LONGEST_STEP_S = 0.25

LID_SPECS = (
    FeatureSpec("blink_rate", "1/min", "Closures by more than half that last up to 0.5 s", _SOUKUPOVA, _BLINK_S),
    FeatureSpec("blink_dur_ms", "ms", "Mean duration of blinks at half closure", _SOUKUPOVA, _BLINK_S),
    FeatureSpec("perclos", "1", "Share of the time with the eyes closed by 80 % or more", _WIERWILLE, _PERCLOS_S),
)
MESH_SPECS = (
    FeatureSpec("ear_mean", "1", "Mean aspect ratio of the eyes: lids' opening over the eye's width", _SOUKUPOVA, _LEVEL_S),
    *LID_SPECS,
    FeatureSpec("mouth_open", "1", "Mean distance of the inner lips / distance of the outer eye corners", _OWN, _LEVEL_S),
    FeatureSpec("mouth_width", "1", "Mean distance of the mouth's corners, same unit", _OWN, _LEVEL_S),
    FeatureSpec("corner_raise", "1", "Mean height of the mouth's corners above the lips' middle, same unit", _OWN, _LEVEL_S),
    FeatureSpec("brow_raise", "1", "Mean height of the brows above the eyes, same unit", _OWN, _LEVEL_S),
    FeatureSpec("brow_gap", "1", "Mean distance of the brows' inner ends, same unit", _OWN, _LEVEL_S),
    FeatureSpec("nose_lip", "1", "Mean distance of nose and upper lip, same unit", _OWN, _LEVEL_S),
    *(
        FeatureSpec(f"{angle}_{what}", "deg", f"{long} of the head's {angle}", _OWN, _LEVEL_S)
        for angle in ("yaw", "pitch", "roll")
        for what, long in (("mean", "Mean"), ("std", "Standard deviation"))
    ),
    FeatureSpec("head_speed", "deg/s", "Mean speed of the head's turning", _OWN, _LEVEL_S),
    FeatureSpec("away_frac", "1", "Share of frames with |yaw| > 20° or |pitch| > 15°", _OWN, _LEVEL_S),
    FeatureSpec("gaze_x", "1", "Mean place of the irises in the eyes' boxes, across, −1 to 1", _OWN, _LEVEL_S),
    FeatureSpec("gaze_y", "1", "The same, down", _OWN, _LEVEL_S),
    FeatureSpec("gaze_disp", "1", "Root mean square distance of the irises from their mean place", _OWN, _LEVEL_S),
)
"""In the order of the features."""


def mesh(frames: Frames) -> tuple[dict[str, float], dict[str, Reason]]:
    """Value of each feature, and why one is missing although there are landmarks.

    Parameters
    ----------
    frames : Frames
        Rows of the window; those without landmarks are left out.
    """
    m = frames.columns("eye_left", "gaze_y")
    seen = np.asarray(np.isfinite(m[:, :11]).all(axis=1))
    names = [s.name for s in MESH_SPECS]
    values = dict.fromkeys(names, float("nan"))
    if not seen.any():
        return values, {}
    kept = m[seen]
    means = kept.mean(axis=0)
    eyes = kept[:, :2].mean(axis=1)
    values["ear_mean"] = float(eyes.mean())
    values |= dict(zip(names[4:10], means[2:8].tolist(), strict=True))
    for k, angle in enumerate(("yaw", "pitch", "roll")):
        values[f"{angle}_mean"], values[f"{angle}_std"] = float(means[8 + k]), float(kept[:, 8 + k].std())
    values["away_frac"] = float(((np.abs(kept[:, 8]) > AWAY_DEG[0]) | (np.abs(kept[:, 9]) > AWAY_DEG[1])).mean())
    gaze = kept[:, 11:][np.isfinite(kept[:, 11:]).all(axis=1)]
    if len(gaze):
        middle = gaze.mean(axis=0)
        values["gaze_x"], values["gaze_y"] = middle.tolist()
        values["gaze_disp"] = float(np.sqrt(np.mean(np.sum((gaze - middle) ** 2, axis=1))))
    pieces = frames.pieces(seen, LONGEST_STEP_S)
    values["head_speed"] = _speed(frames.t_s, m[:, 8:11], pieces)
    is_open = max(float(np.percentile(eyes, 75)), LEAST_OPEN)
    shut = (is_open - m[:, :2].mean(axis=1)) / (is_open * (1.0 - CLOSED_SHARE))
    blinking, reasons = lids(frames.t_s, shut, pieces)
    return values | blinking, reasons


def _speed(t_s: Array, angles: Array, pieces: list[slice]) -> float:
    steps = [np.sqrt(np.sum(np.diff(angles[p], axis=0) ** 2, axis=1)) / np.diff(t_s[p]) for p in pieces]
    all_steps = np.concatenate(steps) if steps else np.empty(0)
    return float(all_steps.mean()) if len(all_steps) else float("nan")


def lids(t_s: Array, shut: Array, pieces: list[slice]) -> tuple[dict[str, float], dict[str, Reason]]:
    """Blinks and PERCLOS of lids that are shut by so much, 0 to 1; and why one is missing."""
    values: dict[str, float] = {}
    observed = sum(float(t_s[p][-1] - t_s[p][0]) for p in pieces)
    reasons: dict[str, Reason] = {}
    for name, least in (("blink_rate", _BLINK_S), ("blink_dur_ms", _BLINK_S), ("perclos", _PERCLOS_S)):
        # A window's first and last frame are up to a step inside it.
        if observed < least - 2.0 * LONGEST_STEP_S:
            reasons[name] = Reason.TOO_SHORT
    lengths = [s for p in pieces for s in _blinks(t_s[p], shut[p])]
    if "blink_rate" not in reasons:
        values["blink_rate"] = 60.0 * len(lengths) / observed
        if lengths:
            values["blink_dur_ms"] = 1e3 * float(np.mean(lengths))
        else:
            reasons["blink_dur_ms"] = Reason.NONE_FOUND
    if "perclos" not in reasons:
        values["perclos"] = float(np.mean(np.concatenate([shut[p] for p in pieces]) >= PERCLOS))
    return values, reasons


def _blinks(t_s: Array, shut: Array) -> list[float]:
    """Durations of blinks that begin and end in the piece, s: between the crossings of half closure."""
    closed = shut > BLINK
    edges = np.flatnonzero(closed[1:] != closed[:-1]) + 1
    cross = [
        float(t_s[i - 1] + (t_s[i] - t_s[i - 1]) * (BLINK - shut[i - 1]) / (shut[i] - shut[i - 1])) for i in edges.tolist()
    ]
    # The first edge opens an eye that was shut before the piece began: that blink's start is not known.
    first = 1 if closed[0] else 0
    spans = [b - a for a, b in zip(cross[first::2], cross[first + 1 :: 2], strict=False)]
    return [s for s in spans if s <= LONGEST_BLINK_S]
