"""The link's rules with a client that does as it is told: states, refusals, backoff, silence, overflow, closing."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDeviceNotFoundError,
    BleakError,
)

from feltsense.core.chunk import Chunk, GapReason
from feltsense.core.event import Event, EventKind
from feltsense.core.signals import spec
from feltsense.core.timeline import NS
from feltsense.errors import InputError, LinkError, MissingExtraError, ProtocolError
from feltsense_bridge import link_connection
from feltsense_bridge.device import Frame, Read, StreamReset, Subscribe, Unsubscribe, Write
from feltsense_bridge.errors import (
    AdapterError,
    ChangedDeviceError,
    LostError,
    NoAnswerError,
    NotFoundError,
    RefusedError,
    WrongDeviceError,
    explain,
)
from feltsense_bridge.intake import Intake
from feltsense_bridge.link import Backoff, Link, LinkOptions, State, unix_clock
from feltsense_bridge.link_states import TRANSITIONS, Signal
from feltsense_bridge.live import Live

DATA, CONTROL = "data", "control"
FAST = LinkOptions(backoff=Backoff(first=0.01, most=0.02), patience=5.0, seed=3)


class Toy:
    """A sensor with one stream; a notification is its frame's number."""

    model = "toy"

    def __init__(self, rate=10, per_frame=5):
        self.rate, self.per_frame = rate, per_frame
        self.refuses = False
        self.parts = []

    @property
    def specs(self):
        return {"ecg": spec("ecg", self.rate)}

    def start(self):
        yield Subscribe(CONTROL)
        yield Subscribe(DATA)
        assert (yield Read(CONTROL)) == b"hello"
        reply = yield Write(CONTROL, b"start", expect=CONTROL)
        if reply != b"start ok":
            msg = f"toy refuses: {reply!r}"
            raise LinkError(msg)
        assert (yield Write(CONTROL, b"thanks")) is None

    def stop(self):
        yield Write(CONTROL, b"stop", expect=CONTROL)
        yield Unsubscribe(DATA)

    def decode(self, uuid, data):
        if uuid == CONTROL:
            self.parts.append(data)
            return [StreamReset("ecg", "tired")] if data == b"ended" else []
        if not data.isdigit():
            msg = "not a number"
            raise ProtocolError(msg, 0)
        k = int(data)
        last = (k + 1) * self.per_frame - 1
        values = np.arange(last + 1 - self.per_frame, last + 1, dtype=float)[:, None]
        return [Frame("ecg", np.clip(values, -9e9, 9e9), round(last / self.rate * NS)), Frame("other", values)]


class Radio:
    """Clients that share a script: what goes wrong, in order; and a log of what was asked."""

    def __init__(self, *troubles, answer=b"start ok"):
        self.troubles = list(troubles)
        self.answer = answer
        self.log = []
        self.clients = []
        self.now = 1_700_000_000 * NS

    def clock(self):
        return self.now

    def factory(self, address, on_disconnect):
        client = FakeClient(self, on_disconnect)
        self.clients.append(client)
        return client

    def link(self, device=None, **options):
        chosen = LinkOptions(**{"backoff": FAST.backoff, "patience": FAST.patience, "seed": 1, **options})
        return Link(device or Toy(), "AA:BB", name="toy", client_factory=self.factory, clock=self.clock, options=chosen)

    @property
    def client(self):
        return self.clients[-1]

    def send(self, number, after=0.5):
        self.now += round(after * NS)
        self.client.notify(DATA, str(number).encode())


class FakeClient:
    def __init__(self, radio, on_disconnect):
        self.radio, self.on_disconnect = radio, on_disconnect
        self.is_connected = False
        self.callbacks = {}

    async def connect(self):
        await asyncio.sleep(0)
        if self.radio.troubles:
            trouble = self.radio.troubles.pop(0)
            if isinstance(trouble, Exception):
                raise trouble
        self.is_connected = True
        self.radio.log.append("connect")

    async def disconnect(self):
        self.is_connected = False
        self.radio.log.append("disconnect")

    def drop(self):
        self.is_connected = False
        self.on_disconnect()

    def notify(self, uuid, data):
        if uuid in self.callbacks:
            self.callbacks[uuid](None, bytearray(data))

    async def start_notify(self, uuid, callback):
        self.callbacks[uuid] = callback

    async def stop_notify(self, uuid):
        if not self.is_connected:
            raise BleakError("gone")

    async def read_gatt_char(self, uuid):
        self.notify(CONTROL, b"unasked")
        return bytearray(b"hello")

    async def write_gatt_char(self, uuid, data, response=True):
        self.radio.log.append(data.decode())
        if data == b"start" and self.radio.answer == b"":
            return
        if data == b"start" and self.radio.answer == b"drop":
            self.drop()
        elif data == b"start":
            asyncio.get_running_loop().call_soon(self.notify, uuid, self.radio.answer)
        elif data == b"stop":
            asyncio.get_running_loop().call_soon(self.notify, uuid, b"stopped")


