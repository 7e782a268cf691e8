"""The face's box between detections: it glides with the picture and never jumps while the face stays.

A detector gives boxes that jitter by some pixels. Taken as they come, twice a second, they would put a rhythm of twice a
second into the skin's colour, which is a heart rate of 120. So the box moves by the flow of points in it (median flow,
Kalal 2010, ICPR, section 2), and a detection only says how far it has drifted: the drift is taken back a little each
frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from feltsense.vision._opencv import opencv
from feltsense.vision.detect import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.vision.detect import Detector

__all__ = ["Tracked", "Tracker"]

SEARCH_S = 0.9
"""Seconds between searches while the face is tracked; a search takes as long as twenty frames' tracking."""
LOST_SEARCH_S = 0.3
"""Seconds between searches while there is none."""
HOLD_S = 5.0
"""How long a box is followed without a detection: a cascade loses a face that turns, the points do not."""
SNAP = 0.5
"""Overlap below which a detection is another place, not drift: the box is set anew."""
PULL_S = 2.0
"""Seconds in which a drift is taken back to 37 %."""
_GRID = 8
_MISFIT = 0.05
"""Forward and backward flow may differ by this share of the face's width; more is no track."""


class Tracked(NamedTuple):
    """What is known of the face in a frame.

    Attributes
    ----------
    faces : int
        Number of faces of the last search.
    box : Box or None
        Where the face is.
    """

    faces: int
    box: Box | None


class Tracker:
    """Finds a face and follows it.

    Parameters
    ----------
    detector : Detector
        What finds it.
    """

    def __init__(self, detector: Detector) -> None:
        self._cv: Any = opencv("following a face")
        self._detector = detector
        self.reset()

    def reset(self) -> None:
        """Forget the face: the next frame does not follow on the last one."""
        self._grey: NDArray[np.uint8] | None = None
        self._box: Box | None = None
        self._drift = np.zeros(4)
        self._faces = 0
        self._seen_ns = self._searched_ns = -(2**62)
        self._last_ns = 0

    def update(self, grey: NDArray[np.uint8], t_ns: int) -> Tracked:
        """Take the next frame.

        Parameters
        ----------
        grey : ndarray of uint8, shape (height, width)
            The small picture (:class:`feltsense.vision.scene.Scene`); boxes are in its pixels.
        t_ns : int
            Its time.
        """
        if self._box is not None:
            self._follow(grey, t_ns)
        wait = LOST_SEARCH_S if self._box is None else SEARCH_S
        if t_ns - self._searched_ns >= wait * 1e9:
            self._search(grey, t_ns)
        if self._box is not None and t_ns - self._seen_ns > HOLD_S * 1e9:
            self._box = None
        self._grey, self._last_ns = grey, t_ns
        return Tracked(max(self._faces, 1) if self._box is not None else 0, self._box)

    def _search(self, grey: NDArray[np.uint8], t_ns: int) -> None:
        self._searched_ns = t_ns
        found = self._detector.detect(grey)
        self._faces = len(found)
        if not found:
            return
        # The one that is followed stays the one, even when a larger face comes in.
        best = found[0] if self._box is None else max(found, key=self._box.overlap)
        if self._box is None or best.overlap(self._box) < SNAP:
            if self._box is not None and len(found) == 1 and t_ns - self._seen_ns < SEARCH_S * 1.5e9:
                # Seen a moment ago and followed since: one odd hit is not believed, the next search decides.
                self._seen_ns -= int(SEARCH_S * 1e9)
                return
            self._box, self._drift = best, np.zeros(4)
        else:
            self._drift = _array(best) - _array(self._box)
        self._seen_ns = t_ns

    def _follow(self, grey: NDArray[np.uint8], t_ns: int) -> None:
        """Move the box with its points; lose it where they do not agree."""
        box = self._box
        if self._grey is None or box is None:
            return
        across = (np.arange(_GRID) + 1.5) / (_GRID + 2)
        points = np.stack(np.meshgrid(box.left + box.width * across, box.top + box.height * across), -1)
        old = points.reshape(-1, 1, 2).astype(np.float32)
        new, ok, _ = self._cv.calcOpticalFlowPyrLK(self._grey, grey, old, None, winSize=(11, 11), maxLevel=2)
        back, ok_back, _ = self._cv.calcOpticalFlowPyrLK(grey, self._grey, new, None, winSize=(11, 11), maxLevel=2)
        misfit = np.abs(back - old).max(axis=(1, 2))
        good = (ok[:, 0] == 1) & (ok_back[:, 0] == 1)
        good &= misfit <= max(float(np.median(misfit)), 0.02)
        if good.sum() < _GRID or float(np.median(misfit)) > _MISFIT * box.width:
            self._box = None
            return
        moved = (new - old)[good, 0]
        dx, dy = float(np.median(moved[:, 0])), float(np.median(moved[:, 1]))
        growth = _growth(old[good, 0], new[good, 0])
        pull = 1.0 - float(np.exp(-(t_ns - self._last_ns) / (PULL_S * 1e9)))
        step, self._drift = self._drift * pull, self._drift * (1.0 - pull)
        width, height = box.width * growth, box.height * growth
        left = box.left + dx - (width - box.width) / 2.0
        top = box.top + dy - (height - box.height) / 2.0
        self._box = Box(*(np.array([left, top, width, height]) + step).tolist())


def _array(box: Box) -> NDArray[np.float64]:
    return np.array([box.left, box.top, box.width, box.height])


def _growth(old: NDArray[np.float32], new: NDArray[np.float32]) -> float:
    """Median ratio of the points' distances to each other, after and before."""
    half = len(old) // 2
    before = np.sqrt(np.sum((old[:half] - old[-half:]) ** 2, axis=1))
    after = np.sqrt(np.sum((new[:half] - new[-half:]) ** 2, axis=1))
    return float(np.clip(np.median(after / np.maximum(before, 1e-3)), 0.9, 1.1))
