"""Somebody else's client, unchanged, against the virtual strap: what we emulate is what the world expects."""

import asyncio

import numpy as np
from bleak import BleakClient, BleakScanner
from bleakheart import BatteryLevel, PolarMeasurementData
from radio_cases import recording

from feltsense_bridge.testing import VirtualH10, VirtualRadio

FRAMES = 4


async def test_bleakheart_reads_the_virtual_h10():
    played = recording(seconds=20)
    async with VirtualRadio(10.0) as radio:
        strap = await radio.add(VirtualH10(played))
        found = await BleakScanner.find_device_by_name(strap.name, backend=radio.scanner)
        async with BleakClient(found, backend=radio.client) as client:
            frames = asyncio.Queue()
            reader = PolarMeasurementData(client, ecg_queue=frames)
            assert await BatteryLevel(client).read() == strap.battery
            assert set(await reader.available_measurements()) == {"ECG", "ACC"}
            settings = await reader.available_settings("ECG")
            assert settings["SAMPLE_RATE"] == [130]
            assert (await reader.start_streaming("ECG"))[0] == 0
            got = [await asyncio.wait_for(frames.get(), 10) for _ in range(FRAMES)]
            assert (await reader.stop_streaming("ECG"))[0] == 0
    samples = np.concatenate([f[2] for f in got])
    first = np.round(1000 * played.streams["h10.ecg"].segments[0].values[: len(samples), 0])
    assert len(samples) == FRAMES * 73
    assert np.array_equal(samples, first)
