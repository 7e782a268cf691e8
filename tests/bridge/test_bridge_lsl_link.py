"""An LSL stream beside sensors: found, read, lost, found again, recorded; without LSL, by an inlet that is injected."""

import asyncio
import threading

import numpy as np
import pytest

from feltsense.cli import main
from feltsense.core.chunk import StreamInfo
from feltsense.core.event import Event
from feltsense.core.signals import spec
from feltsense.core.timeline import NS
from feltsense.store import read
from feltsense_bridge import link_lsl, transport_lsl
from feltsense_bridge.errors import LostError, NotFoundError
from feltsense_bridge.link_lsl import LslLink
from feltsense_bridge.live import Live
from feltsense_bridge.lsl_account import LslAccount

RATE, T0 = 100, 1_700_000_000 * NS


class Inlet:
    """Ten samples a read; gone after some reads, there again when it is opened anew."""

    made: list["Inlet"] = []  # noqa: RUF012 - the command makes it, the test looks at it

    def __init__(self, stream="strap", signal="ecg", *, scale=1.0, columns=None, lost_after=(), there=True):
        self.asked = (stream, signal, scale, columns)
        self.info = StreamInfo(f"lsl.{signal}", spec(signal, RATE), stream)
        self.account = LslAccount(self.info, 0.0)
        self.counters = self.account.counters
        self.opened = self.reads = 0
        self._lost_after, self._there = lost_after, there
        self._quiet = threading.Event()
        self.made.append(self)

    def open(self, *, clock):
        assert clock() > 0
        if not self._there:
            msg = "no LSL stream has the name: start its program"
            raise NotFoundError(msg)
        self.opened += 1
        return self.info

    def read(self):
        if self.reads in self._lost_after and self.opened <= len(self._lost_after):
            msg = "the stream is gone"
            raise LostError(msg)
        if self.reads >= 30:
            self._quiet.wait(0.01)
            return []
        places = np.arange(10 * self.reads, 10 * self.reads + 10)
        self.reads += 1
        # What was measured while it was away is missing.
        stamps = (places + 100 * (self.opened - 1)) * NS // RATE
        return self.account.push(places[:, None].astype(float), stamps, T0, T0 + int(stamps[-1]))

    def close(self):
        self.account.interrupt()


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(link_lsl, "AGAIN_S", 0.0)
    Inlet.made.clear()


async def listen(link, samples):
    items = []
    async with Live([], [link]) as live:
        await live.opened()
        async for item in live:
            items.append(item)
            if sum(len(x) for x in items if not isinstance(x, Event)) >= samples:
                break
    return items


async def test_a_stream_that_is_lost_is_sought_again_and_its_account_goes_on():
    before = asyncio.all_tasks()
    link = LslLink(Inlet(lost_after=(12,)), lambda: T0)
    items = await listen(link, 300)
    chunks = [x for x in items if not isinstance(x, Event)]
    assert [x.kind.value for x in items if isinstance(x, Event)] == ["connected", "stalled", "disconnected", "connected"]
    assert np.concatenate([c.values[:, 0] for c in chunks]).tolist() == list(range(300))
    (gap,) = [c.gap for c in chunks if c.gap]
    assert gap.samples <= 100 <= gap.upper
    assert link.counters["lsl.ecg"].received == 300
    assert asyncio.all_tasks() == before


async def test_a_stream_that_is_not_there_is_said_so():
    async with Live([], [LslLink(Inlet(there=False), lambda: T0)]) as live:
        with pytest.raises(NotFoundError, match="start its program"):
            await live.opened()


async def test_who_does_not_take_what_comes_is_waited_for(monkeypatch):
    monkeypatch.setattr(link_lsl, "WAITING", 4)
    inlet = Inlet()
    async with LslLink(inlet, lambda: T0) as link:
        await link.opened()
        for _ in range(100):
            await asyncio.sleep(0)
        assert inlet.reads <= 4
        items = await listen_to(link, 300)
    assert sum(len(x) for x in items if not isinstance(x, Event)) == 300


async def listen_to(link, samples):
    items = []
    while sum(len(x) for x in items if not isinstance(x, Event)) < samples:
        item = link.poll()
        if item is None:
            await asyncio.sleep(0.001)
        else:
            items.append(item)
    return items


def test_record_takes_a_stream_of_another_program(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(transport_lsl, "LslInlet", Inlet)
    out = tmp_path / "r.felt"
    assert main(["record", "--lsl", "my strap=ecg*0.001@1", "--seconds", "0.3", "--out", str(out)]) == 0
    assert Inlet.made[0].asked == ("my strap", "ecg", 0.001, [1])
    assert "lsl.ecg" in capsys.readouterr().out
    recording = read(out)
    assert recording.account()["lsl.ecg"].received == 300
    assert recording.metadata["recorder"] == "feltsense record"


@pytest.mark.parametrize("text", ["strap", "strap=", "=ecg", "strap=ecg*x", "strap=ecg@", "strap=ecg*1e"])
def test_what_is_no_stream_is_said(tmp_path, monkeypatch, capsys, text):
    monkeypatch.setattr(transport_lsl, "LslInlet", Inlet)
    assert main(["record", "--lsl", text, "--out", str(tmp_path / "r.felt")]) == 2
    assert "NAME=SIGNAL" in capsys.readouterr().err


def test_two_clocks_are_refused(tmp_path, capsys):
    assert main(["record", "--virtual", "--lsl", "strap=ecg", "--out", str(tmp_path / "r.felt")]) == 2
    assert "two clocks" in capsys.readouterr().err


def test_sdk_mode_is_for_sensors_that_have_it(tmp_path, capsys):
    out = str(tmp_path / "r.felt")
    assert main(["record", "--virtual", "--sdk-mode", "--out", out]) == 2
    error = capsys.readouterr().err
    assert "Verity Sense" in error
    assert "Polar H10" in error
    assert main(["record", "--virtual", "--sdk-mode", "ppg", "--out", out]) == 2
    assert "ppg=176" in capsys.readouterr().err
