"""Canary: the internals of Bleak and Bumble that the virtual radio stands on, un-mocked."""

import asyncio
import inspect

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakGATTProtocolError
from bumble import att, core, hci
from bumble.controller import Controller
from bumble.gatt import Characteristic
from bumble.link import LocalLink

from feltsense_bridge.testing import VirtualRadio
from feltsense_bridge.testing._backend import BumbleClient, BumbleScanner


@pytest.mark.parametrize(("ours", "base"), [(BumbleClient, BaseBleakClient), (BumbleScanner, BaseBleakScanner)])
def test_every_abstract_method_is_there_with_its_parameters(ours, base):
    assert not ours.__abstractmethods__
    for name in base.__abstractmethods__:
        theirs = getattr(base, name)
        if isinstance(theirs, property):
            assert isinstance(getattr(ours, name), property)
            continue
        kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        wanted = [p.name for p in inspect.signature(theirs).parameters.values() if p.kind not in kinds]
        have = inspect.signature(getattr(ours, name)).parameters
        assert all(p in have for p in wanted), f"{name} takes {wanted}"
        assert inspect.iscoroutinefunction(getattr(ours, name)) == inspect.iscoroutinefunction(theirs)


def test_bleak_makes_backends_as_we_expect():
    """Bleak hands a class its own arguments; a new one must fall into ours without harm."""
    radio = VirtualRadio()
    client = BleakClient("C0:FE:17:00:00:01", backend=radio.client)
    assert client.backend_id == "BumbleClient"
    assert client._backend.radio is radio
    assert client._backend._timeout == 30
    assert BleakScanner(backend=radio.scanner)._backend.radio is radio
    other = VirtualRadio()
    assert other.client is not radio.client
    assert other.client.radio is other


def test_bleak_types_that_we_fill():
    assert AdvertisementData._fields == (
        "local_name", "manufacturer_data", "service_data", "service_uuids", "tx_power", "rssi", "platform_data",
    )  # fmt: skip
    assert BleakGATTProtocolError(3).code == 3


async def test_bumble_controller_can_be_told_the_length_of_a_packet():
    controller = Controller("c", link=LocalLink())
    assert isinstance(controller.le_acl_data_packet_length, int)
    # Ours takes the place of this one, which does not end the attempt.
    assert callable(controller.on_hci_le_create_connection_cancel_command)
    assert controller.pending_le_connection is None


def test_bumble_errors_that_we_translate():
    assert issubclass(att.ATT_Error, core.ProtocolError)
    assert att.ATT_Error(att.ATT_WRITE_NOT_PERMITTED_ERROR).error_code == 3
    assert issubclass(core.TimeoutError, core.BaseBumbleError)
    assert issubclass(hci.HCI_Error, Exception)
    assert Characteristic.EVENT_SUBSCRIPTION == "subscription"


async def test_bumble_hosts_talk_over_a_link_in_memory():
    """The raw stack without our adapter: advertise, connect, disconnect, and the event names we listen to."""
    async with VirtualRadio() as radio:
        host, sensor = radio.peripheral("a", "F0:00:00:00:00:0A"), radio.peripheral("b", "F0:00:00:00:00:0B")
        for device in (host, sensor):
            await device.power_on()
        heard, gone = asyncio.Event(), asyncio.Event()
        host.on("advertisement", lambda _: heard.set())
        await sensor.start_advertising(auto_restart=False)
        await host.start_scanning(active=True, filter_duplicates=False)
        await asyncio.wait_for(heard.wait(), 5)
        assert host.is_scanning
        await host.stop_scanning()
        connection = await host.connect(hci.Address("F0:00:00:00:00:0B"), timeout=5)
        assert connection.handle in host.connections
        connection.on("disconnection", lambda _: gone.set())
        await connection.disconnect()
        await asyncio.wait_for(gone.wait(), 5)
        with pytest.raises(core.TimeoutError):
            await host.connect(hci.Address("F0:00:00:00:00:0C"), timeout=0.05)
        for device in (host, sensor):
            await device.power_off()