def drain(link):
    items = []
    while (item := link.poll()) is not None:
        items.append(item)
    return items


async def settle(condition):
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came about")


async def listen(link):
    return [item async for item in link]


def kinds(items):
    return [i.kind if isinstance(i, Event) else "chunk" for i in items]


def test_every_state_can_be_closed_and_closed_is_the_end():
    for state in State:
        nexts = {signal: TRANSITIONS.get((state, signal)) for signal in Signal}
        if state is State.CLOSED:
            assert set(nexts.values()) == {None}
        else:
            assert nexts[Signal.CLOSE] is nexts[Signal.FATAL] is State.CLOSED
    reached = {State.IDLE} | set(TRANSITIONS.values())
    assert reached == set(State)


def test_backoff_grows_to_its_limit_and_is_spread():
    backoff = Backoff(first=0.5, most=30.0)
    assert [backoff.wait(k, 0.0) for k in (1, 2, 3, 7, 8, 5000)] == [0.5, 1, 2, 30, 30, 30]
    assert backoff.wait(3, 1.0) == 1.0


def test_the_default_clock_is_unix_time_and_never_steps():
    clock = unix_clock()
    a, b = clock(), clock()
    assert 1_600_000_000 * NS < a <= b


async def test_it_starts_streams_stops_and_leaves_nothing():
    tasks = asyncio.all_tasks()
    radio, device = Radio(), Toy()
    async with radio.link(device) as link:
        infos = await link.opened()
        assert list(infos) == ["toy.ecg"]
        assert link.state is State.STREAMING
        for k in range(4):
            radio.send(k)
        items = drain(link)
        assert kinds(items) == [EventKind.CONNECTED, *["chunk"] * 4]
        # What came unasked during the dialogue was decoded at once; the answer was not.
        assert device.parts == [b"unasked"]
        radio.send(4)
    assert [i.start async for i in link] == [20]
    assert radio.log == ["connect", "start", "thanks", "stop", "disconnect"]
    assert link.state is State.CLOSED
    assert asyncio.all_tasks() == tasks
    radio.send(5)
    assert link.poll() is None
    await link.close()


async def test_iterating_waits_for_what_comes():
    radio = Radio()
    async with radio.link() as link:
        first = await asyncio.wait_for(anext(link), 5)
        assert first.kind is EventKind.CONNECTED
        asyncio.get_running_loop().call_later(0.01, radio.send, 0)
        assert isinstance(await asyncio.wait_for(anext(link), 5), Chunk)


async def test_a_lost_connection_is_told_and_mended_with_a_new_client():
    radio = Radio()
    async with radio.link() as link:
        await link.opened()
        radio.send(0)
        radio.send(1)
        radio.client.drop()
        await settle(lambda: len(radio.clients) == 2 and link.state is State.STREAMING)
        radio.send(6, 2.5)
        items = drain(link)
        assert kinds(items) == [
            EventKind.CONNECTED,
            "chunk",
            "chunk",
            EventKind.STALLED,
            EventKind.DISCONNECTED,
            EventKind.CONNECTED,
            "chunk",
        ]
        assert items[3].t_ns == items[2].stop_ns
        gap = items[-1].gap
        assert gap.samples <= 20 <= gap.upper
        assert gap.reason is GapReason.DISCONNECT
        assert items[-1].segment == 1
        # A client that is done with is not heard any more.
        radio.clients[0].notify(DATA, b"9")
        assert link.poll() is None
    assert radio.log.count("stop") == 1


@pytest.mark.parametrize(
    ("trouble", "kind", "advice"),
    [
        (
            BleakBluetoothNotAvailableError("off", BleakBluetoothNotAvailableReason.POWERED_OFF),
            AdapterError,
            "switch it on",
        ),
        (FileNotFoundError("no bus"), AdapterError, "start it"),
        (BleakCharacteristicNotFoundError("2a37"), WrongDeviceError, "another model"),
        (LinkError("in charger"), RefusedError, "in charger"),
        (InputError("no such stream"), RefusedError, "no such stream"),
        (ProtocolError("odd", 3), WrongDeviceError, "byte 3"),
    ],
)
async def test_what_no_attempt_can_help_is_said_at_once(trouble, kind, advice):
    radio = Radio(trouble)
    async with radio.link() as link:
        with pytest.raises(kind, match=advice):
            await link.opened()
        assert link.state is State.CLOSED
        with pytest.raises(kind):
            await anext(link)
    assert link.attempts == 1


