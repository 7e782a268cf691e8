"""What extractors of one stream share whose windows need nothing but their own samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from feltsense.core.window import StreamTail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.chunk import Chunk, StreamInfo

__all__ = ["Kept", "OneStream"]

_NEVER = -(2**62)


class Recent(Protocol):
    """Keeps recent samples."""

    def push(self, chunk: Chunk) -> None:
        """Append a chunk."""

    def forget(self, before_ns: int) -> None:
        """Drop what is older."""


T = TypeVar("T", bound=Recent)


class Kept(Generic[T]):
    """An extractor but for ``specs`` and ``features``; `tail` keeps its samples."""

    requires: ClassVar[str]
    uses: ClassVar[tuple[str, ...]] = ()

    def __init__(self, tail: T) -> None:
        self._tail = tail
        self._final_ns = _NEVER

    def push(self, chunk: Chunk) -> None:
        """Take the next samples."""
        if len(chunk):
            self._tail.push(chunk)
            self._final_ns = chunk.stop_ns

    def close(self, stream_id: str) -> None:
        """End the segment: nothing is carried across anyway."""

    def final_ns(self, stream_id: str) -> int:
        """All that came is final: a window looks at its own samples only."""
        return self._final_ns

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        self._tail.forget(before_ns)


class OneStream(Kept[StreamTail]):
    """One whose samples are looked at with their times."""

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        super().__init__(StreamTail(streams[self.requires]))
