"""An LSL stream as a source beside sensors: opened, read and opened again in the background, with the verbs of a link.

- The library blocks, so it is asked in a thread; one stream is one task, which ends with :meth:`LslLink.close`.
- A stream that is not there at first is an error of :meth:`LslLink.opened`. One that ends later is sought again, for
  ever: its account goes on after a gap.
- What nobody takes waits in LSL's own buffer; what that drops is a gap by its stamps.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, Self

from feltsense.core.event import Event, EventKind
from feltsense.errors import FeltsenseError, LinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense_bridge.accounting import Counters

__all__ = ["Inlet", "LslLink"]

AGAIN_S: Final = 2.0
"""Between two searches for a stream that ended: each search lasts some seconds itself."""
WAITING: Final = 256
"""Chunks that may wait to be taken; then nothing more is read."""
FULL_S: Final = 0.05
"""Between two looks whether there is room again."""


class Inlet(Protocol):
    """What is read: :class:`~feltsense_bridge.transport_lsl.LslInlet`, or what a test puts in its place."""

    @property
    def info(self) -> StreamInfo:
        """The stream, known once it was opened."""

    @property
    def counters(self) -> Counters:
        """What became of its samples."""

    def open(self, *, clock: Callable[[], int]) -> StreamInfo:
        """Find the stream and connect."""

    def read(self) -> list[Chunk]:
        """What has come."""

    def close(self) -> None:
        """Leave the stream."""


class LslLink:
    """One LSL stream, kept open.

    Parameters
    ----------
    inlet : Inlet
        Not opened.
    clock : callable
        Session time, Unix ns.
    """

    def __init__(self, inlet: Inlet, clock: Callable[[], int]) -> None:
        self.wake = asyncio.Event()
        self.speed = 1.0
        self._inlet = inlet
        self._clock = clock
        self._ready: deque[Chunk | Event] = deque()
        self._first = asyncio.Event()
        self._error: FeltsenseError | None = None
        self._info: StreamInfo | None = None
        self._stop_ns = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        """Id → stream; empty until it was found."""
        return {} if self._info is None else {self._info.id: self._info}

    @property
    def counters(self) -> Mapping[str, Counters]:
        """Stream id → what became of its samples."""
        return {} if self._info is None else {self._info.id: self._inlet.counters}

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="LSL stream")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def opened(self) -> Mapping[str, StreamInfo]:
        """Wait until it was found.

        Raises
        ------
        LinkError, InputError
            Why it never will be.
        """
        await self._first.wait()
        if self._error is not None:
            raise self._error
        return self.streams

    async def close(self) -> None:
        """Leave the stream, end the task. Twice is fine."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._first.set()
        self.wake.set()

    def poll(self) -> Chunk | Event | None:
        """The next item, or None if there is none at the moment; never waits."""
        return self._ready.popleft() if self._ready else None

    def finished(self) -> bool:
        """Whether nothing more will come; raises what ended it."""
        if self._error is not None:
            raise self._error
        return self._task is None

    async def _run(self) -> None:
        try:
            while True:
                try:
                    self._info = await asyncio.to_thread(self._inlet.open, clock=self._clock)
                    self._put(Event(self._clock(), EventKind.CONNECTED, text=self._info.device))
                    self._first.set()
                    await self._read()
                except LinkError:
                    if not self._first.is_set():
                        raise
                    await asyncio.sleep(AGAIN_S)
        except FeltsenseError as error:
            self._error = error
            self._first.set()
            self.wake.set()
        finally:
            # A thread that still reads has its answer in a moment; its inlet is closed under no one's hands.
            self._inlet.close()

    async def _read(self) -> None:
        """Read until the stream ends."""
        try:
            while True:
                while len(self._ready) >= WAITING:  # noqa: ASYNC110 - whoever takes items tells nobody
                    await asyncio.sleep(FULL_S)
                reading = asyncio.ensure_future(asyncio.to_thread(self._inlet.read))
                try:
                    chunks = await asyncio.shield(reading)
                except asyncio.CancelledError:
                    # What was read until now is still given.
                    await asyncio.wait([reading])
                    for chunk in reading.result() if reading.exception() is None else ():
                        self._put(chunk)
                    raise
                for chunk in chunks:
                    self._put(chunk)
        except LinkError:
            info = self._info
            if info is not None:
                if self._stop_ns:
                    self._put(Event(self._stop_ns, EventKind.STALLED, text=info.id))
                self._put(Event(self._clock(), EventKind.DISCONNECTED, text=info.device))
            raise

    def _put(self, item: Chunk | Event) -> None:
        if not isinstance(item, Event):
            self._stop_ns = item.stop_ns
        self._ready.append(item)
        self.wake.set()
