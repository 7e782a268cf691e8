"""A phone that does what a test says, and a conductor on virtual sensors."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from feltsense import bundle
from feltsense.datasets.synthetic import participant
from feltsense.errors import InputError
from feltsense_app.presenters.permissions import Grant
from feltsense_app.service.conductor import Conductor
from feltsense_app.service.radio import Radio
from feltsense_bridge.testing import Playback, VirtualBoard, VirtualH10, VirtualRadio
from feltsense_bridge.testing.radio import START_NS

SPEED = 40.0
REST_S = 100.0


@dataclass
class Handset:
    """A phone."""

    folder: Path
    free: float = 1e12
    battery: float | None = 0.9
    grants: dict = field(default_factory=dict)
    answers: list = field(default_factory=list)
    said: list = field(default_factory=list)
    settings: int = 0
    awake: list = field(default_factory=list)
    passphrase: str | None = "correct horse"  # noqa: S105 (of a phone that is none)
    speaks: str = "en_GB"
    seen: tuple = ()
    looks: list = field(default_factory=list)
    """What the camera sees: one iterable of frames each time it is opened."""
    hears: list = field(default_factory=list)
    """What the microphone hears, each time: samples, 16,000 a second."""
    closed: int = 0

    def space(self):
        return self.free, self.battery

    def secret(self):
        return self.passphrase

    def pictures(self):
        return iter(self.seen)

    def frames(self, rate):
        assert rate == 15
        return self._given(self.looks, "no camera in this test")

    def sound(self, rate):
        assert rate == 16_000
        return self._given(self.hears, "no microphone in this test")

    def _given(self, given, missing):
        if not given:
            raise InputError(missing)
        try:
            yield from given.pop(0)
        finally:
            self.closed += 1

    def language(self):
        return self.speaks

    def notify(self, title, text):
        self.said.append((title, text))

    def permission(self, name):
        return self.grants.get(name, Grant.GRANTED)

    def request(self, name, answered):
        self.grants[name] = self.answers.pop(0)
        answered(self.grants[name])

    def open_settings(self):
        self.settings += 1

    def stay_awake(self, *, on):
        self.awake.append(on)


@asynccontextmanager
async def on_the_air(folder, speed=SPEED, later_s=0, **phone):
    """A conductor whose sensors are virtual; nothing runs yet. `later_s`: how much later than the first start it is."""
    playback = Playback(participant(1, 14), loop=True)
    async with VirtualRadio(speed, start_ns=START_NS + later_s * 10**9) as air:
        await air.add(VirtualH10(playback))
        await air.add(VirtualBoard(playback))
        yield Conductor(Handset(folder, **phone), Radio(air.clock, speed, air, playback), bundle.load, REST_S)
