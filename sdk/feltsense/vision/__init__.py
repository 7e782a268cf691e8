"""The camera's front end: frames in, one row of numbers a frame out; extra ``vision`` where a face is to be found.

Contract
--------
- Frames are arrays with times; nothing is written, nothing is sent, no frame is kept.
- :class:`FaceReader` makes chunks that a :class:`feltsense.Session` takes like any sensor's; :func:`heart_rate` is the
  short way for who wants a heart rate only.
"""

from __future__ import annotations

from feltsense.dsp.expressions import ExpressionFinder
from feltsense.vision.blendshapes import BlendshapeReader, blendshape_stream
from feltsense.vision.detect import Box, CascadeDetector, Detector
from feltsense.vision.heart import HeartRate, heart_rate, read_stream
from feltsense.vision.mesh import Mesh, Neutral
from feltsense.vision.reader import FaceReader, camera_stream
from feltsense.vision.source import ArraySource, CameraSource, Frame, Source, VideoFile

__all__ = [
    "ArraySource",
    "BlendshapeReader",
    "Box",
    "CameraSource",
    "CascadeDetector",
    "Detector",
    "ExpressionFinder",
    "FaceReader",
    "Frame",
    "HeartRate",
    "Mesh",
    "Neutral",
    "Source",
    "VideoFile",
    "blendshape_stream",
    "camera_stream",
    "heart_rate",
    "read_stream",
]
