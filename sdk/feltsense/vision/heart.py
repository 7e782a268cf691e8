"""From pictures of skin to heart rates, in one call: for an app that wants nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import NS, TimeMap
from feltsense.core.vector import Reason
from feltsense.errors import InputError
from feltsense.session import extract
from feltsense.vision.reader import FaceReader, camera_stream
from feltsense.vision.source import ArraySource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk
    from feltsense.vision.detect import Box
    from feltsense.vision.source import Source

__all__ = ["HeartRate", "heart_rate", "read_stream"]


SLACK_NS = 1_000_000
"""How much longer than a period the last frame lasts: files round times to a millisecond, and a video of a minute must
not be a millisecond short of a window of a minute."""


class HeartRate(NamedTuple):
    """Heart rate of one window.

    Attributes
    ----------
    start_s, end_s : float
        The window, seconds from the first frame.
    bpm : float
        Mean heart rate; NaN where `reason` says why there is none.
    snr_db : float
        How far the pulse stands out of the noise.
    quality : float
        Share of the window's frames that were usable, 0..1.
    reason : Reason
        ``ok`` when there is a rate.
    """

    start_s: float
    end_s: float
    bpm: float
    snr_db: float
    quality: float
    reason: Reason


def heart_rate(
    frames: Iterable[NDArray[np.uint8]],
    times: Sequence[float],
    *,
    region: str | Box = "face",
    window: float | None = None,
    hop: float | None = None,
) -> list[HeartRate]:
    """Heart rates of frames of skin.

    Parameters
    ----------
    frames : iterable of ndarray of uint8, shape (height, width, 3)
        Red, green, blue; read one after the other, never kept.
    times : sequence of float
        Seconds, one a frame, ascending; need not be evenly spaced.
    region : str or Box, optional
        ``"face"``, ``"frame"`` or a part (:class:`feltsense.vision.FaceReader`).
    window : float, optional
        Seconds, at least 8; 20 to 30 are a good choice. Default: all frames are one window.
    hop : float, optional
        Seconds between the starts of windows; default: the window, so that they do not overlap.

    Returns
    -------
    list of HeartRate
        One a window; empty where the frames last shorter than a window.

    Raises
    ------
    InputError
        If a frame or the times are not as said above.
    MissingExtraError
        If a face is to be found and OpenCV 4 is not installed.
    """
    if (window is not None and not window > 0.0) or (hop is not None and not hop > 0.0):
        msg = f"window and hop are seconds above 0, got {window} and {hop}"
        raise InputError(msg)
    source = ArraySource(frames, times)
    stream = read_stream(source, FaceReader(camera_stream(source.rate), region))
    recording = Recording("", {stream.info.id: stream})
    length = recording.seconds if window is None else window
    found = []
    for w, v in extract(recording, window=length, hop=length if hop is None else hop, modalities=["face"]):
        start = (w.start_ns - recording.start_ns) / NS
        reason = v.reason("face.rppg_hr")
        rate, snr, quality = v["face.rppg_hr"], v["face.rppg_snr"], v["quality.face"]
        found.append(HeartRate(start, start + w.seconds, rate, snr, quality, reason))
    return found


def read_stream(source: Source, reader: FaceReader) -> Stream:
    """All rows of a source; no segment where it has no frame.

    Parameters
    ----------
    source : Source
        Frames.
    reader : FaceReader
        A fresh one.
    """
    segments: list[Segment] = []
    run: list[Chunk] = []
    for frame in source:
        chunk = reader.push(frame.image, frame.t_ns)
        if run and chunk.segment != run[0].segment:
            segments.append(_segment(run))
            run = []
        run.append(chunk)
    return Stream(reader.info, (*segments, _segment(run)) if run else ())


def _segment(run: list[Chunk]) -> Segment:
    n = len(run)
    t = np.array([c.start_ns for c in run], np.int64)
    t = np.append(t, run[-1].stop_ns + SLACK_NS)
    values = np.concatenate([c.values for c in run])
    values.setflags(write=False)
    time = TimeMap(run[0].stream.spec.rate, np.arange(n + 1), t, t, t, np.zeros(n + 1, np.int64))
    return Segment(values, time, run[0].gap, run[0].segment)
