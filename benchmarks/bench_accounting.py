"""Simulated hours of each device, every fault, without a radio: is every sample received or said to be missing?

A sensor of each kind makes notifications by the real encoders; a seeded channel delays, loses, doubles, overtakes, cuts
and damages them, stalls, and breaks connections; the real decoder and accounts see what is left. The truth is the
sensor's own count, which they never see. Each fault has its own part of the hours, with two quiet minutes after
it; then what has been produced, received and said to be missing is compared. The last part has all at once.

A Polar frame that is cut between two samples is a shorter frame, and one sample less of 73 is within what its rate may
be off: nobody can tell. So here the last byte is lost.

    python benchmarks/bench_accounting.py [hours] [seed] [processes] [device ...]     one hour, a minute on two cores
    python benchmarks/bench_accounting.py 10                                          ten hours, ten times as long
"""

import heapq
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from simulated_sensors import SENSORS

from feltsense.core.timeline import NS
from feltsense_bridge import devices
from feltsense_bridge.device import Tended
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
    MtuLimit,
    Reordering,
    SilentStall,
    SupervisionTimeout,
)

HOURS, LEAST_HOURS, PROCESSES = 1.0, 0.9, 2
BEGIN_NS = 1_700_000_000 * NS
AWAY_S = 1.5
"""Seconds from a lost connection to streaming again."""
LOOK_S = 0.5
"""Seconds between two looks of the app."""
PING_S = 10.0
INBOX, MISSED = 64, 200
"""Notifications that may wait, and that come while the app is busy."""
QUIET_S = 120.0
"""At the end of each part: what was lost before is known by then."""


class Torn(Fault):
    """Packets lack their last byte."""

    def stage(self, rng):
        return lambda p, _at: [p if rng.random() > 0.01 else Packet(p.t_ns, p.data[:-1])]


class Busy(Fault):
    """The app takes nothing for a while (no fault of the channel: the run knows)."""


def times(rng, a, b, n):
    return [float(at) for at in rng.uniform(a, b - 60, n)]


FAULTS = {
    "late": lambda a, b, _: [During(f, a, b) for f in (Latency(0.05), Jitter())],
    "loss": lambda a, b, _: [During(Loss(0.02), a, b)],
    "runs of losses": lambda a, b, _: [During(Loss(0.001, run=20), a, b)],
    "duplication": lambda a, b, _: [During(Duplication(0.02), a, b)],
    "cut short": lambda a, b, _: [During(Torn(), a, b)],
    "flipped bits": lambda a, b, _: [During(Corruption(0.01), a, b)],
    "reordering": lambda a, b, _: [During(Reordering(0.01, 1.2), a, b)],
    "small packets": lambda a, b, rng: [During(MtuLimit(23), at, at + 20) for at in times(rng, a, b, 4)],
    "storm": lambda a, b, rng: [DisconnectStorm(at, 11, 10) for at in times(rng, a, b, 4)],
    "link timeout": lambda a, b, rng: [SupervisionTimeout(at, 6) for at in times(rng, a, b, 6)],
    "silence": lambda a, b, rng: [SilentStall(at, 20) for at in times(rng, a, b, 6)],
    "slow app": lambda _a, _b, _rng: [Busy()],
    "clock reset": lambda a, b, _: [ClockReset((a + b) / 2)],
}
TOGETHER = "all of it"
"""The last part: every fault that the protocol can tell, but the reset, which leaves bounds by its nature."""
ARMS = (*FAULTS, TOGETHER)


@dataclass
class Arm:
    """One fault's part of the hours."""

    name: str
    start: float
    stop: float
    faults: list = field(default_factory=list)

    @property
    def told(self):
        return self.stop + QUIET_S


def arms(hours, seed, blind):
    rng, length = np.random.default_rng([seed, 99]), hours * 3600 / len(ARMS)
    out = [Arm(name, k * length + 30, (k + 1) * length - QUIET_S - 5) for k, name in enumerate(ARMS)]
    for arm in out:
        names = [n for n in FAULTS if n != "clock reset"] if arm.name == TOGETHER else [arm.name]
        arm.faults = [f for n in names if n not in blind for f in FAULTS[n](arm.start, arm.stop, rng)]
    return out


