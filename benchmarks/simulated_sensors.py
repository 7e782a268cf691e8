"""Sensors of every kind without a radio: notifications by the real encoders, and a count of what was produced.

A :class:`Sensor` is a device, and parts that produce at their own pace. What a part sends is made by the profiles and
tables of the virtual sensors (:mod:`feltsense_bridge.testing`), so that both speak alike.
"""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from feltsense.core.signals import kind as signal_kind
from feltsense.core.timeline import NS
from feltsense_bridge import devices
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices import radar_ld2450
from feltsense_bridge.devices._gatt import HEART_RATE_MEASUREMENT
from feltsense_bridge.devices.heart_rate import HeartRateMeasurement
from feltsense_bridge.devices.movesense import RATES as MOVESENSE_RATES
from feltsense_bridge.testing import VirtualH10, VirtualOH1, VirtualPolar360, VirtualVeritySense, profiles
from feltsense_bridge.testing._polar import EPOCH_2019_NS, PPI_BATCH_S
from feltsense_bridge.testing.board_engine import Out, PythonEngine
from feltsense_bridge.testing.gatt import Moment

TRUE = 1.0023
"""True rates against nominal ones, by the sensor's own clock: an H10 is specified to 2 %."""
LEVEL = {"core_temperature": 37.0, "skin_temperature": 33.0, "heart_rate": 70.0, "thermal_array": 30.0}
"""Plausible values of a quantity; others are 1."""


@dataclass
class Part:
    """Streams that are sent together.

    Attributes
    ----------
    streams : tuple of str
        Which.
    period_s : float
        Between two sendings, by the sensor's clock.
    send : callable
        Device time in ns → notifications (characteristic and bytes), and samples made of each stream.
    confirmed : bool
        Indications: a standing connection loses none, and the sensor knows what did not arrive.
    keeps : bool
        What did not arrive is sent again.
    """

    streams: tuple[str, ...]
    period_s: float
    send: object
    confirmed: bool = False
    keeps: bool = False


class Sensor:
    """A device and what it sends.

    Parameters
    ----------
    device : Device
        Not started.
    parts : sequence of Part
        What it sends.
    answers : callable
        Action of a dialogue → answer.
    exact : sequence of str
        Streams whose every sample can be accounted for, but where `blind` says otherwise.
    blind : mapping of str to str
        Fault → why its protocol cannot tell.
    bounded : sequence of str
        Faults that leave bounds, also in these streams.
    """

    drift = 35e-6

    def __init__(self, device, parts=(), answers=lambda _: None, exact=(), blind=None, bounded=()):
        self.device, self.parts, self.exact, self.blind = device, list(parts), tuple(exact), blind or {}
        self.bounded = ("clock reset", "all of it", *bounded)
        self.produced = Counter()
        self._answers = answers

    def start(self):
        """Run the device's start dialogue."""
        dialogue, reply = self.device.start(), None
        try:
            while True:
                reply = self._answers(dialogue.send(reply))
        except StopIteration:
            return

    def send(self, part, device_ns):
        """What a part sends now."""
        sent, made = part.send(device_ns)
        self.produced.update(made)
        return sent

    def request(self, data, device_ns):
        """A write while it streams; what it sends for that."""
        return ()

    def disconnected(self):
        """The host has gone."""


NO_CHECK = "no checksum"
UNSEEN = "no time, no number"
CONFIRMED = "indications are confirmed"


# ---------------------------------------------------------------------- Polar


def beating(rng):
    """Intervals in ms whose beats lie before a time in ms, one call after another."""
    next_ms = 0

    def until(ms):
        nonlocal next_ms
        out = []
        while next_ms < ms:
            out.append(int(rng.normal(850, 40)))
            next_ms += out[-1]
        return out, next_ms

    return until


def polar(virtual, model):
    made, device = virtual.made, devices.device(model)()
    kinds = {m.kind: m for m in made.values()}

    def answers(action):
        data = getattr(action, "data", b"")
        if not data:
            return pmd.encode_features(frozenset(kinds) | ({pmd.Measurement.PPI} if virtual.ppi else set()))
        known, parameters = kinds.get(data[1] & 0x3F), b""
        if data[0] == pmd.Command.SETTINGS:
            parameters = pmd.encode_settings(known.settings)
        elif data[0] == pmd.Command.START and known and known.factor != 1:
            parameters = pmd.encode_settings(pmd.encode_factor(known.factor))
        return pmd.PmdReply(data[0], data[1], 0, parameters=parameters).encode()

    sensor = Sensor(device, (), answers, (), {"flipped bits": NO_CHECK})
    sensor.start()
    for name, spec in device.specs.items():
        sensor.parts.append(pulse_intervals(virtual) if name == "ppi" else measurement(name, made[name], float(spec.rate)))
    sensor.exact = tuple(n for n in device.specs if n != "ppi")
    return sensor


