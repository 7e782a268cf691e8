"""Ten simulated hours a device, every fault at once, without a radio: is every sample received or said to be missing?

A sensor of each kind makes frames by the real encoders; a seeded channel delays, loses, doubles, overtakes and damages
them, stalls, and breaks connections; the real decoder and accounts see what is left. The truth is the sensor's own
count, which they never see. The clock reset comes once, in an arm of its own: it leaves bounds by its nature.

    python benchmarks/bench_accounting.py [hours] [seed]
"""

import heapq
import sys
import time
from fractions import Fraction

import numpy as np

from feltsense.core.timeline import NS
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.devices import _pmd as pmd
from feltsense_bridge.devices._gatt import HEART_RATE_MEASUREMENT
from feltsense_bridge.devices.heart_rate import HeartRateMeasurement, HeartRateStrap
from feltsense_bridge.devices.open_board import OpenBoard
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.frames import SEQUENCE_MODULUS, StreamFrame
from feltsense_bridge.intake import Intake
from feltsense_bridge.testing.channel import Action, Channel, Packet
from feltsense_bridge.testing.faults import (
    ClockReset,
    Corruption,
    DisconnectStorm,
    Duplication,
    During,
    Fault,
    Jitter,
    Latency,
    Loss,
    Reordering,
    SilentStall,
    SupervisionTimeout,
)

BEGIN_NS = 1_700_000_000 * NS
BOOT_NS = 1_546_300_800 * NS
"""What an H10's clock shows when nobody has set it."""
AWAY_S = 1.5
"""Seconds from a lost connection to streaming again."""
LOOK_S = 0.5
"""Seconds between two looks of the app."""


def begun(device, answers):
    """The device, its start dialogue run."""
    dialogue, reply = device.start(), None
    try:
        while True:
            reply = answers(dialogue.send(reply))
    except StopIteration:
        return device


class Torn(Fault):
    """One packet in 200 lacks its last byte. (Cut between two samples, a Polar frame is a shorter frame: one sample less
    of 73 is within the ±2 % of its rate, and no account can tell.)
    """

    def stage(self, rng):
        return lambda p, _at: [p if rng.random() > 0.005 else Packet(p.t_ns, p.data[:-1])]


class H10:
    uuid, drift = pmd.DATA, 35e-6

    def __init__(self):
        self.produced, self.rate, self.size = {"ecg": 0}, 130.3, 73
        self.period_s = self.size / self.rate

        def answers(action):
            data = getattr(action, "data", b"")
            if not data:
                return pmd.encode_features(frozenset({pmd.Measurement.ECG}))
            offered = {pmd.Setting.RATE: (130,), pmd.Setting.RESOLUTION: (14,)}
            parameters = pmd.encode_settings(offered) if data[0] == pmd.Command.SETTINGS else b""
            return pmd.PmdReply(data[0], data[1], 0, parameters=parameters).encode()

        self.device = begun(PolarH10(["ecg"]), answers)

    def frame(self, device_ns):
        self.produced["ecg"] += self.size
        return pmd.PmdFrame(pmd.Measurement.ECG, BOOT_NS + device_ns, np.zeros((self.size, 1), np.int32), 0).encode()