class Run:
    """One sensor, its channel, and the app's side of it."""

    def __init__(self, sensor, hours, seed):
        self.sensor, self.arms = sensor, arms(hours, seed, sensor.blind)
        self.channel = Channel([f for arm in self.arms for f in arm.faults], seed, BEGIN_NS)
        sensor.start()
        self.intake = Intake(sensor.device, "x", "x", limit=INBOX)
        self.intake.declare()
        self.intake.connected(BEGIN_NS)
        self.queue, self.order = [], 0
        self.down_ns, self.born_s, self.pinged_s, self.busy_s = 0, 0.0, 0.0, -1.0
        self.kept, self.latest_ns = {}, 0
        for at, action in self.channel.moments:
            self.push(BEGIN_NS + round(at * NS), action)

    def push(self, t_ns, what):
        self.order += 1
        heapq.heappush(self.queue, (t_ns, self.order, what))

    def happen(self, until_ns):
        """Everything that is due."""
        while self.queue and self.queue[0][0] <= until_ns:
            t_ns, _, what = heapq.heappop(self.queue)
            if what is Action.RESET_CLOCK:
                self.born_s = (t_ns - BEGIN_NS) / NS
            elif what is Action.DISCONNECT:
                if not self.down_ns:
                    self.disconnect(t_ns)
            else:
                self.intake.hear(*what, t_ns)

    def disconnect(self, t_ns):
        self.intake.disconnected(t_ns)
        self.sensor.disconnected()
        self.down_ns = t_ns + round(AWAY_S * NS)
        # What was under way is lost.
        self.queue = [e for e in self.queue if isinstance(e[2], Action)]
        heapq.heapify(self.queue)

    def device_ns(self, at_s):
        return round((at_s - self.born_s) * (1 + self.sensor.drift) * NS)

    def part(self, at_s, part):
        """A part sends."""
        now = BEGIN_NS + round(at_s * NS)
        self.happen(now)
        if self.down_ns and now >= self.down_ns:
            self.sensor.start()
            self.intake.connected(self.down_ns)
            self.down_ns = 0
        waiting = self.kept.pop(id(part), [])
        self.carry(now, waiting + list(self.sensor.send(part, self.device_ns(at_s))), part)

    def carry(self, now, notifications, part=None):
        for uuid, data in notifications:
            packets = self.channel.send(now, data) if not self.down_ns else []
            if part is not None and part.keeps and not packets:
                self.kept.setdefault(id(part), []).append((uuid, data))
            for packet in packets:
                # A delay that ends lets nothing overtake: Bluetooth keeps the order.
                t_ns = packet.t_ns if self.overtaking else max(packet.t_ns, self.latest_ns)
                self.latest_ns = max(self.latest_ns, t_ns)
                self.push(t_ns, (uuid, packet.data))

    def look(self, at_s, arm):
        """The app takes what has come, and asks for what the device keeps."""
        now = BEGIN_NS + round(at_s * NS)
        self.happen(now)
        if at_s < self.busy_s:
            return
        while self.intake.poll(now) is not None:
            pass
        pace = sum(1 / p.period_s for p in self.sensor.parts)
        if any(isinstance(f, Busy) for f in arm.faults) and arm.start < at_s < arm.stop - 2 * MISSED / pace:
            # As long as it was free before it is busy now.
            self.busy_s, at_s = at_s + MISSED / pace, at_s + 2 * MISSED / pace
        device = self.sensor.device
        if self.down_ns or not isinstance(device, Tended):
            return
        wanted = self.intake.wanted(now)
        if wanted is not None:
            self.carry(now, self.sensor.request(device.fetch(*wanted).data, self.device_ns(at_s)))
        if at_s - self.pinged_s > PING_S:
            self.pinged_s = at_s
            self.carry(now, self.sensor.request(device.ping(now).data, self.device_ns(at_s)))

    def play(self):
        """Each arm, and its figures."""
        # A sensor samples by its own clock, and so sends by it; half a second in, so that no whole second is a near thing.
        pace = 1 + self.sensor.drift
        due = [(p.period_s / pace + 0.5, k, p) for k, p in enumerate(self.sensor.parts)] + [(LOOK_S, -1, None)]
        heapq.heapify(due)
        for arm in self.arms:
            self.overtaking = arm.name in ("reordering", TOGETHER)
            while due[0][0] < arm.told:
                at, k, part = heapq.heappop(due)
                if part is None:
                    self.look(at, arm)
                else:
                    self.part(at, part)
                heapq.heappush(due, (at + (LOOK_S if part is None else part.period_s / pace), k, part))
            self.happen(BEGIN_NS + round(arm.told * NS))
            self.busy_s = -1.0
            self.look(arm.told, Arm("", 0, 0))
            yield arm.name


