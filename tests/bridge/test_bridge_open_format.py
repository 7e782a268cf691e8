"""The open wire format: by hand, as twins, damaged, and what the board makes of it."""

import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radio_cases import ROWS, board_with

from feltsense.errors import ProtocolError, UnknownNameError
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.frames import NO_NUMBER, StreamFrame, crc16, frame_size, sealed

EXAMPLES = settings(max_examples=150)


def test_crc_check_value():
    # CRC-16/CCITT-FALSE in the catalogue of parametrised CRC algorithms (reveng): check 0x29B1.
    assert crc16(b"123456789") == 0x29B1


def test_frame_by_hand():
    # Stream 3, frame 7, last sample at 123456 µs; 100, then -3 and +7 in four bits each.
    body = bytes([0x13, 7, 0]) + (123456).to_bytes(6, "little") + bytes([3, 1, 4]) + bytes([100, 0, 0]) + bytes([0x7D])
    frame = StreamFrame.decode(sealed(body))
    assert (frame.stream, frame.sequence, frame.device_us) == (3, 7, 123456)
    assert frame.counts.tolist() == [[100], [97], [104]]
    assert frame.encode() == sealed(body)
    assert len(body) + 2 == frame_size(3, 1, 4)


COUNT = st.integers(-(2**23), 2**23 - 1)


@given(
    st.integers(0, 15),
    st.integers(0, 65535),
    st.integers(0, 2**48 - 1),
    st.integers(1, 4).flatmap(lambda c: st.lists(st.lists(COUNT, min_size=c, max_size=c), min_size=1, max_size=40)),
)
@EXAMPLES
def test_frame_twins(stream, sequence, device_us, counts):
    frame = StreamFrame(stream, sequence, device_us, np.array(counts))
    data = frame.encode()
    back = StreamFrame.decode(data)
    assert (back.stream, back.sequence, back.device_us) == (stream, sequence, device_us)
    np.testing.assert_array_equal(back.counts, counts)
    assert len(data) <= frame_size(*np.shape(counts))


@given(st.integers(0, 8 * 60), st.integers(0, 2**32))
@EXAMPLES
def test_every_flipped_bit_is_refused(bit, seed):
    counts = np.random.default_rng(seed).integers(-300, 300, (20, 1)).cumsum(axis=0)
    data = bytearray(StreamFrame(1, 2, 3, counts).encode())
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    with pytest.raises(ProtocolError):
        StreamFrame.decode(bytes(data))


def test_frame_refuses_what_does_not_fit():
    for frame in (
        StreamFrame(16, 0, 0, np.zeros((1, 1))),
        StreamFrame(0, 65536, 0, np.zeros((1, 1))),
        StreamFrame(0, 0, 2**48, np.zeros((1, 1))),
        StreamFrame(0, 0, 0, np.zeros((0, 1))),
        StreamFrame(0, 0, 0, np.full((1, 1), 2**23)),
        StreamFrame(0, 0, 0, np.zeros((256, 1))),
    ):
        with pytest.raises(ValueError, match="does not fit"):
            frame.encode()


def test_frame_refuses_a_walk_beyond_24_bits():
    body = bytes([0x10, 0, 0]) + bytes(6) + bytes([2, 1, 2]) + (2**23 - 1).to_bytes(3, "little") + bytes([1])
    with pytest.raises(ProtocolError, match="24 bits"):
        StreamFrame.decode(sealed(body))


ROW = st.builds(
    gatt.BoardStream,
    st.just(0),
    st.sampled_from(sorted(gatt.KINDS.values())),
    st.fractions(Fraction(1, 1000), 10_000, max_denominator=1000),
    st.floats(1e-9, 1e9),
    st.floats(-1e6, 1e6),
)


@given(st.lists(ROW, max_size=8))
@EXAMPLES
def test_stream_table_twins(rows):
    table = tuple(gatt.BoardStream(i, r.kind, r.rate, r.scale, r.offset) for i, r in enumerate(rows))
    assert gatt.decode_info(gatt.encode_info(table)) == table
    assert len(gatt.stream_names(table)) == len(table)


def test_stream_table_passes_over_kinds_it_does_not_know():
    row = struct.pack("<BBBxIIdd", 3, 200, 9, 10, 1, 1.0, 0.0)
    known = struct.pack("<BBBxIIdd", 4, 2, 1, 4, 1, 1e-5, 0.0)
    [eda] = gatt.decode_info(sealed(bytes([1, 2]) + row + known))
    assert (eda.id, eda.kind, eda.rate) == (4, "eda", 4)
    huge = struct.pack("<BBBxIIdd", 4, 2, 1, 4, 1, 1e305, 0.0)
    for bad in (huge, row + row, known[:4] + bytes(4) + known[8:], known[:2] + b"\x03" + known[3:]):
        with pytest.raises(ProtocolError):
            gatt.decode_info(sealed(bytes([1, len(bad) // 28]) + bad))


def test_control_twins():
    request = gatt.Control(gatt.Opcode.TIME_PING, b"abcd")
    assert gatt.Control.decode(request.encode()) == request
    times = b"\x01\0\0\0" + (5).to_bytes(6, "little") + (7).to_bytes(6, "little")
    reply = gatt.ControlReply(gatt.Opcode.TIME_PING, 0, times)
    assert gatt.ControlReply.decode(reply.encode()) == reply
    assert reply.times() == (1, 5, 7)
    for status in gatt.Status:
        assert gatt.ControlReply(1, status).problem == status.text
    for parse, data in ((gatt.Control.decode, b"\x81"), (gatt.ControlReply.decode, b"\x01\x00")):
        with pytest.raises(ProtocolError):
            parse(data)


def test_board_scales_and_says_where_it_has_no_number():
    device = board_with(ROWS)
    assert {k: (s.name, s.rate) for k, s in device.specs.items()} == {
        "eda": ("eda", Fraction(4)),
        "temp": ("skin_temperature", Fraction(4)),
    }
    [frame] = device.decode(gatt.DATA, StreamFrame(1, 9, 2_000_000, np.array([[13_000], [NO_NUMBER]])).encode())
    assert (frame.stream, frame.device_ns, frame.sequence, frame.modulus) == ("temp", 2 * 10**9, 9, 65536)
    np.testing.assert_allclose(frame.values, [[33.0], [np.nan]])
    assert device.decode(gatt.DATA, StreamFrame(7, 0, 0, np.zeros((1, 1))).encode()) == []
    with pytest.raises(ProtocolError, match="channels"):
        device.decode(gatt.DATA, StreamFrame(1, 0, 0, np.zeros((1, 3))).encode())


def test_board_refuses_a_stream_it_has_not():
    with pytest.raises(UnknownNameError, match="ppg"):
        board_with(ROWS, ["ppg"])
    assert set(board_with(ROWS, ["temp"]).specs) == {"temp"}