def stamped(data, device_ns):
    """A PMD frame with another time."""
    return data[:1] + (EPOCH_2019_NS + device_ns - pmd.EPOCH_2000_NS).to_bytes(8, "little") + data[9:]


def measurement(name, made, rate):
    values = np.ones((made.per_frame, len(signal_kind(made.signal).channels)))
    frame = pmd.PmdFrame(made.kind, EPOCH_2019_NS, made.counts(values), made.layout).encode()
    send = lambda ns: ([(pmd.DATA, stamped(frame, ns))], {name: made.per_frame})  # noqa: E731
    return Part((name,), made.per_frame / rate / TRUE, send)


def pulse_intervals(virtual):
    beats = beating(np.random.default_rng(1))

    def send(device_ns):
        between, last_ms = beats(device_ns / 1e6 - 1000)
        if not between:
            return [], {}
        counts = np.array([(0, ms, 10, 6) for ms in between], np.int32)
        stamp = EPOCH_2019_NS + last_ms * 10**6 if virtual.ppi_stamped else pmd.EPOCH_2000_NS
        return [(pmd.DATA, pmd.PmdFrame(pmd.Measurement.PPI, stamp, counts).encode())], {"ppi": len(between)}

    return Part(("ppi",), PPI_BATCH_S, send)


# ---------------------------------------------------------------------- the open board


class Board(Sensor):
    """PPG and skin conductance by the engine that the virtual board runs on."""

    drift = -35e-6
    ROWS = (
        gatt.BoardStream(0, "ppg", Fraction(64), 0.01, keeps=True),
        gatt.BoardStream(1, "eda", Fraction(4), 1e-5, keeps=True),
    )
    SAMPLES = (32, 2)

    def __init__(self):
        self.engine = PythonEngine(self.ROWS, self.SAMPLES)
        self._us = 0
        super().__init__(devices.device("open_board")(), (), self._answer, ("ppg", "eda"))
        self.parts = [self._part(k, row.kind, n) for k, (row, n) in enumerate(zip(self.ROWS, self.SAMPLES, strict=True))]

    def _answer(self, action):
        data = getattr(action, "data", b"")
        if not data:
            return self.engine.info()
        self.engine.request(data, self._us, gatt.MIN_MTU)
        # Frames that wait meanwhile are of before the host was there.
        return next(d for where, d in self._out() if where == gatt.CONTROL)

    def _out(self):
        places = {Out.CONTROL: gatt.CONTROL, Out.DATA: gatt.DATA, Out.BACKFILL: gatt.BACKFILL}
        while (out := self.engine.next(self._us)) is not None:
            yield places[out[0]], out[1]

    def _part(self, place, name, n):
        step_us, zero = 1e6 / float(self.ROWS[place].rate), np.zeros(1, np.int32)

        def send(device_ns):
            self._us = device_ns // 1000
            for k in range(n):
                self.engine.sample(place, round(device_ns / 1000 - (n - 1 - k) * step_us), zero)
            return list(self._out()), {name: n}

        return Part((name,), n / float(self.ROWS[place].rate), send)

    def request(self, data, device_ns):
        self._us = device_ns // 1000
        self.engine.request(data, self._us, gatt.MIN_MTU)
        return list(self._out())

    def disconnected(self):
        self.engine.disconnected()


# ---------------------------------------------------------------------- sensors with a profile


def profiled(profile, model, rates, exact=(), blind=None, true=1.0, bounded=()):
    """A sensor whose notifications a profile makes; stream → rate of those that it has."""
    control = profile.control

    def answers(action):
        data = getattr(action, "data", None)
        return control.obey(data)[1] if control is not None and data is not None else None

    parts = [part_of(profile, output, rates, true) for output in profile.outputs if set(output.streams) & set(rates)]
    return Sensor(devices.device(model)(list(rates)), parts, answers, exact, blind, bounded)