def totals(run):
    out = {}
    for name, account in run.intake.accounts.items():
        c = account.counters
        out[name] = Counter(made=run.sensor.produced[name], received=c.received, low=c.received + c.missing,
                            high=c.received + c.missing_upper, gaps=c.gaps, doubled=c.duplicates, late=c.late,
                            resets=c.resets)  # fmt: skip
    return out


def judge(model, hours, seed):
    """Verdict of each arm and stream, and the totals."""
    begun, sensor = time.process_time(), SENSORS[model]()
    run, verdicts = Run(sensor, hours, seed), {}
    before = {}
    for arm in run.play():
        now = totals(run)
        for stream, after in now.items():
            part = Counter(after)
            part.subtract(before.get(stream, {}))
            verdicts[stream, arm] = verdict(part, arm, stream, sensor)
        before = now
    return verdicts, before, run.intake.corrupt, run.intake.overflowed, sensor.blind, time.process_time() - begun


def verdict(part, arm, stream, sensor):
    if arm in sensor.blind:
        return "."
    if part["low"] == part["high"] == part["made"]:
        return "="
    within = part["low"] <= part["made"] <= part["high"]
    bounded = within and (stream not in sensor.exact or arm in sensor.bounded)
    return "~" if bounded else f"!{part['low'] - part['made']:+d}{part['high'] - part['made']:+d}"


def main():
    given = sys.argv[1:4]
    hours, seed, processes = (
        (float(given[0]) if given else HOURS),
        *(int(given[k]) if len(given) > k else default for k, default in ((1, 0), (2, PROCESSES))),
    )
    assert hours >= LEAST_HOURS, f"hours: at least {LEAST_HOURS}, so that each fault has some minutes of its own"
    missing = set(devices.models()) - set(SENSORS)
    assert not missing, f"no sensor for {missing}"
    print(f"{hours:g} h a device, seed {seed}; = exact, ~ within bounds, . the protocol cannot tell, ! wrong")
    heads = "".join(f"{name[:9]:>10}" for name in ARMS)
    print(
        f"{'stream':<32}{'produced':>9}{'received':>9}{'missing':>8}{'at most':>8}{'gaps':>6}{'twice':>7}{'late':>6}{heads}"
    )
    wrong, reasons = 0, {}
    with ProcessPoolExecutor(processes) as pool:
        chosen = sys.argv[4:] or list(SENSORS)
        for model, job in [(m, pool.submit(judge, m, hours, seed)) for m in chosen]:
            verdicts, sums, corrupt, overflowed, blind, took = job.result()
            for stream, c in sums.items():
                said = [verdicts[stream, arm] for arm in ARMS]
                wrong += sum(s.startswith("!") for s in said)
                marks = "".join(f"{s:>10}" for s in said)
                print(f"{model + '.' + stream:<32}{c['made']:>9}{c['received']:>9}{c['low'] - c['received']:>8}"
                      f"{c['high'] - c['received']:>8}{c['gaps']:>6}{c['doubled']:>7}{c['late']:>6}{marks}")  # fmt: skip
            print(f"{'':<32}{corrupt} damaged, {overflowed} without room, {took:.0f} s of CPU", flush=True)
            for fault, why in blind.items():
                reasons.setdefault(why, {}).setdefault(model, []).append(fault)
    for why, models in reasons.items():
        print(f"cannot be told ({why}): " + "; ".join(f"{m}: {', '.join(f)}" for m, f in models.items()))
    print(f"{wrong} wrong (must: 0)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
