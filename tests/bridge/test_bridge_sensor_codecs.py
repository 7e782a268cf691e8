"""Codecs of the other makers' sensors: literal vectors, twins, garbage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.signals import CATALOGUE
from feltsense.errors import ProtocolError
from feltsense_bridge import devices
from feltsense_bridge.device import Advertisement
from feltsense_bridge.devices import core

EXAMPLES = settings(max_examples=100)


def by_stream(frames):
    return {f.stream: f.values.tolist() for f in frames}


# ---------------------------------------------------------------- CORE

CORE_VECTOR = bytes([0b00010111, 228, 14, 7, 15, 0, 0, 0b00010011, 130])
"""From the tests of the cycling program Auuki (dvmarinoff/Auuki, test/ble/core-body-temperature)."""


def test_core_of_a_public_test():
    device = core.Core(core.Core.offered)
    got = by_stream(device.decode(core.MEASUREMENT, CORE_VECTOR))
    assert got == {"core_temperature": [[38.12]], "skin_temperature": [[38.47]], "heart_rate": [[130.0]]}
    assert core.CoreMeasurement.decode(CORE_VECTOR).state & 7 == core.Quality.GOOD


@given(
    st.builds(
        core.CoreMeasurement,
        st.none() | st.integers(-(2**15), 2**15 - 2),
        st.none() | st.integers(-(2**15), 2**15 - 1),
        *[st.none() | st.integers(0, 255)] * 3,
        st.booleans(),
    )
)
@EXAMPLES
def test_core_twins(said):
    assert core.CoreMeasurement.decode(said.encode()) == said


def test_core_says_what_it_does_not_know():
    device = core.Core()
    nothing = core.CoreMeasurement(None, 0x7FFF).encode()
    assert all(math.isnan(v[0][0]) for v in by_stream(device.decode(core.MEASUREMENT, nothing)).values())
    invalid = core.CoreMeasurement(3700, 3300, state=core.Quality.INVALID).encode()
    got = by_stream(device.decode(core.MEASUREMENT, invalid))
    assert math.isnan(got["core_temperature"][0][0])
    assert got["skin_temperature"] == [[33.0]]
    warm = by_stream(device.decode(core.MEASUREMENT, core.CoreMeasurement(9860, 9500, fahrenheit=True).encode()))
    assert warm["core_temperature"][0][0] == pytest.approx(37.0)
    assert warm["skin_temperature"][0][0] == pytest.approx(35.0)


@pytest.mark.parametrize("data", ["", "00", "0010", "010010", "00100e00", "30e40e0a"])
def test_core_refuses_what_is_cut_or_left_over(data):
    with pytest.raises(ProtocolError):
        core.Core().decode(core.MEASUREMENT, bytes.fromhex(data))


# ---------------------------------------------------------------- all


SEEDS = {
    "core": (core.MEASUREMENT, [CORE_VECTOR]),
}


def test_services_tell_the_model():
    assert devices.identify(Advertisement("a", "CORE", (core.SERVICE,))) == "core"


@pytest.mark.parametrize("model", SEEDS)
@given(data=st.data())
@settings(max_examples=150)
def test_garbage_raises_nothing_but_protocol_error(model, data):
    uuid, seeds = SEEDS[model]
    cls = devices.device(model)
    device = cls(cls.offered)
    for _ in range(3):
        seed = data.draw(st.sampled_from(seeds))
        at = data.draw(st.integers(0, len(seed)))
        patch = data.draw(st.binary(max_size=3))
        mutated = seed[:at] + patch + seed[at + len(patch) :]
        junk = data.draw(st.one_of(st.just(mutated), st.binary(max_size=260)))
        try:
            frames = device.decode(uuid, junk)
        except ProtocolError:
            continue
        for frame in frames:
            kind = device.specs[frame.stream].kind
            assert kind is CATALOGUE[kind.name]
            assert frame.values.ndim == 2
            assert frame.values.shape[1] == len(kind.channels)
            assert len(frame.values)
            assert not np.isinf(frame.values).any()
            assert frame.device_ns is None or 0 <= frame.device_ns < 2**63
            assert frame.sequence is None or 0 <= frame.sequence < frame.modulus
