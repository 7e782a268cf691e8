"""Numbers that wrap every few frames, and byte streams whose notifications come twice: nothing is lost silently."""

import numpy as np
import pytest

from feltsense.core.chunk import StreamInfo
from feltsense.core.signals import spec
from feltsense.core.timeline import NS
from feltsense_bridge.accounting import StreamAccount
from feltsense_bridge.clock import DeviceClock
from feltsense_bridge.device import Frame, Repeated
from feltsense_bridge.devices.bitalino import FRAMES, Bitalino, BitalinoFrame
from feltsense_bridge.devices.radar_ld2450 import BYTES, RadarLd2450, encode_frame
from feltsense_bridge.devices.shimmer3r import NOTIFY, Shimmer3R, ShimmerPacket
from feltsense_bridge.intake import Intake

RATE, MODULUS, BEGIN = 100, 16, 1_700_000_000 * NS


def account():
    return StreamAccount(StreamInfo("b.eda", spec("eda", RATE)), DeviceClock())


def deliver(to, ks, seed=0, late=0.0, true=1.0):
    """Samples by their number, each in a frame, over a radio that delays them; the gaps."""
    rng = np.random.default_rng(seed)
    gaps, latest = [], 0
    for k in ks:
        at = BEGIN + round((k / RATE / true + late + rng.uniform(0, 0.045)) * NS)
        latest = max(latest, at)
        chunk = to.push(Frame("eda", np.array([[float(k)]]), sequence=k % MODULUS, modulus=MODULUS), latest)
        gaps += [chunk.gap] if chunk is not None and chunk.gap is not None else []
    return gaps


@pytest.mark.parametrize("lost", [1, 7, 8, 10, 15])
@pytest.mark.parametrize("true", [0.99, 1.0, 1.01])
def test_a_loss_within_a_turn_is_exact(lost, true):
    to = account()
    (gap,) = deliver(to, [k for k in range(6000) if not 3000 <= k < 3000 + lost], true=true)
    assert (gap.samples, gap.upper) == (lost, lost)
    assert to.counters.expected == 6000
    assert not to.counters.late + to.counters.duplicates


@pytest.mark.parametrize("lost", [16, 17, 40, 48, 400])
def test_a_loss_of_turns_has_bounds(lost):
    to = account()
    gaps = deliver(to, [k for k in range(6000) if not 3000 <= k < 3000 + lost])
    assert sum(g.samples for g in gaps) <= lost <= sum(g.upper for g in gaps)
    assert to.counters.received == 6000 - lost
    # An elapsed time of four seconds is no radio's delay.
    assert lost != 400 or gaps[0].samples > 200


def test_a_radio_that_holds_and_lets_go_has_lost_nothing():
    to, rng = account(), np.random.default_rng(3)
    held = []
    for k in range(12000):
        at = BEGIN + round((k / RATE + rng.uniform(0, 0.045)) * NS)
        # Three seconds of every twenty come at once.
        held.append((BEGIN + (k // 2000 * 20 + 3) * NS if k % 2000 < 300 else at, k))
    latest = 0
    for at, k in held:
        latest = max(latest, at)
        to.push(Frame("eda", np.array([[float(k)]]), sequence=k % MODULUS, modulus=MODULUS), latest)
    assert to.counters.received == 12000
    assert not to.counters.missing
    assert not to.counters.missing_upper


def bits(first, n):
    return b"".join(BitalinoFrame(k % MODULUS, 0, (k % 1000, 7)).encode() for k in range(first, first + n))


def packets(first, n):
    return b"".join(ShimmerPacket(1024 * k % 2**24, 2000).encode() for k in range(first, first + n))


@pytest.mark.parametrize(
    ("device", "uuid", "piece", "streams"), [(Bitalino, FRAMES, bits, {"ecg", "eda"}), (Shimmer3R, NOTIFY, packets, {"eda"})]
)
def test_a_notification_that_comes_twice_is_told_by_its_bytes(device, uuid, piece, streams):
    intake = Intake(device(), "x", "x")
    intake.declare()
    intake.connected(BEGIN)
    for k, first in enumerate((0, 5, 5, 10, 15, 15, 20)):
        intake.hear(uuid, piece(first, 5), BEGIN + k * NS // 20)
        while intake.poll(BEGIN + k * NS // 20) is not None:
            pass
    for name in streams:
        c = intake.accounts[name].counters
        assert (c.received, c.missing, c.duplicates) == (25, 0, 2)
    assert device().decode(uuid, piece(3, 5))
    assert all(isinstance(said, Repeated) for said in twice(device(), uuid, piece(0, 5)))


def twice(device, uuid, data):
    device.decode(uuid, data)
    return device.decode(uuid, data)


def test_a_packet_out_of_place_is_believed_by_the_one_behind_it():
    device = Shimmer3R()
    assert len(device.decode(NOTIFY, packets(0, 3))) == 3
    # Two bytes of a lost piece, then packets: the first is no period after the last, but the next is one after it.
    frames = device.decode(NOTIFY, b"\0\0" + packets(40, 3))
    assert [f.sequence for f in frames] == [40, 41, 42]
    # Alone it waits.
    assert device.decode(NOTIFY, packets(90, 1)) == []
    assert [f.sequence for f in device.decode(NOTIFY, packets(91, 1))] == [90, 91]


def test_bytes_of_one_connection_are_not_the_rest_of_anothers():
    """An app that is slow decodes what came before the connection went when the next one has long begun."""
    intake = Intake(Shimmer3R(), "x", "x")
    intake.declare()
    intake.connected(BEGIN)
    device = intake._device
    intake.hear(NOTIFY, packets(0, 8), BEGIN)
    # The last packet is out of place, and nothing behind it confirms it.
    intake.hear(NOTIFY, packets(9, 1), BEGIN + NS)
    intake.disconnected(BEGIN + 2 * NS)
    for _ in device.start():
        pass
    intake.connected(BEGIN + 4 * NS)
    intake.hear(NOTIFY, packets(128, 8), BEGIN + 4 * NS)
    chunks = []
    while (item := intake.poll(BEGIN + 4 * NS)) is not None:
        chunks += [item] if hasattr(item, "values") else []
    c = intake.accounts["eda"].counters
    assert (c.received, c.missing, c.missing_upper) == (16, 120, 120)


def test_a_radar_whose_bytes_are_damaged_is_not_believed_to_be_whole():
    intake = Intake(RadarLd2450(), "x", "x")
    intake.declare()
    intake.connected(BEGIN)
    frame = encode_frame(np.ones((3, 4)))
    for k, data in enumerate((frame, frame[:-1], frame, frame)):
        intake.hear(BYTES, data, BEGIN + k * NS // 10)
    while intake.poll(BEGIN) is not None:
        pass
    c = intake.accounts["radar_targets"].counters
    assert c.received == 3
    assert c.missing == 0
    assert c.missing_upper >= 1
    assert intake.corrupt == 1
