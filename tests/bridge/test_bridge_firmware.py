"""The board's firmware core: the same bytes as the SDK's codec, on the host and on a Cortex-M4."""

import ctypes
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from conftest import make, need
from feltsense.errors import ProtocolError
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.frames import StreamFrame

ARM = {"arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi", "qemu-system-arm": "qemu-system-arm"}
FRAMES = 20_000
FRAME_BYTES, SLOTS = 244, 128
ROOM = 255 * 4
DATA, BACKFILL = 2, 3


@pytest.fixture(scope="module")
def core(firmware):
    lib = ctypes.CDLL(str(firmware / "libfelt.so"))
    lib.felt_encode.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint64, ctypes.c_void_p,
        ctypes.c_uint, ctypes.c_uint,
    ]  # fmt: skip
    lib.felt_decode.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t]
    lib.felt_crc16.restype = ctypes.c_uint16
    lib.felt_board_bytes.restype = lib.felt_slot_bytes.restype = ctypes.c_size_t
    lib.felt_sample.argtypes = [ctypes.c_char_p, ctypes.c_uint8, ctypes.c_uint64, ctypes.c_void_p]
    lib.felt_request.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_uint16]
    lib.felt_next.argtypes = [ctypes.c_char_p, ctypes.c_uint64, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
    lib.felt_board_add.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint8, ctypes.c_char_p, ctypes.c_uint16]
    return lib


def random_frame(rng):
    channels, n = rng.choice([1, 1, 2, 3]), rng.integers(1, 61)
    step = rng.choice([0, 1, 7, 300, 40_000, 2**24])
    counts = rng.integers(-(2**23), 2**23, (n, channels))
    if step < 2**24:
        counts = np.clip(counts[0] + rng.integers(-step, step + 1, (n, channels)).cumsum(axis=0), -(2**23), 2**23 - 1)
    stream, sequence, us = (int(rng.integers(top)) for top in (16, 2**16, 2**48))
    return StreamFrame(stream, sequence, us, counts.astype(np.int32))


def encoded(core, frame):
    counts = np.ascontiguousarray(frame.counts)
    out = ctypes.create_string_buffer(4096)
    length = core.felt_encode(out, 4096, frame.stream, frame.sequence, frame.device_us, counts.ctypes.data, *counts.shape)
    assert length > 0
    return out.raw[:length]


def decoded(core, data):
    """Counts, or None where the core refuses; and the head's time, sequence and stream."""
    counts, head = np.zeros(ROOM, np.int32), ctypes.create_string_buffer(16)
    n = core.felt_decode(bytes(data), len(data), head, counts.ctypes.data, ROOM)
    if n < 0:
        return None
    raw = head.raw
    whole = counts[: n * data[10]].reshape(n, data[10])
    return whole, raw[10], int.from_bytes(raw[8:10], "little"), int.from_bytes(raw[:8], "little")


def test_random_frames_are_equal(core):
    rng = np.random.default_rng(1)
    for _ in range(FRAMES):
        frame = random_frame(rng)
        data = encoded(core, frame)
        assert data == frame.encode()
        counts, stream, sequence, us = decoded(core, data)
        assert (stream, sequence, us) == (frame.stream, frame.sequence, frame.device_us)
        assert np.array_equal(counts, frame.counts)
        bit = int(rng.integers(8 * len(data)))
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert decoded(core, damaged) is None


