"""Damaged inputs over all codecs: nothing but a ProtocolError may come out.

A codec is a device, all of it: notifications of its own encoder, a run that continues, are mutated (flipped, replaced,
cut, doubled, turned round), left alone, or replaced by random bytes, and go through inbox, decoder, refill and
accounts, one after another, so that what one leaves in a buffer meets the next. Readers of answers and of what is read
once (settings, stream tables, battery, numbers) are codecs of their own. What escapes is printed with the input, and
makes the run fail.

    python benchmarks/bench_fuzz.py [inputs] [seed] [processes]     a million, a minute on two cores
    python benchmarks/bench_fuzz.py 1e7                             ten million, ten minutes
"""

import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from feltsense.core.timeline import NS
from feltsense.errors import ProtocolError
from feltsense_bridge import devices
from feltsense_bridge.devices import (
    _cobs,
    _ieee11073,
    _information,
    _protobuf,
    bitalino,
    core,
    environment,
    health_thermometer,
    heart_rate,
    movesense,
    movisens,
    nervous_eda,
    radar_ld2450,
    shimmer3r,
    thermal_array,
)
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices._gatt import HEART_RATE_MEASUREMENT
from feltsense_bridge.devices._pmd_frames import LAYOUTS
from feltsense_bridge.devices._polar import PolarDevice
from feltsense_bridge.frames import StreamFrame
from feltsense_bridge.intake import Intake

INPUTS, PROCESSES = 1_000_000, 2
BATCH = 2000
"""Inputs that a codec gets before it is made anew."""
DAMAGED = (0.05, 0.5, 1.0)
"""Share of the inputs that is damaged, one a batch: seldom, so that deep states are reached; or all."""
RUN = 24
"""Notifications of a stream that follow each other."""
STEP_NS = 10**8
"""Time between two inputs."""


