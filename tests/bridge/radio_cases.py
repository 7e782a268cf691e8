"""Recordings to play, and the smallest host that can hold a device's dialogue: plain Bleak calls, no link."""

import asyncio
from collections import defaultdict
from fractions import Fraction

import numpy as np

from feltsense.core.chunk import StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import CATALOGUE, spec
from feltsense.core.timeline import NS, TimeMap
from feltsense_bridge.device import Read, Subscribe, Unsubscribe, Write
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices.open_board import OpenBoard

T0 = 1_700_000_000 * NS
RATES = {"ecg": 130, "acc": 50, "ppg": 64, "eda": 4, "skin_temperature": 4}
STEP = {"ecg": 1e-3, "acc": 1 / 4096, "ppg": 0.01, "eda": 1e-5, "skin_temperature": 1e-3}
LEVEL = {"ecg": 0, "acc": 0, "ppg": 0, "eda": 5, "skin_temperature": 33}


def stream(stream_id, kind, values, rate=None, start_ns=T0):
    info = StreamInfo(stream_id, spec(kind, rate or RATES[kind]))
    return Stream(info, (Segment(np.asarray(values, float), TimeMap.uniform(start_ns, info.spec.rate)),))


def noise(kind, seconds, seed=0, rate=None):
    """Values that the sensor can say exactly: whole multiples of its resolution."""
    rng = np.random.default_rng(seed)
    n = round(seconds * (rate or RATES[kind]))
    shape = (n, len(CATALOGUE[kind].channels))
    return np.round((LEVEL[kind] + rng.normal(0, 0.4, shape)) / STEP[kind]) * STEP[kind]


def recording(seconds=20, kinds=("ecg", "acc"), own="h10", events=()):
    return Recording("s", {f"{own}.{k}": stream(f"{own}.{k}", k, noise(k, seconds)) for k in kinds}, tuple(events))


def beats(seconds, period=0.8):
    """Evenly spaced annotated beats."""
    return [Event(T0 + round(t * NS), EventKind.BEAT, text="N") for t in np.arange(0.1, seconds, period)]


class Host:
    """Carries a device's actions out with a BleakClient, and keeps what is notified."""

    def __init__(self, client):
        self.client = client
        self.inbox = defaultdict(asyncio.Queue)

    async def run(self, dialogue):
        answer = None
        while True:
            try:
                action = dialogue.send(answer)
            except StopIteration:
                return
            answer = await self._act(action)

    async def _act(self, action):
        if isinstance(action, Subscribe):
            inbox = self.inbox[action.uuid]
            await self.client.start_notify(action.uuid, lambda _, data: inbox.put_nowait(bytes(data)))
        elif isinstance(action, Unsubscribe):
            await self.client.stop_notify(action.uuid)
        elif isinstance(action, Read):
            return bytes(await self.client.read_gatt_char(action.uuid))
        else:
            await self.client.write_gatt_char(action.uuid, action.data, response=action.response)
            if action.expect:
                return await asyncio.wait_for(self.inbox[action.expect].get(), 10)
        return None

    def frames(self, device, name):
        """All frames of one stream so far, taken out of the inbox and kept in order."""
        kept = self.__dict__.setdefault("kept", [])
        for uuid, inbox in self.inbox.items():
            while not inbox.empty():
                kept += device.decode(uuid, inbox.get_nowait())
        return [f for f in kept if f.stream == name]


def joined(frames):
    return np.concatenate([f.values for f in frames])


ROWS = [gatt.BoardStream(0, "eda", Fraction(4), 1e-5), gatt.BoardStream(1, "skin_temperature", Fraction(4), 1e-3, 20.0)]
"""Stream table of a small board."""


def board_with(rows, streams=None):
    """A board device that has read its stream table and started."""
    device = OpenBoard(streams)
    dialogue = device.start()
    assert dialogue.send(None) == Read(gatt.INFO)
    action = dialogue.send(gatt.encode_info(rows))
    while True:
        answer = None
        if isinstance(action, Write):
            answer = gatt.ControlReply(action.data[0], 0, action.data[1:]).encode()
        try:
            action = dialogue.send(answer)
        except StopIteration:
            return device


def place(source, values):
    """Index in a recording's stream (one segment) of samples that a sensor made of it; they are nowhere else in it."""
    played = source.segments[0].values
    # A strap's acceleration has steps of 1 mg, finer than what two samples of noise have in common.
    near = np.abs(played - values[0]).max(axis=1) < 1e-3
    found = [i for i in np.flatnonzero(near) if i + len(values) <= len(played)]
    found = [i for i in found if np.abs(played[i : i + len(values)] - values).max() < 1e-3]
    assert len(found) == 1, f"{len(found)} places for {len(values)} samples of {source.info.id}"
    return found[0]


def against_the_sensor(source, chunks, *, exact):
    """Hold an account against the places where the sensor took its samples, which no receiver sees.

    At every chunk that came, what was received and what is said to be missing bring us to the very sample that it
    begins with: exactly, or within the bounds. Nothing is said of what was lost after the last one.
    """
    first = place(source, chunks[0].values)
    low = high = first
    for chunk in chunks:
        if chunk.gap is not None:
            assert chunk.gap.exact or not exact, chunk.gap
            low, high = low + chunk.gap.samples, high + chunk.gap.upper
        at = place(source, chunk.values)
        assert low <= at <= high, (source.info.id, chunk.segment, low, at, high)
        low, high = low + len(chunk), high + len(chunk)
    return low, high
