"""What a signal is: its name, unit, channels, plausible range, and the rate of one stream of it.

Rules
-----
- A :class:`SignalKind` is what a quantity *is* (``ecg``, in mV). The catalogue holds each kind once.
- A :class:`SignalSpec` is a kind at a rate: what one stream of one device delivers. A rate is an exact
  fraction, belongs to the stream, is never an argument of a computation and never has a default: a wrong
  default rate gives a wrong heart rate without a word.
- ``IRREGULAR`` streams (beat intervals, self-reports) have no rate; each sample has its own time.
- The plausible range is what a sensor on a living person can show. Outside it a sample is an artefact:
  it is stored as it came, and the quality index says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from feltsense.core import face_row
from feltsense.core.blendshapes import SHAPES
from feltsense.core.text_row import TEXT_CHANNELS
from feltsense.core.voice_row import VOICE_CHANNELS
from feltsense.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CATALOGUE", "IRREGULAR", "MAX_DENOMINATOR", "UNITS", "SignalKind", "SignalSpec", "kind", "spec"]

IRREGULAR: Final = None
"""The rate of a stream whose samples come when they come."""

MAX_DENOMINATOR: Final = 100_000
"""Finer rates would make exact times of long recordings leave 64 bits; 10⁻⁵ is 1 s in 28 hours at 1 Hz."""

UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mV": "millivolt",
        "uS": "microsiemens",
        "degC": "degree Celsius",
        "g": "standard gravity",
        "deg/s": "degree per second",
        "uT": "microtesla",
        "bpm": "beats per minute",
        "s": "second",
        "lx": "lux",
        "dB": "decibel (sound pressure level, re 20 micropascal)",
        "%": "per cent",
        "hPa": "hectopascal",
        "m, m/s": "metre; speeds in metre per second",
        "FS": "share of digital full scale",
        "1": "arbitrary units (device counts, not comparable between devices)",
    }
)
"""Every unit that a signal may carry, spelled out."""


@dataclass(frozen=True, slots=True)
class SignalKind:
    """What a quantity is, whatever device delivers it.

    Attributes
    ----------
    name : str
        The field's standard term, for example ``"eda"``.
    unit : str
        A key of :data:`UNITS`.
    channels : tuple of str
        Names of the columns of a chunk.
    low, high : float
        Plausible range in `unit` for a sensor on a living person.
    """

    name: str
    unit: str
    channels: tuple[str, ...]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """One stream's signal: a kind at a rate.

    Attributes
    ----------
    kind : SignalKind
        What is measured.
    rate : Fraction or None
        Nominal samples per second, exact; ``IRREGULAR`` (None) where samples come when they come.
    """

    kind: SignalKind
    rate: Fraction | None

    @property
    def name(self) -> str:
        """Name of the kind."""
        return self.kind.name

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return self.kind.unit

    @property
    def width(self) -> int:
        """Number of channels."""
        return len(self.kind.channels)

    @property
    def hz(self) -> float:
        """Nominal rate in Hz.

        Raises
        ------
        ValueError
            If the stream is irregular: it has no rate to fall back on.
        """
        if self.rate is None:
            msg = f"{self.name} is irregular: it has no rate"
            raise ValueError(msg)
        return float(self.rate)


_XYZ = ("x", "y", "z")
_ARRAY_ROWS, _ARRAY_COLUMNS = 24, 32
_TARGETS = 3
"""Targets that a small radar follows at once; a slot without one is NaN in all its channels."""
_KINDS = (
    # R waves of a chest lead are 0.5–3 mV; ±20 mV leaves room for electrode offset before the front end saturates.
    SignalKind("ecg", "mV", ("ecg",), -20.0, 20.0),
    SignalKind("ppg", "1", ("ppg",), -1e7, 1e7),
    # Kleckner 2018: electrodermal activity outside 0.05–60 µS is not skin.
    SignalKind("eda", "uS", ("eda",), 0.05, 60.0),
    # Kleckner 2018 uses 30–40 °C for "worn"; a cold hand is 20 °C and still worn, so plausible is wider.
    SignalKind("skin_temperature", "degC", ("temperature",), 15.0, 42.0),
    # A living core is 30 °C (hypothermia) to 43 °C (heat stroke); beyond, the estimate or the contact is wrong.
    SignalKind("core_temperature", "degC", ("temperature",), 30.0, 43.0),
    SignalKind("acc", "g", _XYZ, -16.0, 16.0),
    # A hand turns by 1,000 °/s at most in daily life, a thrown ball's by more; sensors end at 2,000 °/s.
    SignalKind("gyroscope", "deg/s", _XYZ, -2000.0, 2000.0),
    # The Earth's field is below 70 µT; magnets in clasps and loudspeakers add milliteslas. Sensors end at 50 G.
    SignalKind("magnetometer", "uT", _XYZ, -5000.0, 5000.0),
    SignalKind("ambient_light", "1", ("light",), -1e7, 1e7),
    SignalKind("heart_rate", "bpm", ("heart_rate",), 25.0, 240.0),
    SignalKind("rr", "s", ("rr",), 0.25, 3.0),
    # Sound is volatile: only dsp.voice.VoiceFrontEnd takes it. Float files may overshoot full scale.
    SignalKind("audio", "FS", ("audio",), -1.0, 1.0),
    SignalKind("voice", "1", VOICE_CHANNELS, -1e4, 1e4),
    SignalKind("text", "1", TEXT_CHANNELS, -1e6, 1e6),
    # Pulse-to-pulse intervals and the device's own estimate of their error, which may be 0.
    SignalKind("ppi", "s", ("ppi", "error"), 0.0, 3.0),
    # One row of measures a camera frame; pixels, degrees and grey levels stay far below the limits.
    SignalKind("face", "1", face_row.COLUMNS, -1e6, 1e6),
    # How far each of a face's muscles moves.
    SignalKind("blendshapes", "1", SHAPES, 0.0, 1.0),
    # A belt's stretch or a chest's impedance, in the device's counts; only its course means something.
    SignalKind("respiration", "1", ("respiration",), -1e7, 1e7),
    # Pixels row by row from the top left. A scene with a person in it: a window in winter to a hot cup.
    SignalKind(
        "thermal_array",
        "degC",
        tuple(f"r{row:02d}c{column:02d}" for row in range(_ARRAY_ROWS) for column in range(_ARRAY_COLUMNS)),
        -20.0,
        100.0,
    ),
    # x to the side and y away from the sensor, speed towards it negative, and the width of its distance gates.
    SignalKind(
        "radar_targets",
        "m, m/s",
        tuple(f"{name}{slot}" for slot in range(1, _TARGETS + 1) for name in ("x", "y", "speed", "resolution")),
        -10.0,
        10.0,
    ),
    # Full sun is 100 klx.
    SignalKind("illuminance", "lx", ("illuminance",), 0.0, 150_000.0),
    # A quiet night to the threshold of pain.
    SignalKind("sound_level", "dB", ("level",), 10.0, 140.0),
    SignalKind("air_temperature", "degC", ("temperature",), -40.0, 60.0),
    SignalKind("humidity", "%", ("humidity",), 0.0, 100.0),
    # Records at sea level are 870 and 1084 hPa; a third of that is the top of Everest.
    SignalKind("air_pressure", "hPa", ("pressure",), 300.0, 1100.0),
)

CATALOGUE: Final[Mapping[str, SignalKind]] = MappingProxyType({k.name: k for k in _KINDS})
"""Every kind of signal, by name."""


def kind(name: str) -> SignalKind:
    """Look a kind up by name.

    Raises
    ------
    UnknownNameError
        If the catalogue has no such kind; the message lists those it has.
    """
    try:
        return CATALOGUE[name]
    except KeyError:
        raise UnknownNameError("signal", name, tuple(CATALOGUE)) from None


def spec(name: str, rate: float | Fraction | str | None) -> SignalSpec:
    """Make the spec of one stream.

    Parameters
    ----------
    name : str
        A name in the catalogue.
    rate : float, Fraction, str or None
        Samples per second, or ``IRREGULAR``. Floats are read as the nearest fraction with a denominator
        up to 100,000, so that 64.0 is 64 and 32.25 is 129/4.

    Raises
    ------
    UnknownNameError
        If the signal is unknown.
    ValueError
        If the rate is not positive and finite.
    """
    if rate is None:
        return SignalSpec(kind(name), None)
    try:
        exact = Fraction(rate).limit_denominator(MAX_DENOMINATOR)
    except (ValueError, OverflowError, ZeroDivisionError):
        exact = Fraction(0)
    if exact <= 0:
        msg = f"rate of {name} must be positive and finite, got {rate!r}"
        raise ValueError(msg)
    return SignalSpec(kind(name), exact)
