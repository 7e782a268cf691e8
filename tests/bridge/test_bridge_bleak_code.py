"""Ordinary Bleak code, as an app developer writes it, against each virtual sensor; and the errors it may expect."""

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from radio_cases import Host, beats, noise, recording, stream

from feltsense.core.recording import Recording
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices._gatt import HEART_RATE_MEASUREMENT, HEART_RATE_SERVICE
from feltsense_bridge.devices.heart_rate import HeartRateStrap
from feltsense_bridge.devices.open_board import OpenBoard
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.testing import VirtualBoard, VirtualH10, VirtualRadio, VirtualStrap

CASES = {
    "h10": (lambda: VirtualH10(recording(120)), PolarH10, HEART_RATE_SERVICE, "ecg", b"H10"),
    "strap": (
        lambda: VirtualStrap(recording(120, events=beats(120))), HeartRateStrap, HEART_RATE_SERVICE, "rr", b"virtual strap"
    ),
    "board": (
        lambda: VirtualBoard(recording(120, ("ppg", "eda", "skin_temperature", "acc"), "board")),
        OpenBoard, gatt.SERVICE, "ppg", b"open board",
    ),
}  # fmt: skip


async def at_least(n, frames, seconds=10):
    async with asyncio.timeout(seconds):
        while len(frames()) < n:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("case", CASES)
async def test_scan_connect_stream_stop_lose_and_reconnect(case):
    make, model, service, name, called = CASES[case]
    before = asyncio.all_tasks()
    async with VirtualRadio(speed=30) as radio:
        sensor = await radio.add(make())
        found = await BleakScanner.find_device_by_filter(
            lambda _, advertised: service in advertised.service_uuids, timeout=5, backend=radio.scanner
        )
        assert found is not None
        assert (found.address, found.name) == (sensor.address, sensor.name)

        gone = asyncio.Event()
        client = BleakClient(found, disconnected_callback=lambda _: gone.set(), backend=radio.client)
        await client.connect()
        assert client.is_connected
        assert sensor.connected
        assert client.mtu_size == 517
        assert (await client.read_gatt_char("2a19"))[0] == sensor.battery
        assert bytes(await client.read_gatt_char("2a24")) == called

        device, host = model(), Host(client)
        await host.run(device.start())
        await at_least(3, lambda: host.frames(device, name))
        await host.run(device.stop())
        await asyncio.sleep(0.05)
        heard = len(host.frames(device, name))
        await radio.sleep(3)
        assert len(host.frames(device, name)) == heard

        await host.run(device.start())
        await sensor.disconnect()
        await asyncio.wait_for(gone.wait(), 5)
        assert not client.is_connected
        with pytest.raises(BleakError):
            await client.read_gatt_char("2a19")

        await client.connect()
        again = Host(client)
        await again.run(device.start())
        await at_least(2, lambda: again.frames(device, name))
        assert (await client.read_gatt_char("2a19"))[0] == sensor.battery
    assert not sensor.connected
    assert asyncio.all_tasks() == before


async def test_h10_answers_as_the_public_document_has_it():
    async with VirtualRadio(speed=30) as radio:
        h10 = await radio.add(VirtualH10(recording(60)))
        async with BleakClient(h10.address, backend=radio.client) as client:
            answers = asyncio.Queue()
            await client.start_notify(pmd.CONTROL, lambda _, data: answers.put_nowait(bytes(data)))
            await client.start_notify(pmd.DATA, lambda _, data: None)

            async def ask(command):
                await client.write_gatt_char(pmd.CONTROL, bytes.fromhex(command), response=True)
                return (await asyncio.wait_for(answers.get(), 5)).hex()

            assert (await client.read_gatt_char(pmd.CONTROL))[:2] == bytes([0x0F, 0b101])
            assert await ask("0100") == "f0010000000001820001010e00"
            assert await ask("02000001820001010e00") == "f002000000"
            assert await ask("05") == "f0050000004002"
            for command, error in (
                ("02000001820001010e00", pmd.PmdError.ALREADY_IN_STATE),
                ("0201", pmd.PmdError.INVALID_TYPE),
                ("09", pmd.PmdError.INVALID_OPERATION),
                ("02", pmd.PmdError.INVALID_LENGTH),
                ("0202", pmd.PmdError.INVALID_PARAMETER),
                ("020200", pmd.PmdError.INVALID_PARAMETER),
                ("0202 0001 1a00 0101 1000 0201 0800", pmd.PmdError.INVALID_RATE),
                ("0202 0001 1900 0101 1100 0201 0800", pmd.PmdError.INVALID_RESOLUTION),
                ("0202 0001 1900 0101 1000 0201 0900", pmd.PmdError.INVALID_RANGE),
                ("0302", pmd.PmdError.ALREADY_IN_STATE),
            ):
                assert int((await ask(command))[6:8], 16) == error, command
            assert await ask("0300") == "f003000000"


