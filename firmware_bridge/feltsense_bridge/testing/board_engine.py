"""What runs on an open board, behind one interface: a Python twin, and the firmware's own C core.

Both answer CONTROL, make frames of samples, keep the last of them, and say what to send next (answers, then live frames,
oldest first, then frames that are fetched again). The suite of the virtual board runs over both, so that what is tested
through the radio is also the firmware.

:class:`PythonEngine` needs nothing. :class:`CoreEngine` needs the shared library that ``make firmware`` builds.
"""

from __future__ import annotations

import ctypes
from collections import deque
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from feltsense.errors import InputError, ProtocolError
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.frames import SEQUENCE_MODULUS, StreamFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    EngineFactory = Callable[[Sequence[gatt.BoardStream], Sequence[int]], "BoardEngine"]

__all__ = ["SLOTS", "BoardEngine", "CoreEngine", "Out", "PythonEngine", "core_engine"]

SLOTS: Final = 512
"""Frames that a board keeps of each stream: four minutes at two a second."""
_ANSWERS: Final = 4
"""Answers that may wait; a host waits for each, so one is usual."""
_ROOM: Final = 512
"""Bytes of the longest thing that is sent: INFO of sixteen streams has 452."""


class Out(IntEnum):
    """Where something that is to be sent belongs."""

    CONTROL = 1
    DATA = 2
    BACKFILL = 3


class BoardEngine(Protocol):
    """A board's logic, without samplers, radio or clock: those come as arguments. Not to be called from two tasks."""

    def info(self) -> bytes:
        """The stream table."""

    def sample(self, index: int, now_us: int, counts: NDArray[np.int32]) -> None:
        """One sample of the stream in place `index` of the table."""

    def gap(self, index: int) -> None:
        """Samples are missing after this one: end the frame in the making."""

    def request(self, data: bytes, now_us: int, mtu: int) -> bool:
        """A write to CONTROL; False if too many answers wait, then it must be refused."""

    def next(self, now_us: int) -> tuple[Out, bytes] | None:
        """What to send next."""

    def disconnected(self) -> None:
        """The host has gone: nothing is sent until it starts streams anew."""


class _Stream:
    """One stream of the twin."""

    def __init__(self, row: gatt.BoardStream, samples: int, frames: int) -> None:
        self.row = row
        self.samples = samples
        self.pending: list[NDArray[np.int32]] = []
        self.last_us = 0
        self.kept: deque[tuple[int, int, bytes]] = deque(maxlen=frames)
        """Number, time and bytes."""
        self.next = 0
        self.sending = False
        self.queue: deque[tuple[int, bytes]] = deque(maxlen=SLOTS)
        """Time and bytes of what the radio has not taken; where it takes none, the oldest are overwritten."""

    def make(self) -> None:
        if not self.pending:
            return
        data = StreamFrame(self.row.id, self.next, self.last_us, np.array(self.pending, np.int32)).encode()
        self.kept.append((self.next, self.last_us, data))
        if self.sending:
            self.queue.append((self.last_us, data))
        self.next = (self.next + 1) % SEQUENCE_MODULUS
        self.pending.clear()


class PythonEngine:
    """The twin of ``firmware_bridge/firmware/core``.

    Parameters
    ----------
    rows : sequence of BoardStream
        The stream table.
    samples : sequence of int
        Samples a frame, one number a stream.
    frames : int
        Frames of each stream that it keeps to be fetched again; a board with less memory keeps fewer.
    """

    def __init__(self, rows: Sequence[gatt.BoardStream], samples: Sequence[int], frames: int = SLOTS) -> None:
        self._streams = [_Stream(row, n, frames) for row, n in zip(rows, samples, strict=True)]
        self._answers: deque[bytes] = deque()
        self._fill: deque[bytes] = deque()

    def info(self) -> bytes:
        """The stream table."""
        return gatt.encode_info([s.row for s in self._streams])

    def sample(self, index: int, now_us: int, counts: NDArray[np.int32]) -> None:
        """One sample."""
        stream = self._streams[index]
        stream.pending.append(counts)
        stream.last_us = now_us
        if len(stream.pending) == stream.samples:
            stream.make()

    def gap(self, index: int) -> None:
        """End the frame in the making."""
        self._streams[index].make()

    def request(self, data: bytes, now_us: int, mtu: int) -> bool:
        """A write to CONTROL."""
        if len(self._answers) == _ANSWERS:
            return False
        try:
            asked = gatt.Control.decode(data)
        except ProtocolError:
            asked = gatt.Control(0)
        status, body = self._obey(asked, now_us, mtu)
        self._answers.append(gatt.ControlReply(asked.opcode, status, body).encode())
        return True

    def _obey(self, asked: gatt.Control, now_us: int, mtu: int) -> tuple[gatt.Status, bytes]:
        wanted = gatt.ARGUMENTS.get(asked.opcode)
        if wanted is None:
            return gatt.Status.UNKNOWN_OPCODE, b""
        if len(asked.data) != wanted:
            return gatt.Status.LENGTH, b""
        if asked.opcode == gatt.Opcode.TIME_PING:
            # The time of leaving follows when it leaves.
            return gatt.Status.OK, asked.data + now_us.to_bytes(6, "little") + bytes(6)
        stream = next((s for s in self._streams if s.row.id == asked.data[0]), None)
        if stream is None:
            return gatt.Status.UNKNOWN_STREAM, asked.data
        if asked.opcode == gatt.Opcode.BACKFILL:
            return self._fetch(stream, asked.data, mtu)
        start = asked.opcode == gatt.Opcode.START
        if start == stream.sending:
            return gatt.Status.ALREADY, asked.data
        if start and mtu < gatt.MIN_MTU:
            return gatt.Status.MTU, asked.data
        stream.sending = start
        stream.queue.clear()
        return gatt.Status.OK, asked.data

    def _fetch(self, stream: _Stream, arguments: bytes, mtu: int) -> tuple[gatt.Status, bytes]:
        if mtu < gatt.MIN_MTU:
            return gatt.Status.MTU, arguments
        if self._fill:
            return gatt.Status.BUSY, arguments
        _, first, count = gatt.decode_range(arguments)
        age = (stream.next - first) % SEQUENCE_MODULUS
        if age > len(stream.kept):
            gone = age - len(stream.kept)
            first, count, age = (first + gone) % SEQUENCE_MODULUS, max(count - gone, 0), len(stream.kept)
        count = min(count, age)
        kept = {number: data for number, _, data in stream.kept}
        self._fill.extend(kept[(first + i) % SEQUENCE_MODULUS] for i in range(count))
        return gatt.Status.OK, gatt.encode_range(stream.row.id, first, count)

    def next(self, now_us: int) -> tuple[Out, bytes] | None:
        """What to send next."""
        if self._answers:
            data = self._answers.popleft()
            if data[:2] == bytes([gatt.Opcode.TIME_PING | gatt.ANSWER, gatt.Status.OK]):
                data = data[:-6] + now_us.to_bytes(6, "little")
            return Out.CONTROL, data
        waiting = [s for s in self._streams if s.sending and s.queue]
        if waiting:
            return Out.DATA, min(waiting, key=lambda s: s.queue[0][0]).queue.popleft()[1]
        return (Out.BACKFILL, self._fill.popleft()) if self._fill else None

    def disconnected(self) -> None:
        """The host has gone."""
        self._answers.clear()
        self._fill.clear()
        for stream in self._streams:
            stream.sending = False
            stream.queue.clear()


