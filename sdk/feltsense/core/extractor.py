"""What an extractor is: one modality's features, streamed.

Contract
--------
- A file ``features/<modality>.py`` holds a class named by ``EXTRACTOR``. The modality's name is the file's.
- ``push`` takes the chunks of its streams, in order, cut anywhere. Whatever the cut, :meth:`Extractor.features`
  gives the same bits: state is carried by operators that are exact under any chunking, or work is done on blocks
  aligned to the segment's absolute sample index.
- A new segment means a gap: state starts anew, nothing is formed across it. ``close`` says the same without a
  next chunk: what can still be had from the samples in hand becomes final.
- ``final_ns(stream_id)`` is the session time before which nothing that derives from the stream will change.
- ``features(window)`` is asked only for windows that end at or before every final time, in the order of their ends; of
  each perhaps for its last part, too (:mod:`feltsense.core.modality`). It never raises on bad signal and never invents:
  NaN and a reason.
- ``many(windows)``, where it exists, gives for several windows at once what ``features`` gives for each: a few become
  final together, and in a whole recording thousands.
- ``forget(before_ns)`` bounds the memory.

The public conformance suite is :func:`feltsense.testing.check_extractor`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.vector import Extracted, FeatureSpec
    from feltsense.core.window import Window

__all__ = ["Extractor"]


class Extractor(Protocol):
    """One modality's features, streamed.

    Parameters
    ----------
    streams : mapping of str to StreamInfo
        Kind of signal → the stream to take it from. The required kind is there; kinds in `uses` may be.
    """

    requires: ClassVar[str]
    """Kind of signal without which there is nothing to extract."""
    uses: ClassVar[tuple[str, ...]]
    """Kinds that help where the same device delivers them (acceleration as a motion gate)."""
    specs: ClassVar[tuple[FeatureSpec, ...]]
    """Its features, in order."""

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None: ...

    def push(self, chunk: Chunk) -> None:
        """Take the next samples of one of its streams."""

    def close(self, stream_id: str) -> None:
        """End the stream's segment: flush what is pending."""

    def final_ns(self, stream_id: str) -> int:
        """Session time before which nothing derived from the stream will change."""

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""

    def forget(self, before_ns: int) -> None:
        """Drop what no window from `before_ns` on needs."""
