"""Video files (extra ``vision``): rows of numbers are kept, pictures are not.

Rules
-----
- Each frame becomes one row of ``camera.face`` (:mod:`feltsense.core.face_row`): mean colours of the skin, position of
  the face, measures of its light and sharpness. No picture, no part of one, goes into the recording.
- Option ``region``: ``face`` finds a face and follows it; ``frame`` takes the whole picture as skin, or as skin before
  something else (a cheek, a forearm, a fingertip); ``X,Y,WIDTH,HEIGHT`` takes that part, in pixels. ``auto`` (the
  default) looks for a face and takes the whole picture where next to no frame has one; the note says so.
- Option ``start``: when the first frame was taken (ISO 8601); without it the recording begins at Unix time 0.
- Frames have the file's own times. A step of more than a quarter of a second is a gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.core.face_row import AT
from feltsense.core.recording import Recording
from feltsense.errors import ImportFormatError
from feltsense.importers._schema import iso_ns
from feltsense.importers._table import check_options
from feltsense.vision.detect import Box
from feltsense.vision.heart import read_stream
from feltsense.vision.reader import FaceReader, camera_stream
from feltsense.vision.source import VideoFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from feltsense.core.recording import Stream

__all__ = ["IMPORTER"]

LEAST_FACES = 0.2
"""Share of frames with a face below which a video is none of a face."""
_WORDS = ("auto", "face", "frame")


def read_video(source: Path, subject: str, options: Mapping[str, str]) -> Recording:
    """Import a video file.

    Parameters
    ----------
    source : Path
        The file.
    subject : str
        Pseudonym.
    options : mapping of str to str
        ``region`` and ``start``, see the module's header.

    Raises
    ------
    ImportFormatError
        If the file is missing or no video, or an option is wrong.
    MissingExtraError
        If OpenCV 4 is not installed.
    """
    check_options("video", options, ("region", "start"))
    region = _region(options.get("region", "auto"))
    start_ns = _start(options["start"]) if "start" in options else 0
    file = VideoFile(source, start_ns)
    stream = _stream(file, source, "face" if region == "auto" else region)
    note = ""
    if region == "auto" and _faces(stream) < LEAST_FACES:
        stream, region = _stream(file, source, "frame"), "frame"
        note = "no face found, so the whole picture was taken as skin"
    elif region == "auto":
        region = "face"
    if file.repaired:
        late = f"{file.repaired} frames had no time of their own"
        note = f"{note}; {late}" if note else late
    metadata = {"importer": "video", "source": source.name, "region": str(options.get("region", region))}
    return Recording(subject, {stream.info.id: stream}, (), metadata | ({"note": note} if note else {}))


IMPORTER = read_video


def _region(text: str) -> str | Box:
    if text in _WORDS:
        return text
    try:
        left, top, width, height = (float(n) for n in text.split(","))
    except ValueError:
        left = top = width = height = 0.0
    if not (width >= 1.0 and height >= 1.0 and left >= 0.0 and top >= 0.0 and left + top + width + height < 1e6):
        msg = f"region {text[:40]!r}: give auto, face, frame, or X,Y,WIDTH,HEIGHT in pixels"
        raise ImportFormatError(msg)
    return Box(left, top, width, height)


def _start(text: str) -> int:
    try:
        return iso_ns(text)
    except (ValueError, OverflowError):
        msg = f"start {text[:40]!r}: give a time as 2026-05-04T13:30:00 (UTC unless an offset is given)"
        raise ImportFormatError(msg) from None


def _stream(file: VideoFile, source: Path, region: str | Box) -> Stream:
    stream = read_stream(file, FaceReader(camera_stream(file.rate), region))
    if not stream.segments:
        msg = f"{source}: holds no frame that can be decoded; convert it to MP4 (H.264)"
        raise ImportFormatError(msg)
    return stream


def _faces(stream: Stream) -> float:
    """Share of frames with a face."""
    found = [s.values[:, AT["faces"]] > 0.0 for s in stream.segments]
    return sum(int(f.sum()) for f in found) / sum(len(f) for f in found)