async def test_a_start_with_small_packets_is_refused(monkeypatch):
    monkeypatch.setattr("feltsense_bridge.testing._backend.ATT_MTU", 100)
    async with VirtualRadio(speed=30) as radio:
        h10 = await radio.add(VirtualH10(recording()))
        board = await radio.add(VirtualBoard(recording(kinds=("eda",))))
        for sensor, device in ((h10, PolarH10()), (board, OpenBoard())):
            async with BleakClient(sensor.address, backend=radio.client) as client:
                with pytest.raises(Exception, match=r"packet size \(MTU\)"):
                    await Host(client).run(device.start())


async def test_board_answers_time_pings_and_refuses_what_it_does_not_know():
    async with VirtualRadio(speed=30) as radio:
        board = await radio.add(VirtualBoard(recording(kinds=("eda",), own="board")))
        async with BleakClient(board.address, backend=radio.client) as client:
            answers = asyncio.Queue()
            await client.start_notify(gatt.CONTROL, lambda _, data: answers.put_nowait(bytes(data)))

            async def ask(*request):
                await client.write_gatt_char(gatt.CONTROL, bytes(request), response=True)
                return gatt.ControlReply.decode(await asyncio.wait_for(answers.get(), 5))

            first, second = [(await ask(gatt.Opcode.TIME_PING, i, 0, 0, 0)).times() for i in (1, 2)]
            assert (first[0], second[0]) == (1, 2)
            assert 0 < first[1] <= first[2] < second[1] <= second[2]
            assert (await ask(gatt.Opcode.START, 9)).status == gatt.Status.UNKNOWN_STREAM
            assert (await ask(gatt.Opcode.START)).status == gatt.Status.LENGTH
            assert (await ask(gatt.Opcode.TIME_PING, 1)).status == gatt.Status.LENGTH
            assert (await ask(gatt.Opcode.STOP, 0)).status == gatt.Status.ALREADY
            assert (await ask(gatt.Opcode.BACKFILL, 0)).status == gatt.Status.LENGTH
            assert (await ask(0x11, 0)).status == gatt.Status.UNKNOWN_OPCODE


async def test_errors_are_those_that_bleak_code_knows():
    async with VirtualRadio(speed=30) as radio:
        h10 = await radio.add(VirtualH10(recording()))
        with pytest.raises(BleakDeviceNotFoundError):
            await BleakClient("C0:FE:17:00:00:99", timeout=0.1, backend=radio.client).connect()
        seen = await BleakScanner.find_device_by_address(h10.address, timeout=5, backend=radio.scanner)
        async with BleakClient(h10.address, backend=radio.client) as client:
            with pytest.raises(BleakError, match="already connected"):
                await client.connect()
            with pytest.raises(TimeoutError):
                await BleakClient(seen, timeout=0.1, backend=radio.client).connect()  # the strap is taken
            with pytest.raises(BleakGATTProtocolError):
                await client.write_gatt_char("2a19", b"\1", response=True)
            with pytest.raises(BleakGATTProtocolError):
                await client.read_gatt_char(HEART_RATE_MEASUREMENT)
            await client.start_notify(pmd.DATA, lambda *_: None)
            with pytest.raises(BleakError, match="already notifying"):
                await client.start_notify(pmd.DATA, lambda *_: None)
            await client.stop_notify(pmd.DATA)
            await client.start_notify(pmd.DATA, lambda *_: None)
            with pytest.raises(BleakError, match="not found"):
                await client.read_gatt_char("2a6e")
        with pytest.raises(BleakError):
            await client.start_notify(pmd.DATA, lambda *_: None)


