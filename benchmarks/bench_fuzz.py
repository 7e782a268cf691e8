"""Ten million damaged inputs over all codecs: nothing but a ProtocolError may come out.

Each device decodes real notifications of its own encoder, mutated at random (flipped, replaced, cut, doubled, spliced),
and random bytes, one after another, so that what one leaves in a buffer meets the next. Its frames go through its account.
What escapes is printed with the input, and makes the run fail.

    python benchmarks/bench_fuzz.py [inputs] [seed]
"""

import random
import sys
import time

import numpy as np

from feltsense.core.chunk import StreamInfo
from feltsense.core.timeline import NS
from feltsense.errors import LinkError, ProtocolError
from feltsense_bridge import devices
from feltsense_bridge.accounting import StreamAccount
from feltsense_bridge.clock import DeviceClock
from feltsense_bridge.device import Frame
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices import (
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
from feltsense_bridge.devices._gatt import HEART_RATE_MEASUREMENT
from feltsense_bridge.devices._polar import PolarDevice
from feltsense_bridge.frames import StreamFrame

INPUTS = 10_000_000
BATCH = 2000
"""Inputs that a device gets before it is made anew."""


def polar():
    """Frames of every measurement, raw and compressed, answers and refusals."""
    counts, at, acc = np.arange(30, dtype=np.int32).reshape(10, 3), 1_550_000_000 * NS, pmd.Measurement.ACC
    frames = [pmd.PmdFrame(pmd.Measurement.ECG, at, counts[:, :1])]
    frames += [pmd.PmdFrame(acc, at, counts, layout) for layout in (1, 0x80 | 1)]
    said = [frame.encode() for frame in frames]
    replies = [pmd.PmdReply(2, 0).encode(), pmd.PmdReply(2, 2, 5).encode(), b"\x01\x00\x02"]
    return [(pmd.DATA, d) for d in said] + [(pmd.CONTROL, d) for d in replies]


def board():
    rows = [gatt.BoardStream(1, "eda", 4, 1e-5, keeps=True), gatt.BoardStream(2, "acc", 32, 1e-3, keeps=True)]
    frames = [StreamFrame(1, 7, 10**9, np.array([[1], [5], [-9]])), StreamFrame(2, 9, 10**9, np.ones((4, 3), int))]
    answers = [gatt.ControlReply(3, 0, bytes(16)), gatt.ControlReply(0x10, 0, gatt.encode_range(1, 3, 9))]
    inputs = [(u, f.encode()) for f in frames for u in (gatt.DATA, gatt.BACKFILL)]
    return inputs + [(gatt.CONTROL, a.encode()) for a in answers], gatt.encode_info(rows)


def ready_board(info):
    device, answer = devices.device("open_board")(), None
    dialogue = device.start()
    while True:
        try:
            action = dialogue.send(answer)
        except StopIteration:
            return device
        data = getattr(action, "data", b"")
        answer = info if action.__class__.__name__ == "Read" else gatt.ControlReply(data[0], 0).encode() if data else None


def ready(model, info):
    """A device that has been started, without its dialogue."""
    if model == "open_board":
        return ready_board(info)
    device = devices.device(model)()
    if isinstance(device, PolarDevice):
        device._settings.update({kind: {pmd.Setting.RATE: (50,)} for kind in pmd.Measurement})
    return device


def seeds():
    """Model → notifications of its own encoder."""
    bits = b"".join(bitalino.BitalinoFrame(i, 0, (i, i)).encode() for i in range(9))
    heart = heart_rate.HeartRateMeasurement(72, contact=True, ticks=(800, 900)).encode()
    ecg = movesense.MovesenseData("ecg", 9, np.arange(16)[:, None]).encode()
    return {
        "bitalino": [(bitalino.FRAMES, bits)],
        "core": [(core.MEASUREMENT, core.CoreMeasurement(3712, 3380, 3, 70, 5).encode())],
        "environment": [(q.uuid, q.encode(7.0)) for q in environment.QUANTITIES.values()],
        "health_thermometer": [(health_thermometer.MEASUREMENT, bytes.fromhex("0700710e00fee90701020304050603"))],
        "heart_rate": [(HEART_RATE_MEASUREMENT, heart)],
        "movesense": [(movesense.NOTIFY, ecg), (movesense.NOTIFY, movesense.encode_response(1, 404))],
        "movisens": [(movisens.EDA_BUFFERED, movisens.MovisensBuffer("eda", 1_700_000_000, (1, 2, 3)).encode())],
        "nervous_eda": [(nervous_eda.TX, nervous_eda.EdaMessage(10**9, (complex(1e5, 9),)).encode())],
        "radar_ld2450": [(radar_ld2450.BYTES, bytes.fromhex("AAFF03000E03B18610004001" + 16 * "00" + "55CC"))],
        "shimmer3r": [(shimmer3r.NOTIFY, b"".join(shimmer3r.ShimmerPacket(1024 * k, 2000).encode() for k in range(4)))],
        "thermal_array": [(thermal_array.IMAGE, p) for p in thermal_array.encode_image(np.full(768, 30.0))],
        **{model: polar() for model in ("polar_h10", "polar_oh1", "polar_360", "polar_verity_sense")},
    }


def mutated(rng, data):
    """One of the ways in which bytes go wrong."""
    way = rng.randrange(7)
    at = rng.randrange(len(data))
    if way == 0:
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if way == 1:
        return data[:at] + rng.randbytes(rng.randrange(5)) + data[at + rng.randrange(4) :]
    if way == 2:
        return data[:at]
    if way == 3:
        return data + data[at:]
    if way == 4:
        return rng.randbytes(rng.randrange(260))
    if way == 5:
        return data[at:] + data[:at]
    return data


class Accounts:
    """Accounts of a device's streams, as far as its dialogue has told them."""

    def __init__(self, device):
        clock = DeviceClock()
        self._accounts = {n: StreamAccount(StreamInfo(n, s), clock) for n, s in device.specs.items()}
        self._now = 0

    def take(self, found):
        self._now += 10**8
        for said in found:
            account = self._accounts.get(said.stream) if isinstance(said, Frame) else None
            if account is not None:
                account.push(said, self._now)


def main():
    inputs = int(float(sys.argv[1])) if len(sys.argv) > 1 else INPUTS
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    table = seeds()
    table["open_board"], info = board()
    missing = set(devices.models()) - set(table)
    assert not missing, f"no seeds for {missing}"
    share, escaped, begun = max(1, inputs // len(table)), 0, time.process_time()
    for model, notifications in sorted(table.items()):
        refused, since = 0, time.process_time()
        for done in range(share):
            if done % BATCH == 0:
                device = ready(model, info)
                accounts = Accounts(device)
            uuid, data = notifications[rng.randrange(len(notifications))]
            damaged = mutated(rng, data)
            try:
                accounts.take(device.decode(uuid, damaged))
            except (ProtocolError, LinkError):
                refused += 1
            except Exception as error:  # noqa: BLE001 - what escapes is what is looked for
                escaped += 1
                print(f"ESCAPED {model}: {error!r} from {damaged.hex()}")
        each = (time.process_time() - since) / share * 1e6
        print(f"{model:<20}{share:>10} inputs  {refused / share:>6.1%} refused  {each:>6.1f} us each", flush=True)
    total = share * len(table)
    cpu = time.process_time() - begun
    print(f"{total} inputs over {len(table)} codecs in {cpu:.0f} s of CPU; {escaped} escaped (floor: 0)")
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
