"""The app through a day with faults: sensors lost, the app killed, the clock changed, the disk full.

Real sensors on the virtual radio, the real session, the real store; nothing is stubbed. Only the phone is one of tests.
What is asked afterwards: is every sample that the sensors produced in a file or in a gap that says so; did every prompt
come to an end; did memory stay flat.

A kill leaves what a kill leaves: the files as they lie at that moment, the sensors without their host, and a process
that starts from nothing but the files.
"""

import asyncio
import gc
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import psutil
from app_cases import Handset

from feltsense import bundle
from feltsense.core.chunk import StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import TimeMap
from feltsense.datasets.synthetic import participant
from feltsense.store import read
from feltsense.study.schedule import due
from feltsense_app.presenters.flow import Page
from feltsense_app.presenters.prompts import Stage
from feltsense_app.service import demo, invite
from feltsense_app.service.conductor import Conductor
from feltsense_app.service.radio import Radio
from feltsense_bridge.testing import Playback, VirtualBoard, VirtualRadio, VirtualStrap

NS = 10**9
REST_S = 300.0
ENDS = (Stage.ANSWERED, Stage.EXPIRED, Stage.MISSED)
STUDY = {
    **demo.CONTENT,
    "id": "day",
    "languages": ["en"],
    "streams": {"eda": {"required": True}, "skin_temperature": {}, "rr": {}},
    "consent": {"version": "1", "signature": True, "text": {"en": "A day."}},
    "contact": {"name": "Team", "reach": "room 1", "crisis": {"en": "Call 112."}},
    "prompts": [
        {"id": "tense", "kind": "slider", "text": {"en": "Tense?"}, "times": ["00:20", "00:40", "08:00", "16:00"],
         "window": ["00:00", "23:00"], "count": 12, "expires_min": 10, "after_change": True, "pause_min": 20},
    ],
}  # fmt: skip
OWN = {"board.eda": "eda", "board.temp": "temp", "strap.rr": "rr"}
"""Stream of a recording → the virtual sensor's name of it."""


@dataclass
class Day:
    """What is to happen, in hours from the beginning, and what did."""

    hours: float
    kills: tuple
    lost: tuple
    """(hour, which sensor, seconds)."""
    clock: tuple
    """(hour, seconds by which the phone's clock is set)."""
    full: tuple
    """(hour, seconds without space)."""
    produced: dict = field(default_factory=dict)
    counted: dict = field(default_factory=dict)
    """Stream → stored, missing at least, missing at most."""
    memory: list = field(default_factory=list)
    stages: list = field(default_factory=list)
    unended: list = field(default_factory=list)
    killed: int = 0
    said: set = field(default_factory=set)
    shift_ns: int = 0
    asked: dict = field(default_factory=dict)
    """Key of a prompt that was shown → which one it was."""
    answers: int = 0


def wearer():
    """A person with slow signals, so that a day runs in minutes."""
    person = participant(1, 14, beats=True)

    def thin(name, rate):
        stream = person.streams[name]
        step = round(stream.info.spec.hz / rate)
        info = StreamInfo(name, spec(stream.info.spec.name, Fraction(rate)), stream.info.device)
        return Stream(info, (Segment(stream.segments[0].values[::step], TimeMap.uniform(person.start_ns, Fraction(rate))),))

    streams = {"board.eda": thin("board.eda", 4), "board.temp": thin("board.temp", 1)}
    return Playback(Recording("wearer", streams, person.events), loop=True)


