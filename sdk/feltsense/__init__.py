"""Body signals in, felt state out: emotion and stress recognition from wearables, calibrated to one person.

The public face. Every name is loaded when it is first used, so that ``import feltsense`` costs next to nothing;
a name that is not in ``__all__`` may change without notice.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feltsense.batch import Batch
    from feltsense.bundle import Bundle
    from feltsense.bundle import load as load_bundle
    from feltsense.calibration import calibrate
    from feltsense.core.chunk import Chunk, Gap, StreamInfo
    from feltsense.core.event import Event, EventKind
    from feltsense.core.prediction import Prediction
    from feltsense.core.profile import RestInterval, UserProfile
    from feltsense.core.recording import Recording, Segment, Stream
    from feltsense.core.signals import SignalSpec, spec
    from feltsense.core.timeline import TimeMap
    from feltsense.core.vector import FeatureVector, Reason
    from feltsense.core.window import Window
    from feltsense.datasets.synthetic import participant
    from feltsense.errors import FeltsenseError, InputError
    from feltsense.importers import open_recording
    from feltsense.session import Pipeline, Session, extract, predict
    from feltsense.store import Writer, read, write

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "Bundle",
    "Chunk",
    "Event",
    "EventKind",
    "FeatureVector",
    "FeltsenseError",
    "Gap",
    "InputError",
    "Pipeline",
    "Prediction",
    "Reason",
    "Recording",
    "RestInterval",
    "Segment",
    "Session",
    "SignalSpec",
    "Stream",
    "StreamInfo",
    "TimeMap",
    "UserProfile",
    "Window",
    "Writer",
    "calibrate",
    "extract",
    "load_bundle",
    "open_recording",
    "participant",
    "predict",
    "read",
    "spec",
    "write",
]

# Public name → module, or (module, name there).
_WHERE: dict[str, str | tuple[str, str]] = {
    "Batch": "batch",
    "Bundle": "bundle",
    "Chunk": "core.chunk",
    "Event": "core.event",
    "EventKind": "core.event",
    "FeatureVector": "core.vector",
    "FeltsenseError": "errors",
    "Gap": "core.chunk",
    "InputError": "errors",
    "Pipeline": "session",
    "Prediction": "core.prediction",
    "Reason": "core.vector",
    "Recording": "core.recording",
    "RestInterval": "core.profile",
    "Segment": "core.recording",
    "Session": "session",
    "SignalSpec": "core.signals",
    "Stream": "core.recording",
    "StreamInfo": "core.chunk",
    "TimeMap": "core.timeline",
    "UserProfile": "core.profile",
    "Window": "core.window",
    "Writer": "store",
    "calibrate": "calibration",
    "extract": "session",
    "load_bundle": ("bundle", "load"),
    "open_recording": "importers",
    "participant": "datasets.synthetic",
    "predict": "session",
    "read": "store",
    "spec": "core.signals",
    "write": "store",
}


def __getattr__(name: str) -> Any:
    where = _WHERE.get(name)
    if where is None:
        msg = f"module 'feltsense' has no attribute {name!r}"
        raise AttributeError(msg)
    module, there = (where, name) if isinstance(where, str) else where
    value = getattr(importlib.import_module(f"feltsense.{module}"), there)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
