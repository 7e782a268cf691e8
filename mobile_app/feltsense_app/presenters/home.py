"""Home: one colour and one sentence for whether all is well.

The table :data:`RULES` is read from the top; the first that holds is shown. Worse comes first, so a screen never looks
calm while something is being lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HomePresenter", "HomeState", "Level", "SensorStatus", "Status"]

LOW_SPACE = 200e6
"""Bytes: a week of ECG and EDA, compressed."""
NO_SPACE = 20e6
"""Bytes below which recording ends before the disk does, so that what is there can still be closed properly."""
LOW_BATTERY = 0.15
LOW_QUALITY = 0.5


class Level(StrEnum):
    """How well it goes; each has a colour, a sign and a sentence."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class SensorStatus:
    """One sensor.

    Attributes
    ----------
    name : str
        For people.
    streaming : bool
        Whether samples come.
    away_s : float
        Seconds since the last sample; 0 while they come.
    quality : float
        0 to 1; NaN before the first window.
    missing : int
        Samples that are known to be missing.
    battery : float or None
        0 to 1, where the sensor tells.
    trouble : str
        Why it cannot be reached, where waiting does not help (Bluetooth is off); in words, else empty.
    """

    name: str
    streaming: bool = False
    away_s: float = 0.0
    quality: float = float("nan")
    missing: int = 0
    battery: float | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """What the recording tells home.

    Attributes
    ----------
    recording, paused : bool
        Whether it records; whether the person paused it.
    seconds : float
        Recorded so far in this session.
    sensors : tuple of SensorStatus
        All paired.
    free_bytes : float
        Left on the phone.
    battery : float or None
        The phone's, 0 to 1.
    trouble : str
        What the storage or the radio says, in words; empty when all is well.
    inference : bool
        Whether a state is estimated now: the badge.
    unsealed : str
        Why recordings are not encrypted, in words; empty where they are.
    """

    recording: bool = False
    paused: bool = False
    seconds: float = 0.0
    sensors: tuple[SensorStatus, ...] = ()
    free_bytes: float = float("inf")
    battery: float | None = None
    trouble: str = ""
    inference: bool = False
    unsealed: str = ""


@dataclass(frozen=True, slots=True)
class HomeState:
    """What home shows.

    Attributes
    ----------
    level : Level
        Colour and sign.
    sentence : str
        Key of the one sentence.
    places : tuple of (str, object)
        What fills it.
    status : Status
        The rest of the screen.
    """

    level: Level = Level.IDLE
    sentence: str = "home.idle"
    places: tuple[tuple[str, object], ...] = ()
    status: Status = Status()


def _blocked(s: Status) -> SensorStatus | None:
    return next((x for x in s.sensors if x.trouble), None)


def _coming(s: Status) -> SensorStatus | None:
    """A sensor that has sent nothing yet."""
    return next((x for x in s.sensors if not x.streaming and not x.away_s), None)


def _away(s: Status) -> SensorStatus | None:
    return next((x for x in s.sensors if not x.streaming), None)


def _poor(s: Status) -> SensorStatus | None:
    return next((x for x in s.sensors if x.quality < LOW_QUALITY), None)


def _flat(s: Status) -> SensorStatus | None:
    return next((x for x in s.sensors if x.battery is not None and x.battery < LOW_BATTERY), None)


RULES: Final[tuple[tuple[Callable[[Status], object], Level, str], ...]] = (
    (lambda s: s.trouble, Level.BAD, "home.trouble"),
    (lambda s: s.free_bytes < NO_SPACE, Level.BAD, "home.no_space"),
    (lambda s: s.paused, Level.IDLE, "home.paused"),
    (lambda s: not s.recording, Level.IDLE, "home.idle"),
    (_blocked, Level.BAD, "home.blocked"),
    (_coming, Level.BAD, "home.coming"),
    (_away, Level.BAD, "home.away"),
    (lambda s: s.free_bytes < LOW_SPACE, Level.WARN, "home.low_space"),
    (lambda s: s.battery is not None and s.battery < LOW_BATTERY, Level.WARN, "home.low_battery"),
    (_flat, Level.WARN, "home.sensor_battery"),
    (_poor, Level.WARN, "home.poor"),
    (lambda _: True, Level.GOOD, "home.good"),
)
"""Whether it holds, how bad that is, which sentence says so."""


class HomePresenter(Presenter[HomeState]):
    """Say how it goes.

    Parameters
    ----------
    pause, resume : callable
        What the one button does.
    """

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        super().__init__(HomeState())
        self._pause, self._resume = pause, resume

    def update(self, status: Status) -> None:
        """The recording has something new to tell."""
        found, level, sentence = next((f, lv, words) for holds, lv, words in RULES if (f := holds(status)))
        places: tuple[tuple[str, object], ...] = (("minutes", int(status.seconds // 60)),)
        if isinstance(found, SensorStatus):
            places += (("sensor", found.name), ("away", int(found.away_s)), ("trouble", found.trouble))
        else:
            places += (("trouble", status.trouble),)
        self._set(level=level, sentence=sentence, places=places, status=status)

    def press(self) -> None:
        """Pause, or go on."""
        (self._resume if self.state.status.paused or not self.state.status.recording else self._pause)()