def test_every_flipped_bit_is_refused_by_the_core(core):
    rng = np.random.default_rng(2)
    for _ in range(100):
        data = bytearray(random_frame(rng).encode())
        for bit in range(8 * len(data)):
            data[bit // 8] ^= 1 << bit % 8
            assert decoded(core, data) is None
            data[bit // 8] ^= 1 << bit % 8


def test_core_refuses_what_the_sdk_refuses(core):
    # Heads and bodies at random under a right checksum: widths, lengths and sums beyond 24 bits decide.
    rng = np.random.default_rng(3)
    kept = 0
    for _ in range(3000):
        n, channels, width = int(rng.integers(0, 6)), int(rng.integers(0, 4)), int(rng.integers(0, 28))
        size = 3 * channels + max(0, (n - 1) * channels * width + 7) // 8 + int(rng.random() < 0.05)
        head = bytes([16 * int(rng.random() < 0.95) + 3]) + rng.bytes(8) + bytes([n, channels, width])
        body = head + rng.bytes(size)
        data = body + core.felt_crc16(body, len(body)).to_bytes(2, "little")
        try:
            theirs = StreamFrame.decode(data).counts
        except ProtocolError:
            theirs = None
        ours = decoded(core, data)
        assert (theirs is None) == (ours is None)
        if theirs is not None:
            kept += 1
            assert np.array_equal(ours[0], theirs)
    assert kept > 500


class Board:
    """The core's board with one stream of skin conductance, two samples a frame."""

    def __init__(self, core):
        self.core = core
        self.raw = ctypes.create_string_buffer(core.felt_board_bytes())
        self.slots = ctypes.create_string_buffer(SLOTS * core.felt_slot_bytes())
        core.felt_board_init(self.raw)
        row = gatt.encode_info([gatt.BoardStream(7, "eda", 4, 1e-5)])[2:30]
        assert core.felt_board_add(self.raw, row, 2, self.slots, SLOTS) == 0

    def measure(self, first, last):
        for i in range(first, last):
            self.core.felt_sample(self.raw, 0, 250_000 * i, (ctypes.c_int32 * 1)(1000 + i))

    def sent(self, now_us=0):
        out, length, heard = ctypes.create_string_buffer(FRAME_BYTES), ctypes.c_size_t(), []
        while kind := self.core.felt_next(self.raw, now_us, out, FRAME_BYTES, ctypes.byref(length)):
            heard.append((kind, out.raw[: length.value]))
        return heard

    def ask(self, opcode, data, now_us=0, mtu=247):
        request = gatt.Control(opcode, data).encode()
        assert self.core.felt_request(self.raw, request, len(request), now_us, mtu) == 0
        (_, answer), *rest = self.sent(now_us + 5)
        return gatt.ControlReply.decode(answer), rest


def test_stream_table_is_read_by_the_sdk(core):
    board, out = Board(core), ctypes.create_string_buffer(512)
    length = core.felt_info(board.raw, out, 512)
    assert gatt.decode_info(out.raw[:length]) == (gatt.BoardStream(7, "eda", 4, 1e-5, keeps=True),)


def test_control_dialogue(core):
    board = Board(core)
    status = [board.ask(*request)[0].status for request in (
        (1, b"\x07", 0, 23), (1, b"\x07"), (1, b"\x07"), (2, b"\x07"), (2, b"\x07"), (1, b"\x01"), (1, b""), (0x55, b""),
    )]  # fmt: skip
    assert status == [5, 0, 3, 0, 3, 2, 4, 1]
    assert board.ask(gatt.Opcode.TIME_PING, b"\x01\0\0\0", 2**40)[0].times() == (1, 2**40, 2**40 + 5)


@pytest.mark.parametrize("before", [8, 2 * 65530], ids=["from the start", "over the number's wrap"])
def test_thirty_seconds_are_fetched_again(core, before):
    board = Board(core)
    board.ask(gatt.Opcode.START, b"\x07")
    for i in range(0, before, 4):
        board.measure(i, i + 4)
        board.sent()
    core.felt_disconnected(board.raw)
    board.measure(before, before + 120)
    assert board.sent() == []
    board.ask(gatt.Opcode.START, b"\x07")
    first = before // 2 % 65536
    reply, rest = board.ask(0x10, b"\x07" + first.to_bytes(2, "little") + (60).to_bytes(2, "little"))
    assert reply.data == b"\x07" + first.to_bytes(2, "little") + (60).to_bytes(2, "little")
    assert {kind for kind, _ in rest} == {BACKFILL}
    frames = [StreamFrame.decode(data) for _, data in rest]
    assert [f.sequence for f in frames] == [(first + k) % 65536 for k in range(60)]
    np.testing.assert_array_equal(np.concatenate([f.counts[:, 0] for f in frames]), 1000 + np.arange(before, before + 120))
    board.measure(before + 120, before + 122)
    assert [kind for kind, _ in board.sent()] == [DATA]


def test_what_is_no_longer_kept_is_not_promised(core):
    board = Board(core)
    board.measure(0, 2 * (SLOTS + 10))
    reply, rest = board.ask(0x10, b"\x07" + bytes([0, 0, 20, 0]))
    assert reply.status == 0
    assert reply.data == b"\x07" + bytes([10, 0, 10, 0])
    assert [StreamFrame.decode(data).sequence for _, data in rest] == list(range(10, 20))


@pytest.mark.parametrize(("top", "bottom"), [(130, 1), (1, 60), (4, 1), (999_983, 7), (1_000_000, 1), (3, 2**32 - 1)])
def test_samples_are_due_when_the_rate_says_for_ever(core, top, bottom):
    row = bytes(4) + top.to_bytes(4, "little") + bottom.to_bytes(4, "little") + bytes(16)
    pace = ctypes.create_string_buffer(64)
    assert core.felt_pace_init(pace, row, ctypes.c_uint64(17)) == 0
    for k in range(2000):
        assert int.from_bytes(pace.raw[:8], "little") == 17 + Fraction(k * bottom * 10**6, top).__floor__()
        core.felt_pace_step(pace)
    due = int.from_bytes(pace.raw[:8], "little")
    period = -(-bottom * 10**6 // top)
    assert core.felt_pace_skip(pace, ctypes.c_uint64(due + 50 * period)) >= 50
    for bad in (bytes(28), bytes(4) + (2**31).to_bytes(4, "little") + b"\1\0\0\0" + bytes(16)):
        assert core.felt_pace_init(pace, bad, ctypes.c_uint64(0)) == -2


def test_cortex_m4_prints_what_the_host_prints(firmware, capsys):
    make(firmware, "check")
    need(ARM)
    report = make(firmware, "m4")
    sizes = [line.split() for line in report.splitlines() if line.endswith(".o") and line.split()[0].isdigit()]
    text = ", ".join(f"{Path(row[-1]).stem} {row[0]}" for row in sizes)
    with capsys.disabled():
        sys.stdout.write(f"\nCortex-M4 code size in bytes: {text}\n")
    assert sum(int(row[0]) for row in sizes) < 4096
    host = (firmware / "host.txt").read_bytes()
    assert host.endswith(b"failures 0\n")
    assert (firmware / "m4.txt").read_bytes() == host
