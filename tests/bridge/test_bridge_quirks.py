"""Platforms' differences, as far as they can be shown without the platforms; and what sensors say of themselves."""

import asyncio

import pytest
from bleak import BleakClient
from radio_cases import recording

from feltsense.core.chunk import Chunk
from feltsense_bridge.about import about
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.errors import NotFoundError, WrongDeviceError
from feltsense_bridge.link import Link
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.link_quirks import QUIRKS, fitted, for_platform, notify_options
from feltsense_bridge.testing import VirtualH10, VirtualRadio


def test_each_has_its_issue_and_its_answer():
    for quirk in QUIRKS:
        assert quirk.issue.startswith("https://")
        assert quirk.platform in ("any", "linux", "windows", "macos", "android")
        assert quirk.what
        assert quirk.dealt_with


def test_the_platform_decides(monkeypatch):
    monkeypatch.delenv("P4A_BOOTSTRAP", raising=False)
    for system, name in (("win32", "windows"), ("darwin", "macos"), ("linux", "linux")):
        monkeypatch.setattr("sys.platform", system)
        assert for_platform() == name
    monkeypatch.setenv("P4A_BOOTSTRAP", "sdl2")
    assert for_platform() == "android"
    assert notify_options("linux") == {"bluez": {"use_start_notify": True}}
    assert notify_options("windows") == {}


def notifying_only(backend, written):
    """A backend as python-for-android's: it writes 1 to the configuration whatever the characteristic can."""

    class NotifyingOnly(backend):
        async def start_notify(self, characteristic, callback, **options):
            await super().start_notify(characteristic, callback, **options)
            await super().write_gatt_descriptor(characteristic.descriptors[0], b"\x01\x00")

        async def write_gatt_descriptor(self, descriptor, data):
            written.append((descriptor.characteristic_uuid, bytes(data)))
            await super().write_gatt_descriptor(descriptor, data)

    return NotifyingOnly


async def test_a_client_that_only_notifies_gets_its_indications():
    async with VirtualRadio(20) as radio:
        strap = await radio.add(VirtualH10(recording(seconds=20)))
        written = []
        backend = notifying_only(radio.client, written)

        def factory(address, on_disconnect):
            return fitted(BleakClient(address, lambda _: on_disconnect(), backend=backend), "android")

        link = Link(PolarH10(["ecg"]), strap.address, client_factory=factory, clock=radio.clock, speed=20)
        async with asyncio.timeout(60), link:
            # Without indications no command would be answered, and nothing would start.
            await link.opened()
            async for item in link:
                if isinstance(item, Chunk):
                    break
        # The control point only indicates, the data only notify.
        assert written == [(pmd.CONTROL, b"\x02\x00")]


async def test_linux_asks_for_start_notify_by_name():
    heard = {}

    class Fake:
        is_connected = True

        async def start_notify(self, uuid, callback, **options):
            heard[uuid] = options

    client = fitted(Fake(), "linux")
    await client.start_notify(pmd.DATA, print)
    assert heard == {pmd.DATA: {"bluez": {"use_start_notify": True}}}
    assert client.is_connected
    plain = Fake()
    assert fitted(plain, "macos") is plain


async def test_a_sensor_says_what_it_is():
    async with VirtualRadio() as radio:
        strap = await radio.add(VirtualH10(recording(seconds=5)))
        strap.battery = 41
        said = await about(strap.address, bleak_client(radio.client), "strap")
        assert (said.battery, said.maker, said.model) == (41, "Polar Electro Oy", "H10")
        # What the sensor does not have is empty.
        assert said.software == ""
        assert not strap.connected


async def test_a_sensor_that_is_not_there_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("feltsense_bridge.about.PATIENCE_S", 0.2)
    async with VirtualRadio() as radio:
        with pytest.raises(NotFoundError, match="nobody"):
            await about("C0:FE:17:00:00:77", bleak_client(radio.client), "nobody")


async def test_what_cannot_be_is_said():
    async with VirtualRadio() as radio:
        strap = await radio.add(VirtualH10(recording(seconds=5)))
        strap.battery = 144  # no percentage
        with pytest.raises(WrongDeviceError, match="battery level"):
            await about(strap.address, bleak_client(radio.client))
