"""Several sensors as one stream of chunks and events, for a session, a file or a screen.

Items of one sensor stay in order; between sensors they come as they are heard. Nothing is buffered but in the links'
own inboxes. A sensor that is lost does not hold up the others; one that never answers is an error of
:meth:`Live.opened`.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from feltsense.errors import InputError
from feltsense_bridge.link import Link

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.event import Event
    from feltsense_bridge.accounting import Counters
    from feltsense_bridge.link_lsl import LslLink

__all__ = ["Live"]


class Live:
    """Several links, merged.

    Parameters
    ----------
    links : sequence of Link
        Not opened yet, with names that differ, all of one clock.
    outlets : sequence of LslLink
        Streams of other programs, of the same clock.

    Examples
    --------
    ::

        async with Live([h10, board]) as live:
            pipeline = Pipeline(await live.opened(), window=60, hop=5)
            async for item in live:
                pipeline.push(item)
    """

    def __init__(self, links: Sequence[Link], outlets: Sequence[LslLink] = ()) -> None:
        self._sources: list[Link | LslLink] = [*links, *outlets]
        if not self._sources:
            msg = "nothing to listen to: name at least one sensor"
            raise InputError(msg)
        self.links = list(links)
        self._turn = 0
        self._stack = AsyncExitStack()
        self._wake = asyncio.Event()
        self._speed = max(source.speed for source in self._sources)
        for source in self._sources:
            source.wake = self._wake

    @property
    def counters(self) -> Mapping[str, Counters]:
        """Stream id → what became of its samples."""
        return {k: v for source in self._sources for k, v in source.counters.items()}

    async def __aenter__(self) -> Self:
        for source in self._sources:
            await self._stack.enter_async_context(source)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def opened(self) -> Mapping[str, StreamInfo]:
        """Wait until every sensor streams.

        Raises
        ------
        LinkError
            Why one never will.
        InputError
            If two sensors have streams of the same id.
        """
        found: dict[str, StreamInfo] = {}
        for source in self._sources:
            for stream_id, info in (await source.opened()).items():
                if stream_id in found:
                    msg = f"two sensors have a stream {stream_id!r}: name each link differently, take each LSL signal once"
                    raise InputError(msg)
                found[stream_id] = info
        return found

    async def close(self) -> None:
        """Close every link; what was received can still be iterated. Twice is fine."""
        await asyncio.gather(*(source.close() for source in self._sources))
        await self._stack.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk | Event:
        while True:
            self._wake.clear()
            # Each in its turn, so that a busy sensor does not starve the others.
            for _ in range(len(self._sources)):
                self._turn = (self._turn + 1) % len(self._sources)
                item = self._sources[self._turn].poll()
                if item is not None:
                    return item
            # Each is asked, whatever the others say: one that has failed raises.
            done = [source.finished() for source in self._sources]
            if all(done):
                raise StopAsyncIteration
            await Link.rest(self._wake, self._speed)
