"""Every fault over the radio on every other model, a minute each, all sensors at once: accounts against own counters.

Where frames have a time or a number the account is exact; where a protocol has neither, an absence leaves bounds that
hold the truth, and a notification that is lost is lost unseen (``docs/reference/devices.md``): there nothing is claimed.
"""

from fractions import Fraction

import numpy as np
import pytest
from fault_cases import SECONDS, Torn, check, quiet_ends, run
from radio_cases import T0, beats

from feltsense.core.chunk import StreamInfo
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import TimeMap
from feltsense_bridge import devices
from feltsense_bridge.testing import (
    Playback,
    VirtualGatt,
    VirtualOH1,
    VirtualPolar360,
    VirtualVeritySense,
    profiles,
)
from feltsense_bridge.testing.faults import (
    ClockReset,
    DisconnectStorm,
    Duplication,
    Jitter,
    Latency,
    Loss,
    MtuLimit,
    Reordering,
    SilentStall,
    SupervisionTimeout,
)

POLAR = {"polar_verity_sense": VirtualVeritySense, "polar_oh1": VirtualOH1, "polar_360": VirtualPolar360}
PROFILED = {
    "movesense": {"ecg": 200},
    "bitalino": {"eda": 100},
    "shimmer3r": {"eda": 32},
    "nervous_eda": {"eda": 8},
    "movisens": {"eda": 1, "skin_temperature": 1},
    "core": {"core_temperature": 1, "skin_temperature": 1},
    "health_thermometer": {"core_temperature": 1},
    "environment": {"air_temperature": 1, "humidity": Fraction(1, 2)},
    "thermal_array": {"thermal_array": 1},
}
"""Model → streams, and their rates."""
LEVEL = {"eda": 5.0, "skin_temperature": 33.0, "core_temperature": 37.0, "thermal_array": 30.0}
TIMED = ("polar_verity_sense.ppg", "polar_verity_sense.acc", "polar_oh1", "polar_360", "movesense", "shimmer3r",
         "nervous_eda", "movisens")  # fmt: skip
"""Every sample of these has a place."""
UNTIMED = ("core", "health_thermometer", "environment", "thermal_array")


def played(kind, rate):
    info = StreamInfo(f"{kind}@{rate}", spec(kind, rate))
    values = np.full((round(SECONDS * rate), info.spec.width), LEVEL.get(kind, 1.0))
    return Stream(info, (Segment(values, TimeMap.uniform(T0, info.spec.rate)),))


def worn(models=(*POLAR, *PROFILED)):
    """Every model but those of :mod:`test_bridge_faults`, on one person."""
    kinds = [("ppg", 55), ("ppg", 130), ("ppg", 22), ("acc", 52), ("acc", 50), ("skin_temperature", 4)]
    kinds += [(kind, rate) for streams in PROFILED.values() for kind, rate in streams.items()]
    streams = {s.info.id: s for s in (played(*k) for k in kinds)}
    playback = Playback(Recording("s", streams, tuple(beats(SECONDS))), lead=0.4)
    rates = {"polar_verity_sense": (55, 52), "polar_oh1": (130, 50), "polar_360": (22, 50)}
    out = {}
    for model, (ppg, acc) in rates.items():
        if model not in models:
            continue
        mine = {"ppg": f"ppg@{ppg}", "acc": f"acc@{acc}"} | ({"temp": "skin_temperature@4"} if model == "polar_360" else {})
        out[model] = POLAR[model](playback, streams=mine, drift_ppm=20), devices.device(model)()
    for model, rates in PROFILED.items():
        if model not in models:
            continue
        mine = {kind: f"{kind}@{rate}" for kind, rate in rates.items()}
        sensor = VirtualGatt(playback, getattr(profiles, model)(), streams=mine, drift_ppm=-20)
        out[model] = sensor, devices.device(model)(list(rates))
    return out


def of(names, prefixes):
    return tuple(name for name in names if name.startswith(prefixes))


CASES = {
    "latency and jitter": [Latency(0.3), Jitter()],
    "loss": [quiet_ends(Loss(0.05)), quiet_ends(Loss(0.01, run=8))],
    "duplication": [quiet_ends(Duplication(0.1))],
    "cut short": [quiet_ends(Torn())],
    "reordering": [quiet_ends(Reordering(0.05, 1.2))],
    "disconnect storm": [DisconnectStorm(20, 11, 10)],
    "supervision timeout": [SupervisionTimeout(20, 6)],
    # At this speed a stream without a rate is given 40 s before it is called silent.
    "silent stall": [SilentStall(10, 44)],
}
UNSEEN = {"loss": UNTIMED, "duplication": UNTIMED, "reordering": (*UNTIMED, "bitalino", "nervous_eda")}
"""Fault → models whose protocol cannot tell: neither time nor number; a number of 4 bits; messages in pieces, unchecked."""


@pytest.mark.parametrize("case", CASES)
async def test_nothing_is_lost_silently(case):
    chunks, counters, produced, links = await run(worn(), CASES[case])
    names = set(chunks)
    check(chunks, counters, produced, inexact=names - set(of(names, TIMED)), apart=of(names, UNSEEN.get(case, ())), slack=2)
    assert {name.partition(".")[0] for name in names} == {*POLAR, *PROFILED}
    if case == "duplication":
        doubled = of(names, ("polar_verity_sense.ppg", "polar_oh1.ppg", "movesense", "bitalino", "shimmer3r"))
        assert all(counters[name].duplicates for name in doubled)
    if case == "cut short":
        assert all(link.corrupt for link in links if link.device.model in (*POLAR, "movesense", "core", "thermal_array"))
    # What a Movisens measured while nobody listened comes afterwards.
    assert not sum(counters[name].missing_upper for name in of(names, "movisens"))


async def test_a_clock_that_starts_anew_leaves_bounds():
    chunks, counters, produced, _ = await run(worn(), [ClockReset(31)])
    check(chunks, counters, produced, inexact=set(chunks), slack=2)
    for model in (*POLAR, "movesense", "nervous_eda"):
        assert sum(counters[name].resets for name in of(chunks, model)) == 1, model


async def test_an_app_that_is_slow_is_told_what_it_missed():
    chunks, counters, produced, links = await run(worn(), [], inbox=6, busy_s=0.3)
    assert sum(link.overflowed for link in links) > 100
    for name, c in counters.items():
        # What was dropped after the last frame that was taken no frame can tell; how much it is depends on the machine.
        assert c.received + c.missing <= produced[name], (name, c)
        if name.startswith(TIMED[2:]):
            assert c.missing_upper - c.missing <= 0.05 * produced[name] + 2 * c.gaps, (name, c)
    assert {x.gap.reason.value for x in chunks["movesense.ecg"] if x.gap} == {"overflow"}


async def test_packets_that_are_too_small_are_no_samples():
    some = worn(("movesense", "thermal_array", "bitalino", "shimmer3r", "core"))
    chunks, counters, produced, links = await run(some, [MtuLimit(23)])
    corrupt = {link.device.model: link.corrupt for link in links}
    for model in ("movesense", "thermal_array"):
        assert corrupt[model] > 50
        assert not of(chunks, model)
    fit = of(chunks, ("bitalino", "shimmer3r", "core"))
    check(chunks, {name: counters[name] for name in fit}, produced)
