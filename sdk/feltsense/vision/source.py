"""Where frames come from: arrays, a video file, a camera, an Android phone's buffers.

A source is anything that gives :class:`Frame` one after the other, in order of time, and says at what pace it means to.
Nothing here keeps a frame.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from feltsense.core.signals import MAX_DENOMINATOR
from feltsense.core.timeline import NS
from feltsense.errors import ImportFormatError, InputError
from feltsense.vision._opencv import opencv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ArraySource", "CameraSource", "Frame", "Source", "VideoFile"]

_MOST_FPS = 1000.0


class Frame(NamedTuple):
    """One picture.

    Attributes
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.
    t_ns : int
        Time of its exposure.
    """

    image: NDArray[np.uint8]
    t_ns: int


class Source(Protocol):
    """Frames in order of time."""

    @property
    def rate(self) -> Fraction:
        """Frames per second that it means to give."""

    def __iter__(self) -> Iterator[Frame]: ...


class ArraySource:
    """Frames that the caller has.

    Parameters
    ----------
    frames : iterable of ndarray of uint8, shape (height, width, 3)
        Red, green, blue.
    times : sequence of float
        Seconds, one a frame, ascending.
    start_ns : int, optional
        Session time of second 0.

    Raises
    ------
    InputError
        If the times do not ascend, or are fewer than two.
    """

    def __init__(self, frames: Iterable[NDArray[np.uint8]], times: Sequence[float], start_ns: int = 0) -> None:
        t = np.asarray(times, dtype=np.float64)
        if t.ndim != 1 or len(t) < 2 or not np.isfinite(t).all() or (np.diff(t) <= 0.0).any():
            msg = f"times of frames: give at least two seconds in ascending order, got {t[:4]} of shape {t.shape}"
            raise InputError(msg)
        self._frames = frames
        self._t_ns = [start_ns + round(s * NS) for s in t.tolist()]
        self.rate = pace(np.diff(t))

    def __iter__(self) -> Iterator[Frame]:
        images = iter(self._frames)
        for number, t_ns in enumerate(self._t_ns):
            image = next(images, None)
            if image is None:
                msg = f"{len(self._t_ns)} times were given for {number} frames; give one time a frame"
                raise InputError(msg)
            yield Frame(np.asarray(image), t_ns)
        if next(images, None) is not None:
            msg = f"{len(self._t_ns)} times were given for more frames; give one time a frame"
            raise InputError(msg)


def pace(steps_s: NDArray[np.float64]) -> Fraction:
    """Frames per second from the steps between frames: of their median, which a few long ones do not move."""
    return Fraction(1.0 / float(np.median(steps_s))).limit_denominator(MAX_DENOMINATOR)


class VideoFile:
    """A video file, by OpenCV.

    Parameters
    ----------
    path : Path
        The file.
    start_ns : int, optional
        Session time of its first frame.

    Raises
    ------
    ImportFormatError
        If it is missing, or no video that this OpenCV can read.
    MissingExtraError
        If OpenCV 4 is not installed.

    Notes
    -----
    Frames have the file's own times (a phone's frames are not evenly spaced). Where those stand still or go back, which
    some writers do, the pace takes their place; :attr:`repaired` counts how often.
    """

    def __init__(self, path: Path, start_ns: int = 0) -> None:
        self._cv = opencv("reading a video file")
        self._path, self._start_ns = path, start_ns
        if not path.is_file():
            msg = f"{path}: is no file; check the name"
            raise ImportFormatError(msg)
        self.repaired = 0
        capture = self._open()
        fps = float(capture.get(self._cv.CAP_PROP_FPS))
        capture.release()
        if not 0.0 < fps <= _MOST_FPS:
            msg = f"{path}: says {fps:g} frames a second, which is no video; convert it to MP4"
            raise ImportFormatError(msg)
        self.rate = Fraction(fps).limit_denominator(MAX_DENOMINATOR)

    def _open(self) -> Any:
        capture = self._cv.VideoCapture(str(self._path), self._cv.CAP_FFMPEG)
        if not capture.isOpened():
            msg = f"{self._path}: is no video that OpenCV can read; convert it to MP4 (H.264)"
            raise ImportFormatError(msg)
        return capture

    def __iter__(self) -> Iterator[Frame]:
        capture = self._open()
        period = round(NS / self.rate)
        self.repaired, last = 0, -period
        first: int | None = None
        try:
            while True:
                there, image = capture.read()
                if not there:
                    return
                t_ns = round(float(capture.get(self._cv.CAP_PROP_POS_MSEC)) * 1e6)
                first = t_ns if first is None else first
                t_ns -= first
                if t_ns <= last:
                    t_ns, self.repaired = last + period, self.repaired + 1
                last = t_ns
                yield Frame(self._cv.cvtColor(image, self._cv.COLOR_BGR2RGB), self._start_ns + t_ns)
        finally:
            capture.release()


class CameraSource:
    """A camera of this computer, by OpenCV; frames have the time at which they were fetched.

    Parameters
    ----------
    index : int
        Number of the camera.
    rate : Fraction or int
        Frames per second to ask for.
    clock : callable, optional
        Gives Unix nanoseconds.

    Raises
    ------
    InputError
        If there is no such camera, or it is in use.
    """

    def __init__(self, index: int, rate: Fraction | int, clock: Callable[[], int] = time.time_ns) -> None:
        self._cv = opencv("reading a camera")
        self.rate, self._clock = Fraction(rate), clock
        self._capture = self._cv.VideoCapture(index)
        if not self._capture.isOpened():
            msg = f"camera {index}: cannot be opened; check its number, its permission, and that no other program uses it"
            raise InputError(msg)
        self._capture.set(self._cv.CAP_PROP_FPS, float(self.rate))

    def __iter__(self) -> Iterator[Frame]:
        while True:
            there, image = self._capture.read()
            if not there:
                return
            yield Frame(self._cv.cvtColor(image, self._cv.COLOR_BGR2RGB), self._clock())

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()