async def test_what_may_pass_is_tried_until_patience_is_over():
    radio = Radio(BleakDeviceNotFoundError("AA:BB"), TimeoutError(), BleakError("hiccup"), EOFError())
    async with radio.link() as link:
        await link.opened()
        assert link.attempts == 5
    impatient = Radio(*[BleakDeviceNotFoundError("AA:BB")] * 3)
    async with impatient.link(patience=-1.0) as link:
        with pytest.raises(NotFoundError, match="wake it"):
            await link.opened()


async def test_a_refusal_in_the_dialogue_names_the_reason_and_still_stops():
    radio = Radio(answer=b"start no")
    async with radio.link() as link:
        with pytest.raises(RefusedError, match="start no"):
            await link.opened()
    assert radio.log == ["connect", "start", "stop", "disconnect"]


async def test_a_disconnection_in_the_dialogue_is_not_waited_out():
    radio = Radio(answer=b"drop")
    async with radio.link() as link:
        await settle(lambda: len(radio.clients) >= 2)
        radio.answer = b"start ok"
        await link.opened()


async def test_no_answer_is_noticed(monkeypatch):
    monkeypatch.setattr(link_connection, "ANSWER_S", 0.01)
    radio = Radio(answer=b"")
    async with radio.link(patience=-1.0) as link:
        with pytest.raises(NoAnswerError, match="switch it off and on"):
            await link.opened()


async def test_a_refusal_after_it_has_streamed_is_tried_again():
    radio = Radio()
    async with radio.link() as link:
        await link.opened()
        radio.troubles = [LinkError("busy"), BleakDeviceNotFoundError("AA:BB"), BleakError("x")]
        radio.client.drop()
        await settle(lambda: link.state is State.STREAMING and len(radio.clients) == 5)


async def test_a_device_that_changed_ends_the_session():
    device = Toy()
    radio = Radio()
    async with radio.link(device) as link:
        await link.opened()
        device.rate = 20
        radio.client.drop()
        await settle(lambda: link.state is State.CLOSED)
        with pytest.raises(ChangedDeviceError, match="new session"):
            await listen(link)


async def test_a_stream_that_the_device_ends_is_started_anew():
    radio = Radio()
    async with radio.link() as link:
        await link.opened()
        radio.send(0)
        radio.client.notify(CONTROL, b"ended")
        items = drain(link)
        assert kinds(items) == [EventKind.CONNECTED, "chunk", EventKind.STALLED]
        await settle(lambda: len(radio.clients) == 2 and link.state is State.STREAMING)
        # The connection stood: the first one was told to stop.
        assert radio.log.index("stop") < len(radio.log) - 1 - radio.log[::-1].index("connect")
        assert kinds(drain(link)) == [EventKind.DISCONNECTED, EventKind.CONNECTED]


async def test_silence_on_a_standing_connection_stalls_then_reconnects():
    radio = Radio()
    async with radio.link() as link:
        await link.opened()
        for k in range(10):
            radio.send(k)
        drain(link)
        radio.now += 2 * NS
        assert link.poll() is None
        radio.now += 2 * NS
        assert kinds(drain(link)) == [EventKind.STALLED]
        # Nothing was lost after all: still a new segment, and the next one is an ordinary chunk of it.
        radio.send(10)
        radio.send(11)
        late = drain(link)
        assert [(c.segment, c.gap and (c.gap.samples, c.gap.reason)) for c in late] == [(1, (0, GapReason.STALL)), (1, None)]
        radio.now += 100 * NS
        assert kinds(drain(link)) == [EventKind.STALLED]
        await settle(lambda: len(radio.clients) == 2 and link.state is State.STREAMING)
        assert kinds(drain(link)) == [EventKind.DISCONNECTED, EventKind.CONNECTED]


async def test_a_stream_that_never_begins_is_told_too():
    radio = Radio()
    async with radio.link() as link:
        await link.opened()
        drain(link)
        radio.now += 31 * NS
        (event,) = drain(link)
        assert (event.kind, event.text, event.t_ns) == (EventKind.STALLED, "toy.ecg", radio.now)


async def test_damaged_frames_are_counted_and_blamed():
    radio = Radio()
    async with radio.link() as link:
        await link.opened()
        for k in range(3):
            radio.send(k)
        radio.client.notify(DATA, b"garbage")
        radio.send(4, 1.0)
        assert drain(link)[-1].gap.reason is GapReason.CORRUPT
        assert link.corrupt == 1
        assert link.counters["toy.ecg"].missing == 5