async def test_a_disconnection_ends_what_waits_for_an_answer():
    async with VirtualRadio(speed=30) as radio:
        h10 = await radio.add(VirtualH10(recording()))
        async with BleakClient(h10.address, backend=radio.client) as client:
            reads = [asyncio.create_task(client.read_gatt_char("2a19")) for _ in range(3)]
            await asyncio.sleep(0)
            await h10.disconnect()
            done = await asyncio.wait_for(asyncio.gather(*reads, return_exceptions=True), 5)
            assert all(isinstance(d, BleakError | bytearray) for d in done)
            assert any(isinstance(d, BleakError) for d in done)


async def test_a_cancelled_connect_leaves_the_radio_usable():
    async with VirtualRadio(speed=30) as radio:
        h10 = await radio.add(VirtualH10(recording()))
        for ticks in range(0, 40, 5):
            attempt = asyncio.create_task(BleakClient(h10.address, backend=radio.client).connect())
            for _ in range(ticks):
                await asyncio.sleep(0)
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)
        async with BleakClient(h10.address, timeout=5, backend=radio.client) as client:
            assert (await client.read_gatt_char("2a19"))[0] == h10.battery


async def test_two_radios_know_nothing_of_each_other():
    async with VirtualRadio() as one, VirtualRadio() as other:
        sensor = await one.add(VirtualH10(recording()))
        assert await BleakScanner.find_device_by_address(sensor.address, timeout=5, backend=one.scanner)
        assert not await BleakScanner.discover(timeout=0.1, backend=other.scanner)


async def test_a_recording_that_cannot_be_played_is_refused():
    eda = Recording("s", {"x.eda": stream("x.eda", "eda", noise("eda", 5))})
    for sensor in (VirtualH10, VirtualStrap):
        with pytest.raises(Exception, match="the recording has no"):
            sensor(eda)
    with pytest.raises(Exception, match="nothing"):
        VirtualBoard(recording(kinds=()))
    with pytest.raises(Exception, match="unknown stream"):
        VirtualBoard(eda, streams={"eda": "y.eda"})
    with pytest.raises(Exception, match="are eda"):
        VirtualBoard(eda, streams={"ppg": "x.eda"})
    with pytest.raises(Exception, match="shorten the name"):
        async with VirtualRadio() as radio:
            await radio.add(VirtualBoard(eda, "a name that is too long"))
    with pytest.raises(Exception, match="unknown stream"):
        VirtualBoard(eda).drop("ppg")


async def test_a_storm_of_vanishing_and_connecting_ends_well():
    """The sensor goes at any moment of connecting, discovering or streaming; the host tries again until it stays."""
    async with VirtualRadio(speed=60) as radio:
        h10 = await radio.add(VirtualH10(recording(600, ("ecg",))))

        async def storm():
            for ticks in range(24):
                for _ in range(3 * ticks):
                    await asyncio.sleep(0)
                await h10.vanish(0.5)

        weather = asyncio.create_task(storm())
        async with asyncio.timeout(60):
            while True:
                client = BleakClient(h10.address, timeout=5, backend=radio.client)
                host, device = Host(client), PolarH10(["ecg"])
                try:
                    await client.connect()
                    await host.run(device.start())
                    await at_least(1, lambda: host.frames(device, "ecg"), 1)  # noqa: B023
                    if weather.done():
                        break
                except (BleakError, TimeoutError):
                    pass
                await client.disconnect()
        assert client.is_connected
        assert sorted(set(h10.produced)) == ["ecg"]
        await weather
        await client.disconnect()
