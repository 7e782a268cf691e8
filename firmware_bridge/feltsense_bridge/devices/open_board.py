"""The open board: any sensor that speaks the open wire format (``docs/reference/wire.md``).

PPG, skin conductance, skin temperature, acceleration, ECG; what a board has, at which rate and scale, its stream
table says. Frames carry a sequence number and the time of their last sample by a clock that counts µs since the
board was switched on. Its time can be asked for, and frames that were lost can be fetched again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.signals import SignalSpec
from feltsense.core.signals import kind as signal_kind
from feltsense.errors import LinkError, ProtocolError, UnknownNameError
from feltsense_bridge.device import Advertisement, Frame, Kept, Read, RoundTrip, Subscribe, Unsubscribe, Write
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices._gatt import advertises
from feltsense_bridge.frames import NO_NUMBER, SEQUENCE_MODULUS, StreamFrame

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from feltsense_bridge.device import Action, Decoded

__all__ = ["DEVICE", "OpenBoard"]

_NS_PER_US: Final = 1000
_COOKIES: Final = 2**32
"""A cookie's values: the time at which a question was asked, in µs; it wraps after 71 minutes."""


class OpenBoard:
    """A board that speaks the open wire format.

    Parameters
    ----------
    streams : sequence of str, optional
        Names of streams, of those in the board's table (``ppg``, ``eda``, ``temp``, ``acc``, ``ecg``, a second one of
        a kind being ``acc2``); default all that it has.
    """

    model: ClassVar[str] = "open_board"

    def __init__(self, streams: Sequence[str] | None = None) -> None:
        self._wanted = None if streams is None else tuple(streams)
        self._table: dict[str, gatt.BoardStream] = {}
        self._tells_time = True

    @classmethod
    def matches(cls, advertisement: Advertisement) -> bool:
        """Whether the advertisement names the open service."""
        return advertises(advertisement, gatt.SERVICE)

    @property
    def specs(self) -> Mapping[str, SignalSpec]:
        """Stream name → signal; empty until the stream table was read."""
        return {name: SignalSpec(signal_kind(row.kind), row.rate) for name, row in self._table.items()}

    @property
    def keeps(self) -> frozenset[str]:
        """Streams whose lost frames the board sends again."""
        return frozenset(name for name, row in self._table.items() if row.keeps)

    def ping(self, now_ns: int) -> Write | None:
        """Question for the board's time; None once it has said that it does not know the question."""
        if not self._tells_time:
            return None
        cookie = now_ns // _NS_PER_US % _COOKIES
        return Write(gatt.CONTROL, gatt.Control(gatt.Opcode.TIME_PING, cookie.to_bytes(4, "little")).encode())

    def fetch(self, stream: str, first: int, frames: int) -> Write:
        """Request for lost frames."""
        arguments = gatt.encode_range(self._table[stream].id, first, frames)
        return Write(gatt.CONTROL, gatt.Control(gatt.Opcode.BACKFILL, arguments).encode())

    def start(self) -> Generator[Action, bytes | None, None]:
        """Read the stream table, subscribe, start the streams.

        Raises
        ------
        LinkError
            If the board refuses.
        UnknownNameError
            If it has no stream of a name that was asked for.
        ProtocolError
            If an answer breaks the protocol.
        """
        table = gatt.stream_names(gatt.decode_info((yield Read(gatt.INFO)) or b""))
        for name in self._wanted or ():
            if name not in table:
                raise UnknownNameError("stream of this board", name, table)
        self._table = {name: row for name, row in table.items() if self._wanted is None or name in self._wanted}
        yield Subscribe(gatt.CONTROL)
        yield Subscribe(gatt.DATA)
        if self.keeps:
            yield Subscribe(gatt.BACKFILL)
        for name, row in self._table.items():
            reply = yield from self._exchange(gatt.Opcode.START, row)
            if reply.status == gatt.Status.ALREADY:
                # Left running by an earlier connection.
                yield from self._exchange(gatt.Opcode.STOP, row)
                reply = yield from self._exchange(gatt.Opcode.START, row)
            if reply.status:
                msg = f"{self.model} refuses to start {name}: {reply.problem} (status {reply.status})"
                raise LinkError(msg)

    def stop(self) -> Generator[Action, bytes | None, None]:
        """Stop the streams, unsubscribe. A refusal is no error here."""
        for row in self._table.values():
            yield Write(gatt.CONTROL, gatt.Control(gatt.Opcode.STOP, bytes([row.id])).encode(), expect=gatt.CONTROL)
        if self._table:
            if self.keeps:
                yield Unsubscribe(gatt.BACKFILL)
            yield Unsubscribe(gatt.DATA)
            yield Unsubscribe(gatt.CONTROL)

    def decode(self, uuid: str, data: bytes) -> list[Decoded]:
        """Frames of one notification, or an answer that was not waited for; streams that were not started are passed over.

        Raises
        ------
        ProtocolError
            If the bytes break the protocol, or the frame does not fit the stream table.
        """
        if uuid == gatt.CONTROL:
            return self._answered(gatt.ControlReply.decode(data))
        if uuid not in (gatt.DATA, gatt.BACKFILL):
            return []
        frame = StreamFrame.decode(data)
        name = next((name for name, row in self._table.items() if row.id == frame.stream), None)
        if name is None:
            return []
        row = self._table[name]
        if frame.counts.shape[1] != len(signal_kind(row.kind).channels):
            msg = f"frame of {name} has {frame.counts.shape[1]} channels"
            raise ProtocolError(msg, 10)
        values = np.where(frame.counts == NO_NUMBER, np.nan, row.offset + row.scale * frame.counts)
        again, device_ns = uuid == gatt.BACKFILL, frame.device_us * _NS_PER_US
        return [Frame(name, values, device_ns, frame.sequence, SEQUENCE_MODULUS, again=again)]

    def _answered(self, reply: gatt.ControlReply) -> list[Decoded]:
        if reply.opcode == gatt.Opcode.TIME_PING:
            self._tells_time = not reply.status
            if reply.status:
                return []
            cookie, received_us, sent_us = reply.times()
            return [RoundTrip(cookie, received_us * _NS_PER_US, sent_us * _NS_PER_US)]
        if reply.opcode != gatt.Opcode.BACKFILL or reply.status == gatt.Status.BUSY:
            return []
        if reply.status:
            return [Kept(name, refused=True) for name in sorted(self.keeps)]
        key, first, frames = gatt.decode_range(reply.data)
        return [Kept(name, first, frames) for name, row in self._table.items() if row.id == key]

    def _exchange(self, opcode: gatt.Opcode, row: gatt.BoardStream) -> Generator[Action, bytes | None, gatt.ControlReply]:
        request = gatt.Control(opcode, bytes([row.id])).encode()
        reply = gatt.ControlReply.decode((yield Write(gatt.CONTROL, request, expect=gatt.CONTROL)) or b"")
        if reply.opcode != opcode:
            msg = f"request {opcode:#04x} got the answer of {reply.opcode:#04x}"
            raise ProtocolError(msg, 0)
        return reply


DEVICE = OpenBoard
