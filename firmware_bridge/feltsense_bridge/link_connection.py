"""One connection to one device: a client of its own, and the device's dialogues carried out over it.

Contract
--------
- A client object serves one attempt and is thrown away: reused clients are where platforms hang.
- Notifications are handed on at once, in order, unless a dialogue expects one as its answer.
- Time-outs are real seconds whatever the speed of simulated time: Bluetooth takes its time.
- After :meth:`Connection.close` nothing of it is left: streams stopped, disconnected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from feltsense.errors import LinkError, MissingExtraError, ProtocolError
from feltsense_bridge.device import Read, Subscribe, Unsubscribe, Write
from feltsense_bridge.errors import LostError, NoAnswerError, lacks, transport_errors
from feltsense_bridge.link_quirks import fitted, for_platform

if TYPE_CHECKING:
    from collections.abc import Generator

    from feltsense_bridge.device import Action, Device

__all__ = ["Client", "ClientFactory", "Connection", "bleak_client"]

CONNECT_S: Final = 30.0
"""A connection may take this long: Bleak's own limit, and some platforms scan for the device first."""
ANSWER_S: Final = 5.0
"""A sensor answers a command within some connection intervals, 100 ms; five seconds forgive much."""
CLOSE_S: Final = 5.0
"""Stopping the streams and disconnecting may take this long each; then the connection is left to the system."""


class Client(Protocol):
    """What is needed of a Bluetooth client: a subset of Bleak's."""

    @property
    def is_connected(self) -> bool:
        """Whether the connection is up."""

    async def connect(self) -> Any:
        """Connect and discover services."""

    async def disconnect(self) -> Any:
        """Disconnect."""

    async def start_notify(self, uuid: str, callback: Callable[[Any, bytearray], None], /) -> Any:
        """Enable notifications or indications."""

    async def stop_notify(self, uuid: str, /) -> Any:
        """Disable them."""

    async def read_gatt_char(self, uuid: str, /) -> bytearray:
        """Read a characteristic."""

    async def write_gatt_char(self, uuid: str, data: bytes, /, response: bool = ...) -> Any:
        """Write a characteristic."""


ClientFactory = Callable[[str, Callable[[], None]], Client]
"""Makes a client from an address and what to call when the connection goes."""


def bleak_client(backend: Any = None) -> ClientFactory:
    """Factory of Bleak clients.

    Parameters
    ----------
    backend : class, optional
        Bleak backend, for example a virtual radio's ``client``; default the platform's.

    Raises
    ------
    MissingExtraError
        If Bleak is not installed.
    """
    try:
        from bleak import BleakClient
    except ImportError:
        raise MissingExtraError("ble", "a sensor over Bluetooth LE") from None

    def make(address: str, on_disconnect: Callable[[], None]) -> Client:
        if backend is None:
            return fitted(BleakClient(address, lambda _client: on_disconnect(), timeout=CONNECT_S), for_platform())
        client: Client = BleakClient(address, lambda _client: on_disconnect(), timeout=CONNECT_S, backend=backend)
        return client

    return make


class Connection:
    """One connection.

    Parameters
    ----------
    device : Device
        Whose dialogues to run.
    address : str
        Where it is.
    factory : callable
        Makes the client.
    hear : callable
        Takes a notification: UUID and bytes.
    digest : callable
        Lets the device decode what was heard so far; called between the steps of a dialogue.
    """

    def __init__(
        self,
        device: Device,
        address: str,
        factory: ClientFactory,
        hear: Callable[[str, bytes], None],
        digest: Callable[[], None],
    ) -> None:
        self.over = asyncio.Event()
        """Set when the connection has gone, or is to be given up."""
        self.heard = False
        """Whether any notification was handed on, or the streams were started."""
        self._lost = False
        self._device = device
        self._hear = hear
        self._digest = digest
        self._expected: dict[str, asyncio.Future[bytes]] = {}
        self._begun = False
        self._client = factory(address, self._gone)

    @property
    def lost(self) -> bool:
        """Whether the connection has gone by itself."""
        return self._lost

    async def connect(self) -> None:
        """Connect."""
        async with asyncio.timeout(CONNECT_S):
            await self._client.connect()

    async def start(self) -> None:
        """Run the device's start dialogue."""
        self._begun = True
        await self._converse(self._device.start())
        self.heard = True

    async def write(self, request: Write) -> None:
        """Ask something in between; the answer comes as a notification."""
        await self._client.write_gatt_char(request.uuid, request.data, response=request.response)

    async def read(self, uuid: str) -> bytes:
        """Read a characteristic in between."""
        return bytes(await self._client.read_gatt_char(uuid))

    async def close(self) -> None:
        """Stop the streams if they run, and disconnect; errors on the way out change nothing."""
        quiet: tuple[type[Exception], ...] = (*transport_errors(), LinkError, ProtocolError)
        if self._begun and self._client.is_connected and not self._lost:
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self._converse(self._device.stop())
            except quiet:
                # It may have gone in this moment, or stopped by itself: there is nobody left to tell.
                pass
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._client.disconnect()
        except quiet:
            pass
        self._hear = _deaf

    async def _converse(self, dialogue: Generator[Action, bytes | None, None]) -> None:
        reply: bytes | None = None
        try:
            while True:
                action = dialogue.send(reply)
                reply = await self._act(action)
                self._digest()
        except StopIteration:
            return
        finally:
            dialogue.close()

    async def _act(self, action: Action) -> bytes | None:
        match action:
            case Subscribe(uuid, optional):
                return await self._subscribe(uuid, optional=optional)
            case Unsubscribe(uuid):
                await self._client.stop_notify(uuid)
            case Read(uuid):
                return bytes(await self._client.read_gatt_char(uuid))
            case Write(uuid, data, None, response):
                await self._client.write_gatt_char(uuid, data, response=response)
            case Write(uuid, data, expect, response):
                return await self._ask(uuid, data, str(expect), response=response)
        return None

    async def _subscribe(self, uuid: str, *, optional: bool) -> bytes | None:
        try:
            await self._client.start_notify(uuid, partial(self._heard, uuid))
        except transport_errors() as error:
            if optional and lacks(error):
                return b""
            raise
        return None

    async def _ask(self, uuid: str, data: bytes, expect: str, *, response: bool) -> bytes:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._expected[expect] = answer
        try:
            await self._client.write_gatt_char(uuid, data, response=response)
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            msg = f"{self._device.model} did not answer {data.hex()} within {ANSWER_S:g} s: switch it off and on"
            raise NoAnswerError(msg) from None
        finally:
            self._expected.pop(expect, None)
            answer.cancel()

    def _heard(self, uuid: str, _sender: Any, data: bytearray) -> None:
        answer = self._expected.pop(uuid, None)
        if answer is not None and not answer.done():
            answer.set_result(bytes(data))
        else:
            self.heard = True
            self._hear(uuid, bytes(data))

    def _gone(self) -> None:
        self._lost = True
        self.over.set()
        for answer in self._expected.values():
            if not answer.done():
                msg = f"{self._device.model} disconnected instead of answering"
                answer.set_exception(LostError(msg))


def _deaf(_uuid: str, _data: bytes) -> None:
    """What comes after the end is not heard."""