class Board:
    uuid, drift, period_s = gatt.DATA, -35e-6, 0.5

    def __init__(self):
        self.produced, self.number = {"ppg": 0}, 0
        info = gatt.encode_info([gatt.BoardStream(0, "ppg", Fraction(64), 0.01)])
        self.device = begun(
            OpenBoard(),
            lambda a: info if not hasattr(a, "data") else gatt.ControlReply(a.data[0], 0, a.data[1:]).encode(),
        )

    def frame(self, device_ns):
        self.produced["ppg"] += 32
        number, self.number = self.number, (self.number + 1) % SEQUENCE_MODULUS
        return StreamFrame(0, number, device_ns // 1000, np.zeros((32, 1), np.int32)).encode()


class Strap:
    uuid, drift, period_s = HEART_RATE_MEASUREMENT, 0.0, 1.0

    def __init__(self):
        self.produced, self.next_s, self.second = {"rr": 0}, 0.0, 0
        self.rng = np.random.default_rng(0)
        self.device = begun(HeartRateStrap(["rr"]), lambda _: None)

    def frame(self, _device_ns):
        self.second += 1
        ticks = []
        while self.next_s < self.second:
            ticks.append(int(self.rng.normal(870, 40)))
            self.next_s += ticks[-1] / 1024
        self.produced["rr"] += len(ticks)
        return HeartRateMeasurement(70, contact=True, ticks=tuple(ticks)).encode()


def faults(hours, kind):
    """Everything that the sensor's protocol allows to be told, now and then, but in the last minute."""
    last = hours * 3600 - 120
    rng = np.random.default_rng(99)
    out = [Latency(), Jitter()]
    out += [SilentStall(float(at), 20) for at in rng.uniform(60, last - 60, int(3 * hours))]
    out += [SupervisionTimeout(float(at), 6) for at in rng.uniform(60, last - 60, int(3 * hours))]
    out += [DisconnectStorm(float(at), 5, 60) for at in rng.uniform(60, last - 120, int(hours) or 1)]
    often = [Loss(0.01), Loss(0.001, run=20)]
    # A Heart Rate notification has neither number, time nor checksum: twice or cut in two looks like another.
    damage = Torn() if kind is H10 else Corruption(0.005)
    often += [] if kind is Strap else [Duplication(0.01), damage, Reordering(0.005, 1.2)]
    return out + [During(f, 10, last) for f in often]


class Run:
    """One sensor, its channel, and the app's side of it."""

    def __init__(self, kind, channel):
        self.sensor, self.channel = kind(), channel
        self.intake = Intake(self.sensor.device, "x", "x")
        self.intake.declare()
        self.intake.connected(BEGIN_NS)
        self.queue, self.order = [], 0
        self.down_ns, self.born_s, self.looked_s = 0, 0.0, 0.0
        for at, action in channel.moments:
            self.push(BEGIN_NS + round(at * NS), action)

    def push(self, t_ns, what):
        self.order += 1
        heapq.heappush(self.queue, (t_ns, self.order, what))

    def happen(self, until_ns):
        """Everything that is due."""
        while self.queue and self.queue[0][0] <= until_ns:
            t_ns, _, what = heapq.heappop(self.queue)
            if isinstance(what, bytes):
                self.intake.hear(self.sensor.uuid, what, t_ns)
            elif what is Action.RESET_CLOCK:
                self.born_s = (t_ns - BEGIN_NS) / NS
            elif not self.down_ns:
                self.intake.disconnected(t_ns)
                self.down_ns = t_ns + round(AWAY_S * NS)
                # What was under way is lost.
                self.queue = [e for e in self.queue if isinstance(e[2], Action)]
                heapq.heapify(self.queue)

    def step(self, at_s):
        """One frame."""
        now = BEGIN_NS + round(at_s * NS)
        self.happen(now)
        if self.down_ns and now >= self.down_ns:
            self.intake.connected(self.down_ns)
            self.down_ns = 0
        if at_s - self.looked_s > LOOK_S:
            self.looked_s = at_s
            self.look(now)
        data = self.sensor.frame(round((at_s - self.born_s) * (1 + self.sensor.drift) * NS))
        for packet in self.channel.send(now, data) if not self.down_ns else ():
            self.push(packet.t_ns, packet.data)

    def look(self, now):
        while self.intake.poll(now) is not None:
            pass


def play(kind, channel, hours):
    """Play a sensor through a channel; its accounts and what it produced."""
    run = Run(kind, channel)
    for k in range(1, int(hours * 3600 / run.sensor.period_s)):
        run.step(k * run.sensor.period_s)
    end_ns = BEGIN_NS + round((hours * 3600 + 60) * NS)
    run.happen(end_ns)
    run.look(BEGIN_NS)
    return run.intake, run.sensor.produced


def main():
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    print(f"{hours:g} h a device, seed {seed}")
    print(f"{'device':<8}{'arm':<8}{'produced':>10}{'received':>10}{'missing':>9}{'at most':>9}{'gaps':>6}"
          f"{'doubled':>8}{'late':>6}{'cut':>5}{'resets':>7}  {'verdict':<14}{'s':>5}")  # fmt: skip
    wrong = 0
    for kind in (H10, Board, Strap):
        for arm, extra in (("faults", []), ("+reset", [ClockReset(hours * 1800)])):
            began = time.perf_counter()
            intake, produced = play(kind, Channel([*faults(hours, kind), *extra], seed, BEGIN_NS), hours)
            for stream, made in produced.items():
                c = intake.accounts[stream].counters
                low, high = c.received + c.missing, c.received + c.missing_upper
                verdict = "exact" if low == high == made else "within bounds" if low <= made <= high else "WRONG"
                wrong += verdict == "WRONG"
                print(f"{kind.__name__:<8}{arm:<8}{made:>10}{c.received:>10}{c.missing:>9}{c.missing_upper:>9}{c.gaps:>6}"
                      f"{c.duplicates:>8}{c.late:>6}{intake.corrupt:>5}{c.resets:>7}  {verdict:<14}"
                      f"{time.perf_counter() - began:>5.1f}")  # fmt: skip
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
