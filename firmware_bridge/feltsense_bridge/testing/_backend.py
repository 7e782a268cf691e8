"""A Bleak backend whose radio is a Bumble host in the same process.

Bleak takes a *class* as ``backend=`` and makes its own objects of it, so the class must know its radio: each
:class:`~feltsense_bridge.testing.VirtualRadio` makes subclasses of these two, bound to itself. Nothing is global.

Behaviour follows Bleak's own backends: an ATT error becomes ``BleakGATTProtocolError``, an operation cut short by a
disconnection ``BleakError``; a device that cannot be reached within the time-out is ``BleakDeviceNotFoundError`` when
it was named by its address and ``TimeoutError`` when a scan had seen it; notifying twice is an error.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str
from bumble import core
from bumble.device import Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bleak.args import SizedBuffer
    from bleak.backends.client import NotifyCallback

    from feltsense_bridge.testing.radio import VirtualRadio

__all__ = ["BumbleClient", "BumbleScanner"]

ATT_MTU = 517
"""What Android and iOS ask for: the largest packet that holds an attribute of 512 bytes."""
_MIN_MTU = 23
_POLL_S = 0.05
"""Real seconds between two looks at whether the connection of an operation still stands."""
_LONG = 16
"""Bytes of a UUID that is not an assigned number."""
_UUID_LISTS = (
    core.AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    core.AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    core.AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    core.AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
)


def _uuid(uuid: Any) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-") if len(uuid.uuid_bytes) == _LONG else uuid.to_hex_str())


class BumbleScanner(BaseBleakScanner):
    """Scanner of one virtual radio."""

    radio: ClassVar[VirtualRadio]

    def __init__(
        self,
        detection_callback: Any,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **_: Any,  # Options of other platforms, which Bleak passes to every backend.
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        """Begin to listen."""
        self.seen_devices = {}
        await self.radio.listen(self._heard)

    async def stop(self) -> None:
        """Cease to listen."""
        await self.radio.unlisten(self._heard)

    def _heard(self, heard: Any) -> None:
        data = heard.data
        name = data.get(core.AdvertisingData.COMPLETE_LOCAL_NAME) or data.get(core.AdvertisingData.SHORTENED_LOCAL_NAME)
        services = [_uuid(u) for kind in _UUID_LISTS for listed in data.get_all(kind) for u in listed]
        maker = {k: bytes(v) for k, v in data.get_all(core.AdvertisingData.MANUFACTURER_SPECIFIC_DATA)}
        advertised = AdvertisementData(name, maker, {}, services, None, heard.rssi, (heard,))
        address = str(heard.address).split("/")[0]
        device = self.create_or_update_device(address, address, name, heard.address, advertised)
        if self.is_allowed_uuid(services):
            self.call_detection_callbacks(device, advertised)


class BumbleClient(BaseBleakClient):
    """Client of one virtual radio."""

    radio: ClassVar[VirtualRadio]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        services: set[str] | None = None,
        disconnected_callback: Callable[[], None] | None = None,
        timeout: float = 30.0,
        **_: Any,  # Options of other platforms, which Bleak passes to every backend.
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._seen = isinstance(address_or_ble_device, BLEDevice)
        self._name = (address_or_ble_device.name if isinstance(address_or_ble_device, BLEDevice) else None) or ""
        self._filter = services
        self._connection: Any = None
        self._peer: Any = None
        self._notified: dict[int, Callable[[bytes], None]] = {}
        self._operations: set[asyncio.Task[Any]] = set()

    @property
    def name(self) -> str:
        """Name of the device, else its address with dashes, as Bleak has it."""
        return self._name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """Negotiated size of a packet."""
        return int(self._peer.gatt_client.mtu) if self._peer is not None else _MIN_MTU

    @property
    def is_connected(self) -> bool:
        """Whether the connection is up."""
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect, negotiate the packet size, discover the services."""
        if self._connection is not None:
            msg = "already connected"
            raise BleakError(msg)
        try:
            async with asyncio.timeout(kwargs.get("timeout", self._timeout)):
                await self._establish(pair)
        except TimeoutError as error:
            await self.disconnect()
            if self._seen:
                raise
            msg = f"no device {self.address} could be reached"
            raise BleakDeviceNotFoundError(self.address, msg) from error
        except BaseException:
            await self.disconnect()
            raise

    async def _establish(self, pair: bool) -> None:
        self._connection = await self.radio.connect(self.address)
        self._connection.on("disconnection", self._disconnected)
        if self._connection.device.connections.get(self._connection.handle) is not self._connection:
            # It went before anybody listened for that: requests on it would wait for their time-out.
            self._connection = None
            msg = "the device disconnected at once"
            raise BleakError(msg)
        peer = self._peer = Peer(self._connection)
        await self._att(peer.request_mtu(ATT_MTU))
        if pair:
            await self.pair()
        self.services = await self._att(self._discover(peer))

    async def _discover(self, peer: Any) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        await peer.discover_services()
        for s in peer.services:
            if self._filter and _uuid(s.uuid) not in self._filter:
                continue
            service = BleakGATTService(s, s.handle, _uuid(s.uuid))
            found.add_service(service)
            for c in await peer.discover_characteristics(service=s):
                properties = list(gatt_char_props_to_strs(int(c.properties)))
                characteristic = BleakGATTCharacteristic(
                    c, c.handle, _uuid(c.uuid), properties, lambda: self.mtu_size - 3, service
                )
                found.add_characteristic(characteristic)
                for d in await peer.discover_descriptors(characteristic=c):
                    found.add_descriptor(BleakGATTDescriptor(d, d.handle, _uuid(d.type), characteristic))
        return found

    def _disconnected(self, _reason: int) -> None:
        self._connection = self._peer = self.services = None
        self._notified.clear()
        for operation in self._operations:
            operation.cancel()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        """Disconnect; nothing to do when the connection is already gone."""
        if self._connection is not None:
            await self.radio.disconnect(self._connection)

    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        """Pair. Not tested: no virtual sensor asks for it."""
        self._need()
        await self._att(self._connection.pair())

    async def unpair(self) -> None:
        """Not offered."""
        msg = "the virtual radio remembers no pairing"
        raise NotImplementedError(msg)

    async def _att(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do an operation on the connection; end it with the connection."""
        operation = asyncio.ensure_future(work)
        self._operations.add(operation)
        operation.add_done_callback(self._finished)
        # Not cancelled with its caller: the answer would come to the next request. `wait` does not raise its error.
        connection = self._connection
        with self.radio.procedure():
            while not operation.done():
                await asyncio.wait([operation], timeout=_POLL_S)
                if self._connection is not connection:
                    # Once more: an answer that came in the same moment swallows the first cancellation (Python 3.11).
                    operation.cancel()
        if operation.cancelled():
            msg = "the device disconnected before it answered"
            raise BleakError(msg)
        try:
            return operation.result()
        except core.ProtocolError as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except core.InvalidStateError as error:
            msg = "the device has disconnected"
            raise BleakError(msg) from error
        except core.TimeoutError as error:
            msg = "the device did not answer in time"
            raise BleakError(msg) from error

    def _finished(self, operation: asyncio.Task[Any]) -> None:
        self._operations.discard(operation)
        if not operation.cancelled():
            operation.exception()  # Marked as seen: the caller may have gone.

    def _need(self) -> None:
        if self._connection is None:
            msg = "not connected"
            raise BleakError(msg)

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        """Read a characteristic; nothing is cached."""
        self._need()
        return bytearray(await self._att(characteristic.obj.read_value()))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        """Read a descriptor; nothing is cached."""
        self._need()
        return bytearray(await self._att(descriptor.obj.read_value()))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """Write a characteristic."""
        self._need()
        await self._att(characteristic.obj.write_value(bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor."""
        self._need()
        await self._att(descriptor.obj.write_value(bytes(data), with_response=True))

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any) -> None:
        """Enable notifications, or indications where there are no notifications."""
        self._need()
        handle = characteristic.handle
        if handle in self._notified:
            msg = f"characteristic {characteristic.uuid} is already notifying"
            raise BleakError(msg)

        def heard(value: bytes) -> None:
            self.radio.arrived += 1
            callback(bytearray(value))

        self._notified[handle] = heard
        try:
            await self._att(characteristic.obj.subscribe(heard, prefer_notify=True))
        except BaseException:
            self._notified.pop(handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Disable notifications."""
        self._need()
        heard = self._notified.pop(characteristic.handle, None)
        if heard is not None:
            await self._att(characteristic.obj.unsubscribe(heard))