async def until(holds, seconds=60.0):
    for _ in range(int(seconds / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


class Life:
    """One process's life of the app after another."""

    def __init__(self, day, folder, air, playback):
        self.day, self.folder, self.air = day, folder, air
        self.radio = Radio(air.clock, air.speed, air, playback, lambda: air.clock() + day.shift_ns)
        self.free = 1e12
        self.start()

    def start(self):
        self.app = Conductor(Handset(self.folder, free=self.free), self.radio, bundle.load, REST_S)
        self.app.home.watch(lambda state: self.day.said.add(state.sentence))
        self.running = asyncio.create_task(self.app.run())

    async def agree(self):
        """As far as samples are recorded."""
        c = self.app
        c.join.enter(invite.code_of(STUDY, "P-day"))
        assert c.join.join(), c.join.state
        for asked in c.consent.state.asked:
            c.consent.toggle(asked.stream)
        c.consent.seen()
        c.consent.sign("P")
        assert c.consent.accept()
        assert c.permissions.go_on()
        c.pair.start()
        await until(lambda: all(p.sensor for p in c.pair.state.places))
        assert c.pair.go_on()
        await until(lambda: len(c.recorder._streams) == len(OWN))

    async def join(self):
        await self.agree()
        c = self.app
        while c.wizard.state.phase.value != "done":
            c.begin_rest()
            await until(lambda: c.wizard.state.phase.value in ("done", "again"))
        c.wizard.close()

    async def kill(self):
        aside = self.folder.with_name("aside")
        shutil.copytree(self.folder, aside, ignore=shutil.ignore_patterns("*-shm"))
        for sensor in self.air.sensors:
            await sensor.disconnect()
        await self.end()
        shutil.rmtree(self.folder)
        aside.rename(self.folder)
        self.day.killed += 1
        self.start()

    async def end(self):
        self.running.cancel()
        await asyncio.wait([self.running])
        if not self.running.cancelled() and self.running.exception() is not None:
            raise self.running.exception()

    def space(self, free):
        self.free = self.app.phone.free = free

    def answer(self):
        """Every other prompt is answered; the rest are left to expire."""
        prompts, now = self.app.prompts, self.radio.shown()
        waiting = prompts.state.waiting
        if waiting is None:
            return
        self.day.asked.setdefault(waiting.key, len(self.day.asked))
        if self.day.asked[waiting.key] % 2 == 0:
            prompts.open(now)
            prompts.answer("7", now)
            self.day.answers += 1


def moments(day):
    """(hour, what to call, arguments), in order."""
    out = [(h, "kill", ()) for h in day.kills]
    out += [(h, "lose", (which, seconds)) for h, which, seconds in day.lost]
    out += [(h, "turn", (seconds,)) for h, seconds in day.clock]
    out += [(h, "fill", (0.0,)) for h, _ in day.full] + [(h + s / 3600, "fill", (1e12,)) for h, s in day.full]
    return sorted(out)


async def live(day, folder, speed):
    """Live through it."""
    home = folder / "phone"
    home.mkdir()
    playback = wearer()
    async with VirtualRadio(speed) as air:
        board, strap = await air.add(VirtualBoard(playback)), await air.add(VirtualStrap(playback))
        begun = air.clock()
        life = Life(day, home, air, playback)
        await life.join()
        assert life.app.flow.state.page is Page.HOME
        away, left, hour = set(), moments(day), 0
        while (now := (air.clock() - begun) / NS / 3600) < day.hours:
            life.answer()
            if now >= hour:
                gc.collect()
                day.memory.append(psutil.Process().memory_info().rss / 1e6)
                hour += 1
            while left and now >= left[0][0]:
                _, what, how = left.pop(0)
                if what == "kill":
                    await life.kill()
                elif what == "lose":
                    away.add(asyncio.create_task((board, strap)[how[0]].vanish(how[1])))
                elif what == "turn":
                    day.shift_ns += int(how[0] * NS)
                else:
                    life.space(how[0])
            await asyncio.sleep(0.05)
        if away:
            await asyncio.wait(away)
        await until(lambda: life.app.recorder.recording and len(life.app.recorder._streams) == len(OWN))
        await asyncio.sleep(1.0)
        life.app.pause()
        await until(lambda: not life.app.recorder.recording)
        day.produced = {**board.produced, **strap.produced}
        finish(day, life, begun)
        await life.end()


def finish(day, life, begun):
    """Count what is in the files against what the sensors say."""
    key = life.app.shelf.safe.key
    assert key is not None
    for path in life.app.recordings:
        recording = read(path, key)
        for name, stream in recording.streams.items():
            stored, least, most = day.counted.get(OWN[name], (0, 0, 0))
            gaps = [s.gap for s in stream.segments if s.gap is not None]
            day.counted[OWN[name]] = (
                stored + sum(len(s.values) for s in stream.segments),
                least + sum(g.samples for g in gaps),
                most + sum(g.upper for g in gaps),
            )
            for before, after in zip(stream.segments, stream.segments[1:], strict=False):
                assert after.gap is not None, name
                assert after.time.time_at(0) >= before.time.time_at(len(before.values) - 1), name
    day.stages = life.app.shelf.journal().read()
    ended = {x.key for x in day.stages if x.stage in ENDS}
    first, last = begun + min(0, day.shift_ns), life.radio.shown()
    days = [datetime.fromtimestamp(begun / NS, UTC).date() + timedelta(days=k) for k in range(-1, 3)]
    planned = [d for each in days for d in due(life.app.study.prompts, each, "P-day", life.app.zone)]
    # From the first minute at home until so long ago that it must have ended.
    day.unended = [d.key for d in planned if first + 900 * NS < d.t_ns < last - 900 * NS and d.key not in ended]


SLACK_S = 5.0
"""Session seconds of samples that may be under way when the sensors are stopped at the end."""


def unaccounted(day):
    """Stream → (produced, stored and missing at least, at most), where the one is not between the others."""
    out = {}
    for name, (stored, least, most) in day.counted.items():
        produced = day.produced[name]
        tail = SLACK_S * produced / (day.hours * 3600)
        if not stored + least <= produced <= stored + most + tail:
            out[name] = (produced, stored + least, stored + most)
    return out


def usual(hours, kills, seed=1):
    """A day with all faults, at moments that are drawn."""
    rng = np.random.default_rng(seed)
    soon = 0.2
    at = np.sort(rng.uniform(soon, hours, kills))
    lost = tuple(
        (float(h), k % 2, float(s))
        for k, (h, s) in enumerate(zip(rng.uniform(soon, hours * 0.9, kills), rng.uniform(5, 400, kills), strict=True))
    )
    clock = ((hours * 0.3, 7200.0), (hours * 0.55, -3600.0), (hours * 0.8, -5400.0))
    return Day(hours, tuple(map(float, at)), lost, clock, ((hours * 0.42, 600.0),))