class CoreEngine:
    """The firmware's C core, as a shared library.

    Parameters
    ----------
    library : ctypes.CDLL
        By :func:`load`.
    rows, samples : sequences
        As for :class:`PythonEngine`.

    Raises
    ------
    InputError
        If the core refuses the table.
    """

    def __init__(self, library: ctypes.CDLL, rows: Sequence[gatt.BoardStream], samples: Sequence[int]) -> None:
        self._core = library
        self._board = ctypes.create_string_buffer(library.felt_board_bytes())
        self._slots = [ctypes.create_string_buffer(SLOTS * library.felt_slot_bytes()) for _ in rows]
        library.felt_board_init(self._board)
        for row, n, slots in zip(rows, samples, self._slots, strict=True):
            if status := library.felt_board_add(self._board, gatt.encode_row(row), n, slots, SLOTS):
                msg = f"the board's core refuses stream {row.id} with {n} samples a frame (reason {status})"
                raise InputError(msg)

    def info(self) -> bytes:
        """The stream table."""
        out = ctypes.create_string_buffer(_ROOM)
        length = self._core.felt_info(self._board, out, _ROOM)
        return out.raw[:length]

    def sample(self, index: int, now_us: int, counts: NDArray[np.int32]) -> None:
        """One sample."""
        row = np.ascontiguousarray(counts, np.int32)
        self._core.felt_sample(self._board, index, now_us, row.ctypes.data)

    def gap(self, index: int) -> None:
        """End the frame in the making."""
        self._core.felt_gap(self._board, index)

    def request(self, data: bytes, now_us: int, mtu: int) -> bool:
        """A write to CONTROL."""
        return not self._core.felt_request(self._board, data, len(data), now_us, mtu)

    def next(self, now_us: int) -> tuple[Out, bytes] | None:
        """What to send next."""
        out, length = ctypes.create_string_buffer(_ROOM), ctypes.c_size_t()
        kind = self._core.felt_next(self._board, now_us, out, _ROOM, ctypes.byref(length))
        return (Out(kind), out.raw[: length.value]) if kind else None

    def disconnected(self) -> None:
        """The host has gone."""
        self._core.felt_disconnected(self._board)


def core_engine(path: Path) -> EngineFactory:
    """Engines of the C core.

    Parameters
    ----------
    path : Path
        The shared library.

    Raises
    ------
    InputError
        If it is not there, or is no such library.
    """
    try:
        core = ctypes.CDLL(str(path))
        pointer, size, u8, u16, u64 = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint64
        core.felt_board_bytes.restype = core.felt_slot_bytes.restype = size
        core.felt_board_add.argtypes = [pointer, pointer, u8, pointer, u16]
        core.felt_info.argtypes = [pointer, pointer, size]
        core.felt_sample.argtypes = [pointer, u8, u64, ctypes.c_void_p]
        core.felt_gap.argtypes = [pointer, u8]
        core.felt_request.argtypes = [pointer, pointer, size, u64, u16]
        core.felt_next.argtypes = [pointer, u64, pointer, size, ctypes.c_void_p]
    except (OSError, AttributeError) as error:
        msg = f"{path} is no library of the board's core ({error}): build it with make firmware"
        raise InputError(msg) from None
    return lambda rows, samples: CoreEngine(core, rows, samples)