def part_of(profile, output, rates, true):
    present = tuple(s for s in output.streams if s in rates)
    rate, n, count = rates[present[0]], output.per_frame, 0
    level = {s: LEVEL.get(profile.kinds[s], 1.0) for s in present}
    shape = {s: (n, len(signal_kind(profile.kinds[s]).channels)) for s in present}
    values = {s: np.full(shape[s], level[s]) for s in present}

    def send(device_ns):
        nonlocal count
        moment = Moment(device_ns, device_ns + 1_700_000_000 * NS, count // n, count, rate, values)
        count += n
        return [(output.uuid, data) for data in output.encode(moment)], dict.fromkeys(present, n)

    return Part(present, n / rate / true, send, output.indicate, output.keeps)


def strap():
    beats = beating(np.random.default_rng(2))

    def send(device_ns):
        ticks = tuple(round(ms * 1.024) for ms in beats(device_ns / 1e6)[0])
        made = {"rr": len(ticks), "heart_rate": 1}
        return [(HEART_RATE_MEASUREMENT, HeartRateMeasurement(70, contact=True, ticks=ticks).encode())], made

    device = devices.device("heart_rate")(["rr", "heart_rate"])
    return Sensor(device, [Part(("rr", "heart_rate"), 1.0, send)], blind=dict(UNTOLD))


def radar():
    frame = radar_ld2450.encode_frame(np.ones((3, 4)))
    send = lambda _: ([(radar_ld2450.BYTES, frame)], {"radar_targets": 1})  # noqa: E731
    return Sensor(devices.device("radar_ld2450")(), [Part(("radar_targets",), 0.1, send)], blind=dict(UNTOLD))


UNTOLD = {
    **dict.fromkeys(("loss", "runs of losses", "duplication", "reordering"), UNSEEN),
    "flipped bits": NO_CHECK,
}
CERTAIN = {"loss": CONFIRMED, "runs of losses": CONFIRMED, **{k: v for k, v in UNTOLD.items() if "loss" not in k}}
CHECKLESS = {"flipped bits": NO_CHECK}
MIXED = {**CHECKLESS, "reordering": "no checksum: pieces of two messages make one"}
FOUR_BITS = {"reordering": "a number of 4 bits"}
TURNS = ("runs of losses", "storm", "link timeout", "silence", "slow app")
"""Losses that may be longer than a turn of 16 samples."""

SENSORS = {
    "bitalino": lambda: profiled(
        profiles.bitalino(), "bitalino", {"ecg": 100.0, "eda": 100.0}, ("ecg", "eda"), FOUR_BITS, bounded=TURNS
    ),
    "polar_h10": lambda: polar(VirtualH10, "polar_h10"),
    "polar_verity_sense": lambda: polar(VirtualVeritySense, "polar_verity_sense"),
    "polar_oh1": lambda: polar(VirtualOH1, "polar_oh1"),
    "polar_360": lambda: polar(VirtualPolar360, "polar_360"),
    "movesense": lambda: profiled(
        profiles.movesense(), "movesense", {n: float(r) for n, r in MOVESENSE_RATES.items()}, ("ecg", "acc"), CHECKLESS, TRUE
    ),
    "shimmer3r": lambda: profiled(profiles.shimmer3r(), "shimmer3r", {"eda": 32.0}, ("eda",), CHECKLESS),
    "nervous_eda": lambda: profiled(profiles.nervous_eda(), "nervous_eda", {"eda": 8.0}, ("eda",), MIXED, TRUE),
    "movisens": lambda: profiled(
        profiles.movisens(), "movisens", {"eda": 1.0, "skin_temperature": 1.0}, ("eda", "skin_temperature"), CHECKLESS
    ),
    "core": lambda: profiled(profiles.core(), "core", {"core_temperature": 1.0, "skin_temperature": 1.0}, (), UNTOLD),
    "health_thermometer": lambda: profiled(
        profiles.health_thermometer(), "health_thermometer", {"core_temperature": 1.0}, (), CERTAIN
    ),
    "environment": lambda: profiled(
        profiles.environment(), "environment", {"air_temperature": 1.0, "air_pressure": 1.0}, (), UNTOLD
    ),
    "thermal_array": lambda: profiled(profiles.thermal_array(), "thermal_array", {"thermal_array": 4.0}, (), UNTOLD),
    "radar_ld2450": radar,
    "heart_rate": strap,
    "open_board": Board,
}