def pmd_run(kind, layout):
    """Consecutive frames of one measurement, 10 samples at 50 Hz."""
    columns = LAYOUTS[kind, layout].columns
    counts = np.ones((10, columns), np.int32)
    begin = 1_550_000_000 * NS
    return [(pmd.DATA, pmd.PmdFrame(kind, begin + k * NS // 5, counts, layout).encode()) for k in range(1, RUN)]


def polar(model):
    """Every measurement that the model has, in every layout; answers, refusals, heart rate."""
    kinds = {source.kind for source in devices.device(model).sources.values()}
    runs = [pmd_run(kind, layout) for kind, layout in LAYOUTS if kind in kinds]
    replies = [pmd.PmdReply(2, 0).encode(), pmd.PmdReply(2, 2, 5).encode(), b"\x01\x00\x02"]
    beats = heart_rate.HeartRateMeasurement(72, contact=True, ticks=(800, 900)).encode()
    return [*(n for run in runs for n in run), *((pmd.CONTROL, r) for r in replies), (HEART_RATE_MEASUREMENT, beats)]


def pieces(uuid, data, size):
    """A stream of bytes in notifications."""
    return [(uuid, data[at : at + size]) for at in range(0, len(data), size)]


BOARD = [gatt.BoardStream(1, "eda", 4, 1e-5, keeps=True), gatt.BoardStream(2, "acc", 32, 1e-3, keeps=True)]


def board():
    """Both of a board's streams, with holes that it fills, and its answers."""
    out = []
    for k in range(RUN):
        eda, acc = StreamFrame(1, k, k * 750_000, np.ones((3, 1), int)), StreamFrame(2, k, k * 125_000, np.ones((4, 3), int))
        out += [(gatt.DATA if k % 5 else gatt.BACKFILL, frame.encode()) for frame in (eda, acc)]
    answers = gatt.ControlReply(3, 0, bytes(16)), gatt.ControlReply(0x10, 0, gatt.encode_range(1, 3, 9))
    return out + [(gatt.CONTROL, a.encode()) for a in answers]


def images():
    return [(thermal_array.IMAGE, p) for _ in range(RUN) for p in thermal_array.encode_image(np.full(768, 30.0))]


def buffers():
    eda = [movisens.MovisensBuffer("eda", 1_700_000_000 + 3 * k, (1, 2, 3)) for k in range(RUN)]
    warm = [movisens.MovisensBuffer("skin_temperature", b.unix_s, (3300, 3301, 3302)) for b in eda]
    pairs = zip(eda, warm, strict=True)
    return [n for e, w in pairs for n in ((movisens.EDA_BUFFERED, e.encode()), (movisens.TEMPERATURE_BUFFERED, w.encode()))]


def packets():
    said = [movesense.MovesenseData("ecg", 80 * k, np.arange(16)[:, None]).encode() for k in range(RUN)]
    moved = np.ones((4, 3), np.float32)
    said += [movesense.MovesenseData("acc", 77 * k, moved).encode() for k in range(RUN)]
    return [(movesense.NOTIFY, d) for d in [*said, movesense.encode_response(1, 404)]]


def thermometer():
    said = [health_thermometer.TemperatureMeasurement(36.97, site=s) for s in (None, *health_thermometer.Site)]
    stamped = bytes.fromhex("07710e00fee90701020304050603")
    return [(health_thermometer.MEASUREMENT, d) for d in [*(s.encode() for s in said), stamped]]


def notifications():
    """Model → notifications of its own encoder."""
    bits = b"".join(bitalino.BitalinoFrame(i % 16, 0, (i, i)).encode() for i in range(64))
    ticks = b"".join(shimmer3r.ShimmerPacket(1024 * k, 2000).encode() for k in range(64))
    heart = heart_rate.HeartRateMeasurement(72, contact=True, ticks=(800, 900)).encode()
    eda = b"".join(nervous_eda.EdaMessage(125_000 * k, (complex(1e5, 9),)).encode() for k in range(RUN))
    seen = bytes.fromhex("AAFF03000E03B18610004001" + 16 * "00" + "55CC")
    said = core.CoreMeasurement(3712, 3380, 3, 70, 5), core.CoreMeasurement(None, 3380)
    return {
        "bitalino": pieces(bitalino.FRAMES, bits, 10),
        "core": [(core.MEASUREMENT, s.encode()) for s in said],
        "environment": [(q.uuid, q.encode(7.0)) for q in environment.QUANTITIES.values()],
        "health_thermometer": thermometer(),
        "heart_rate": [(HEART_RATE_MEASUREMENT, heart)],
        "movesense": packets(),
        "movisens": buffers(),
        "nervous_eda": pieces(nervous_eda.TX, eda, 18),
        "open_board": board(),
        "radar_ld2450": pieces(radar_ld2450.BYTES, seen * 8, 30),
        "shimmer3r": pieces(shimmer3r.NOTIFY, ticks, 12),
        "thermal_array": images(),
        **{m: polar(m) for m in devices.models() if issubclass(devices.device(m), PolarDevice)},
    }


def readers():
    """What is read once, or is part of a dialogue: name → reader and inputs."""
    offered = pmd.encode_settings({pmd.Setting.RATE: (25, 50), pmd.Setting.RESOLUTION: (16,)})
    factor = pmd.encode_settings(pmd.encode_factor(0.5))
    varints = _protobuf.varint_field(1, 10**9) + b"\x0d" + bytes(4)
    return {
        "battery and texts": (
            lambda d: _information.Information.of(dict.fromkeys([_information.BATTERY_LEVEL, *_information.TEXTS], d)),
            [_information.encode_battery(87), _information.encode_text("H10")],
        ),
        "cobs": (_cobs.cobs_decode, [_cobs.cobs_encode(bytes(range(200)))]),
        "protobuf": (lambda d: list(_protobuf.fields(d)), [varints]),
        "float": (lambda d: (_ieee11073.decode_float(d), _ieee11073.special(d)), [_ieee11073.encode_float(36.97, -2)]),
        "pmd features": (pmd.decode_features, [pmd.encode_features(frozenset(pmd.Measurement))]),
        "pmd settings": (lambda d: pmd.decode_factor(pmd.decode_settings(d)), [offered, factor]),
        "pmd status": (pmd.decode_status, [pmd.encode_status({0: True, 2: False})]),
        "pmd sdk status": (pmd.decode_sdk_status, [b"\x01"]),
        "pmd answers": (lambda d: pmd.PmdReply.decode(d).problem, [pmd.PmdReply(2, 0, 10, parameters=offered).encode()]),
        "board table": (lambda d: gatt.stream_names(gatt.decode_info(d)), [gatt.encode_info(BOARD)]),
        "board requests": (gatt.Control.decode, [gatt.Control(gatt.Opcode.START, b"\x01").encode()]),
        "board answers": (lambda d: gatt.ControlReply.decode(d).problem, [gatt.ControlReply(3, 5, bytes(16)).encode()]),
    }


def ready(model):
    """A device that has been started, without its dialogue but where this tells it its streams."""
    device = devices.device(model)()
    if isinstance(device, PolarDevice):
        device = devices.device(model)([*device.sources, "heart_rate", "rr"])
        device._settings.update({kind: {pmd.Setting.RATE: (50,)} for kind in pmd.Measurement})
    if model != "open_board":
        return device
    answer, dialogue = None, device.start()
    while True:
        try:
            action = dialogue.send(answer)
        except StopIteration:
            return device
        data = getattr(action, "data", b"")
        answer = gatt.encode_info(BOARD) if action.__class__.__name__ == "Read" else None
        answer = gatt.ControlReply(data[0], 0).encode() if data else answer


class App:
    """A device with its inbox and accounts, and somebody who takes what comes."""

    def __init__(self, model):
        self._now = 1_700_000_000 * NS
        self._intake = Intake(ready(model), model, model)
        self._intake.declare()
        self._intake.connected(self._now)

    def take(self, uuid, data):
        """Whether it was refused."""
        before = self._intake.corrupt
        self._now += STEP_NS
        self._intake.hear(uuid, data, self._now)
        while self._intake.poll(self._now) is not None:
            pass
        self._intake.wanted(self._now)
        return self._intake.corrupt > before


class Reader:
    """One reader."""

    def __init__(self, read):
        self._read = read

    def take(self, _, data):
        """Whether it was refused."""
        try:
            self._read(data)
        except ProtocolError:
            return True
        return False


def mutated(rng, data):
    """One of the ways in which bytes go wrong."""
    way, at = rng.randrange(7), rng.randrange(len(data))
    if way == 0:
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if way == 1:
        return data[:at] + rng.randbytes(rng.randrange(5)) + data[at + rng.randrange(4) :]
    if way == 2:
        return data[:at]
    if way == 3:
        return data + data[at:]
    if way == 4:
        return data[at:] + data[:at]
    if way == 5:
        # Bytes are rarely random all over: a head that is right lets the rest be read.
        return data[:at] + rng.randbytes(rng.randrange(40))
    return rng.randbytes(rng.randrange(260))


def run(codec, inputs, seed):
    """How many were refused, what escaped, and the CPU time."""
    rng, begun = random.Random(f"{codec} {seed}"), time.process_time()
    known = notifications().get(codec)
    reader, seeds = (None, known) if known else readers()[codec]
    seeds = known or [(None, s) for s in seeds]
    refused, escaped = 0, []
    for done in range(inputs):
        if done % BATCH == 0:
            taker = Reader(reader) if reader else App(codec)
            damaged = DAMAGED[done // BATCH % len(DAMAGED)]
        where, data = seeds[done % len(seeds)]
        if rng.random() < damaged:
            data = mutated(rng, data)
        try:
            refused += taker.take(where, data)
        except Exception as error:  # noqa: BLE001 - what escapes is what is looked for
            escaped.append(f"{error!r} from {data.hex()}")
    return refused, escaped, time.process_time() - begun


def main():
    given = [int(float(a)) for a in sys.argv[1:]]
    inputs, seed, processes = (*given, *(INPUTS, 1, PROCESSES)[len(given) :])
    assert set(notifications()) == set(devices.models()), "a device has no notifications to damage"
    codecs = [*sorted(notifications()), *readers()]
    share, begun = -(-inputs // len(codecs)), time.perf_counter()
    total = wrong = 0
    cpu = 0.0
    with ProcessPoolExecutor(processes) as pool:
        for codec, answer in [(c, pool.submit(run, c, share, seed)) for c in codecs]:
            refused, escaped, took = answer.result()
            total, wrong, cpu = total + share, wrong + len(escaped), cpu + took
            print(f"{codec:<20}{share:>9} inputs  {refused / share:>6.1%} refused {share / took:>9.0f}/s of CPU", flush=True)
            for line in escaped[:5]:
                print(f"ESCAPED {codec}: {line}")
    print(f"{total} inputs over {len(codecs)} codecs in {cpu:.0f} s of CPU, {time.perf_counter() - begun:.0f} s; "
          f"{wrong} escaped (must: 0)")  # fmt: skip
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
