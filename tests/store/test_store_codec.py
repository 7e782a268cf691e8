"""Packing gives back the same bits, for anything; and never more than was asked for."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.store import codec

BITS = st.lists(st.integers(0, 2**64 - 1), max_size=40)


@settings(max_examples=200)
@given(BITS, st.integers(1, 3), st.sampled_from([codec.OPEN, codec.CLOSED]))
def test_any_bits(bits, channels, level):
    whole = bits[: len(bits) // channels * channels]
    values = np.array(whole, "<u8").view("<f8").reshape(-1, channels)
    raw, _ = codec.pack_values(values, level)
    assert codec.unpack_values(raw, len(values), channels).tobytes() == values.tobytes()


@settings(max_examples=200)
@given(
    st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=60),
    st.sampled_from([1.0, 1e-3, 200.0, 0.000244140625, 7 / 32768, 1 / 3]),
    st.booleans(),
    st.data(),
)
def test_steps_of_a_converter(q, step, divided, data):
    values = (np.array(q) / step if divided else np.array(q) * step)[:, None]
    for i in data.draw(st.lists(st.integers(0, len(q) - 1), max_size=5)):
        values[i] = np.nan
    raw, hint = codec.pack_values(values, 6)
    assert codec.unpack_values(raw, len(values), 1).tobytes() == values.tobytes()
    raw, _ = codec.pack_values(values, 6, hint)
    assert codec.unpack_values(raw, len(values), 1).tobytes() == values.tobytes()


@pytest.mark.parametrize(
    "scale", [lambda q: q / 1000, lambda q: q * 0.001, lambda q: q / 200, lambda q: q * (4.5 / 8388607)]
)
def test_steps_are_found(scale):
    walk = np.cumsum(np.random.default_rng(1).integers(-30, 31, 1300))
    raw, (form, _) = codec.pack_values(scale(walk)[:, None], 6)
    assert form in (codec.Form.DIVIDED, codec.Form.SCALED)
    assert len(raw) < 1300


@settings(max_examples=100)
@given(st.lists(st.tuples(*[st.integers(-(2**63), 2**63 - 1)] * 5), min_size=1, max_size=20))
def test_any_anchors(rows):
    anchors = np.array(rows, np.int64)
    np.testing.assert_array_equal(codec.unpack_anchors(codec.pack_anchors(anchors, 6), len(rows)), anchors)


@settings(max_examples=300)
@given(st.binary(max_size=60), st.integers(0, 50))
def test_garbage_is_a_value_error(raw, n):
    for unpack in (lambda: codec.unpack_values(raw, n, 1), lambda: codec.unpack_anchors(raw, n)):
        with suppress(ValueError):
            unpack()


def test_rounding_leaves_negative_zeros_and_they_cost_little():
    values = np.round(np.random.default_rng(2).normal(0, 2e-3, 1300) * 1000) / 1000
    assert (np.signbit(values) & (values == 0)).any()
    values[100:110] = np.nan
    raw, (form, _) = codec.pack_values(values[:, None], 6)
    assert form is codec.Form.DIVIDED
    assert codec.unpack_values(raw, 1300, 1).tobytes() == values.tobytes()
    assert len(raw) < 1300


def test_a_bomb_is_not_inflated():
    head, _ = codec.pack_values(np.zeros((4, 1)), 6)
    bomb = head[: codec._HEAD.size] + codec._deflate(bytes(10**8), 9)
    with pytest.raises(ValueError, match="not the 4"):
        codec.unpack_values(bomb, 4, 1)
    with pytest.raises(ValueError, match="at most 3"):
        codec.unpack_anchors(b"\xff\xff\xff\xff\x08" + bytes(9), 3)
