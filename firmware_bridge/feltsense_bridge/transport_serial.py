"""A serial port as a link's client: what a radar on a cable needs of one.

A port has one stream of bytes each way. It is called :data:`~feltsense_bridge.devices.radar_ld2450.BYTES` where Bluetooth
has a characteristic. Bytes are read in a thread and handed over in the loop, in order, as they come; a port that goes
(the plug is pulled) is a lost connection, and the link opens it again when it is back.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final

from feltsense.errors import MissingExtraError
from feltsense_bridge.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from feltsense_bridge.link_connection import Client, ClientFactory

__all__ = ["SerialClient", "serial_client"]

_WAIT_S: Final = 0.1
"""A read gives up so often, to see whether it is still wanted."""
_MOST: Final = 4096
"""Bytes handed over at once."""


class SerialClient:
    """One opening of one port.

    Parameters
    ----------
    port : str
        Name of the port, for example ``/dev/ttyUSB0`` or ``COM3``.
    baud : int
        Bits per second.
    on_disconnect : callable
        Called when the port goes.
    """

    def __init__(self, port: str, baud: int, on_disconnect: Callable[[], None]) -> None:
        self._name = port
        self._baud = baud
        self._on_disconnect = on_disconnect
        self._port: Any = None
        self._heard: Callable[[Any, bytearray], None] | None = None
        self._reader: threading.Thread | None = None
        self._wanted = threading.Event()

    @property
    def is_connected(self) -> bool:
        """Whether the port is open."""
        return self._port is not None

    async def connect(self) -> None:
        """Open the port.

        Raises
        ------
        NotFoundError
            If there is no such port, or it cannot be opened.
        """
        import serial

        try:
            self._port = await asyncio.to_thread(serial.Serial, self._name, self._baud, timeout=_WAIT_S)
        except (OSError, ValueError) as error:
            msg = f"serial port {self._name} cannot be opened ({error}): plug it in, and close other programs that use it"
            raise NotFoundError(msg) from error
        self._wanted.set()
        loop = asyncio.get_running_loop()
        self._reader = threading.Thread(target=self._read, args=(loop, self._port), name=f"reader of {self._name}")
        self._reader.daemon = True
        self._reader.start()

    def _read(self, loop: asyncio.AbstractEventLoop, port: Any) -> None:
        while self._wanted.is_set():
            try:
                data = port.read(min(max(port.in_waiting, 1), _MOST))
            except (OSError, TypeError):
                # Pulled out; pyserial says TypeError where the descriptor has been closed under it.
                if self._wanted.is_set():
                    loop.call_soon_threadsafe(self._gone)
                return
            if data:
                loop.call_soon_threadsafe(self._hand_over, bytes(data))

    def _hand_over(self, data: bytes) -> None:
        if self._heard is not None:
            self._heard(None, bytearray(data))

    def _gone(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None
            self._on_disconnect()

    async def disconnect(self) -> None:
        """Close the port, and end the thread."""
        self._wanted.clear()
        self._heard = None
        port, self._port = self._port, None
        if self._reader is not None:
            await asyncio.to_thread(self._reader.join)
            self._reader = None
        if port is not None:
            port.close()

    async def start_notify(self, uuid: str, callback: Callable[[Any, bytearray], None], /) -> None:
        """Hear the port's bytes."""
        self._heard = callback

    async def stop_notify(self, uuid: str, /) -> None:
        """Hear them no longer."""
        self._heard = None

    async def read_gatt_char(self, uuid: str, /) -> bytearray:
        """A port has nothing to read but its bytes: always nothing."""
        return bytearray()

    async def write_gatt_char(self, uuid: str, data: bytes, /, response: bool = True) -> None:
        """Send bytes."""
        if self._port is None:
            msg = f"serial port {self._name} is closed"
            raise OSError(msg)
        await asyncio.to_thread(self._port.write, data)


def serial_client(baud: int) -> ClientFactory:
    """Factory of serial clients; a link's `address` is the port's name.

    Parameters
    ----------
    baud : int
        Bits per second, for example :data:`feltsense_bridge.devices.radar_ld2450.BAUD`.

    Raises
    ------
    MissingExtraError
        If pyserial is not installed.
    """
    try:
        import serial  # noqa: F401 - only whether it is there
    except ImportError:
        raise MissingExtraError("serial", "a sensor on a serial port") from None

    def make(address: str, on_disconnect: Callable[[], None]) -> Client:
        return SerialClient(address, baud, on_disconnect)

    return make
