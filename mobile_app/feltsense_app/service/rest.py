"""Whether the wizard's rest is one: quality of what the model reads, and motion, every few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.session import Pipeline
from feltsense_app.presenters.wizard import RestWindow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.event import Event
    from feltsense.core.vector import FeatureVector

__all__ = ["RestWatch"]

WINDOW_S = 20.0
"""Short enough that a loose strap is seen in the first half minute, long enough for a pulse's quality."""
HOP_S = 5.0
STILL_SHARE = 0.6
"""Least share of still seconds in a window at rest: a scratch is allowed, walking about is not."""


class RestWatch:
    """Judge a rest as it passes.

    Parameters
    ----------
    streams : mapping of str to StreamInfo
        All streams of the recording.
    modalities : sequence of str
        What the model reads.
    """

    def __init__(self, streams: Mapping[str, StreamInfo], modalities: Sequence[str]) -> None:
        self._read = tuple(modalities)
        self._pipeline = Pipeline(streams, window=WINDOW_S, hop=HOP_S, modalities=(*self._read, "motion"))

    def push(self, item: Chunk | Event) -> list[tuple[RestWindow, FeatureVector]]:
        """Take a piece; give the windows that became final, and what they were judged by."""
        return [(self._judged(w.stop_ns, v), v) for w, v in self._pipeline.push(item)]

    def _judged(self, stop_ns: int, vector: FeatureVector) -> RestWindow:
        names = vector.schema.modalities
        # The model answers as soon as one modality is good; a rest should be good in all that is there.
        there = [k for k, m in enumerate(names) if m in self._read and vector.quality_reasons[k].value != "no_signal"]
        worst = min(there, key=lambda k: float(vector.quality[k]), default=None)
        quality = 0.0 if worst is None else float(vector.quality[worst])
        reason = "no_signal" if worst is None else vector.quality_reasons[worst].value
        # NaN, where there is no acceleration, is not motion.
        moving = vector["motion.still_share"] < STILL_SHARE
        return RestWindow(stop_ns, quality, bool(moving), reason)
