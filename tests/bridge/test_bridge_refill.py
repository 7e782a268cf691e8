"""Frames that wait for lost ones: order, what is asked for, and when waiting ends."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from radio_cases import board_with

from feltsense.core.chunk import GapReason
from feltsense.core.timeline import NS
from feltsense_bridge.device import Frame
from feltsense_bridge.devices import _open_gatt as gatt
from feltsense_bridge.frames import StreamFrame
from feltsense_bridge.intake import Intake
from feltsense_bridge.refill import ASK_S, WAIT_S, WAITING_FRAMES, Refill

MODULUS = 256


def frame(k, *, again=False):
    return Frame("eda", np.array([[float(k)]]), k * NS, k % MODULUS, MODULUS, again=again)


def numbers(released):
    return [int(f.values[0, 0]) for f, *_ in released]


@given(
    st.integers(0, MODULUS - 1), st.lists(st.sampled_from(["keep", "lose", "lose-twice", "double"]), min_size=2, max_size=60)
)
@settings(max_examples=200)
def test_whatever_is_lost_comes_out_in_order_once(begin, fates):
    refill, out, lost = Refill(MODULUS), [], {}
    for k, fate in enumerate([*fates, "keep"]):
        number = begin + k
        if fate.startswith("lose") and k:
            lost[number] = 2 if fate.endswith("twice") else 1
        else:
            for _ in range(2 if fate == "double" else 1):
                out += numbers(refill.push(frame(number), number * NS))
        for turn in range(9):
            now = number * NS + round((turn + 1) * ASK_S * NS)
            asked = refill.wanted(now)
            if asked is None:
                break
            first, count = asked
            assert first == out[-1] % MODULUS + 1 or first == 0
            for again in range(out[-1] + 1, out[-1] + 1 + count):
                lost[again] -= 1
                if not lost[again]:
                    out += numbers(refill.push(frame(again, again=True), now))
                else:
                    break
    # A double of the last frame that came out is the account's to tell.
    assert list(dict.fromkeys(out)) == list(range(begin, begin + len(fates) + 1))
    assert not refill


def held(refill, *ks, at=0):
    return numbers([r for k in ks for r in refill.push(frame(k), at)])


def test_it_is_asked_once_a_second_and_not_while_frames_come():
    refill = Refill(MODULUS)
    assert held(refill, 1, 5) == [1]
    assert refill.wanted(0) == (2, 3)
    assert refill.wanted(round(0.9 * ASK_S * NS)) is None
    late = round(ASK_S * NS)
    assert refill.wanted(late) == (2, 3)
    assert numbers(refill.push(frame(2, again=True), 2 * late)) == [2]
    assert refill.wanted(2 * late) is None
    assert refill.wanted(3 * late) == (3, 2)


def test_what_the_device_no_longer_has_is_not_waited_for():
    refill = Refill(MODULUS)
    held(refill, 1, 9)
    assert refill.kept(6, 3) == []
    assert numbers(refill.push(frame(6, again=True), 0)) == [6]
    assert numbers(refill.kept(9, 0)) == [9]
    assert not refill


def test_waiting_ends():
    refill = Refill(MODULUS)
    held(refill, 1, 3, 5)
    assert refill.overdue(round(WAIT_S * NS)) == []
    assert numbers(refill.overdue(round(WAIT_S * NS) + 1)) == [3, 5]
    held(refill, 8)
    assert numbers(refill.refuse()) == [8]
    # Who refuses is not asked again, until the next connection.
    assert held(refill, 12) == [12]
    refill.resume(0)
    assert held(refill, 14) == []
    large = Refill(2 * WAITING_FRAMES * 2)
    large.push(Frame("eda", np.zeros((1, 1)), 0, 0, 4 * WAITING_FRAMES), 0)
    out = []
    for k in range(2, WAITING_FRAMES + 3):
        out += large.push(Frame("eda", np.zeros((1, 1)), k, k, 4 * WAITING_FRAMES), 0)
    assert len(out) == WAITING_FRAMES + 1


def test_a_number_that_went_back_counts_anew():
    refill = Refill(MODULUS)
    held(refill, 200, 203)
    later = Frame("eda", np.zeros((1, 1)), 300 * NS, 90, MODULUS)
    assert [f.sequence for f, *_ in refill.push(later, 0)] == [203, 90]
    # Switched off and on: the device's time went back, too. Two frames may be stragglers, the third is none.
    restarted = [Frame("eda", np.zeros((1, 1)), k * NS, k, MODULUS) for k in (0, 1, 2, 3)]
    assert [[f.sequence for f, *_ in refill.push(f, 0)] for f in restarted] == [[0], [1], [2], [3]]
    assert refill.push(Frame("eda", np.zeros((1, 1)), 5 * NS, 5, MODULUS), 0) == []
    assert refill.wanted(0) == (4, 1)


def test_each_hole_keeps_its_own_reason():
    refill = Refill(MODULUS)
    refill.push(frame(0), 0)
    refill.push(frame(4), 0, GapReason.OVERFLOW)
    refill.push(frame(8), 0)
    refill.push(frame(12), 0, GapReason.CORRUPT)
    # Of each hole the device still has the last frame.
    for number in (3, 7, 11):
        refill.push(frame(number, again=True), 0)
    out = [(f.sequence, hint) for f, _, hint in refill.flush()]
    assert out == [
        (3, GapReason.OVERFLOW), (4, GapReason.OVERFLOW), (7, GapReason.LINK), (8, GapReason.LINK),
        (11, GapReason.CORRUPT), (12, GapReason.CORRUPT),
    ]  # fmt: skip


def test_the_accounts_of_several_holes_name_each_reason():
    intake = Intake(board_with([gatt.BoardStream(0, "eda", Fraction(4), 1e-5, keeps=True)]), "b", "b")
    intake.declare()
    intake.connected(0)
    frames = [StreamFrame(0, k, (k + 1) * 250_000, np.array([[k]])).encode() for k in range(16)]
    heard = [*range(3), None, *range(5, 8), *range(10, 12), None, *range(14, 16)]
    now = 0
    for k in heard:
        now += NS // 4
        intake.hear(gatt.DATA, b"damaged" if k is None else frames[k], now)
    gaps = []
    for late in (now, now + 6 * NS):
        intake.hear(gatt.DATA, frames[15], late)
        while (item := intake.poll(late)) is not None:
            gaps += [item.gap] if getattr(item, "gap", None) else []
    assert [(g.samples, g.reason.value) for g in gaps] == [(2, "corrupt"), (2, "link"), (2, "corrupt")]