async def test_a_slow_consumer_loses_a_counted_number_of_frames():
    radio = Radio()
    async with radio.link(inbox=8) as link:
        await link.opened()
        for k in range(20):
            radio.send(k)
        first = drain(link)
        radio.send(20)
        items = first + drain(link)
        assert link.overflowed == 13
        gaps = [i.gap for i in items if isinstance(i, Chunk) and i.gap]
        assert [(g.samples, g.upper, g.reason) for g in gaps] == [(13 * 5, 13 * 5, GapReason.OVERFLOW)]
        assert link.counters["toy.ecg"].expected == 21 * 5


async def test_live_merges_and_fails_as_one():
    with pytest.raises(InputError, match="at least one"):
        Live([])
    a, b = Radio(), Radio()
    link_b = Link(Toy(), "CC", name="other", client_factory=b.factory, clock=b.clock, options=FAST)
    live = Live([a.link(), link_b])
    async with live:
        assert set(await live.opened()) == {"toy.ecg", "other.ecg"}
        for k in range(3):
            a.send(k)
            b.send(k)
        got = [await anext(live) for _ in range(8)]
        assert {i.stream.id for i in got if isinstance(i, Chunk)} == {"toy.ecg", "other.ecg"}
        assert live.counters["other.ecg"].received == 15
        await live.close()
        assert await listen(live) == []
    async with Live([Radio().link(), Radio().link()]) as twins:
        with pytest.raises(InputError, match=r"toy\.ecg"):
            await twins.opened()
    async with Live([Radio().link(), Radio(LinkError("no")).link()]) as broken:
        await broken.links[0].opened()
        with pytest.raises(RefusedError):
            await listen(broken)


async def test_closing_while_connecting_leaves_nothing():
    tasks = asyncio.all_tasks()
    radio = Radio(*[BleakDeviceNotFoundError("AA:BB")] * 1000)
    link = radio.link(patience=1000.0)
    link.open()
    await asyncio.sleep(0.02)
    await link.close()
    assert asyncio.all_tasks() == tasks
    with pytest.raises(StopAsyncIteration):
        await anext(link)


async def test_a_bug_in_a_device_is_not_swallowed():
    class Broken(Toy):
        def start(self):
            yield Subscribe(CONTROL)
            raise ZeroDivisionError

    async with Radio().link(Broken()) as link:
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(link.opened(), 5)
        with pytest.raises(ZeroDivisionError):
            await anext(link)


def test_unknown_troubles_have_words_too():
    assert isinstance(explain(BleakError("x"), "toy", "connecting"), LostError)
    assert "bring it nearer" in str(explain(EOFError(), "toy", "connecting"))
    assert isinstance(explain(TimeoutError(), "toy", "connecting"), NotFoundError)
    error = NotFoundError("as it is")
    assert explain(error, "toy", "connecting") is error


def test_a_clock_reset_is_an_event():
    device = Toy()
    device.decode = lambda uuid, data: [Frame("ecg", np.zeros((5, 1)), int(data))]
    intake = Intake(device, "toy", "a toy")
    intake.declare()
    now = 1_700_000_000 * NS
    for k in range(20):
        intake.hear(DATA, str((k + 1000) * NS // 2).encode(), now + k * NS // 2)
    intake.hear(DATA, str(5 * NS).encode(), now + 10 * NS)
    intake.hear(DATA, str(6 * NS).encode(), now + 11 * NS)
    intake.hear(DATA, str(7 * NS).encode(), now + 12 * NS)
    intake.digest()
    items = []
    while (item := intake.poll(now + 12 * NS)) is not None:
        items.append(item)
    assert [i.text for i in items if isinstance(i, Event)] == ["a toy"]
    assert {i.kind for i in items if isinstance(i, Event)} == {EventKind.CLOCK_RESET}


def test_without_bleak_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bleak", None)
    with pytest.raises(MissingExtraError, match=r"feltsense\[ble\]"):
        Link(SimpleNamespace(model="x"), "AA")


def test_the_documented_states_are_the_real_ones():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "link.md").read_text(encoding="utf-8")
    table = page.split("## States")[1].split("\n- ")[0]
    rows = [tuple(c.strip() for c in line.strip("| \n").split("|")) for line in table.splitlines() if line.startswith("| ")]
    documented = {}
    for state, signal, after in rows[1:]:
        for s in [s for s in State if s is not State.CLOSED] if state.startswith("any") else [State(state)]:
            documented[s, Signal(signal)] = State(after)
    assert documented == dict(TRANSITIONS)
