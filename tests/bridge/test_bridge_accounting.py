"""Frames are lost, doubled and swapped at random; the account must still add up, and every sample have its time."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense.core.chunk import GapReason, StreamInfo
from feltsense.core.recording import Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS
from feltsense_bridge.accounting import StreamAccount
from feltsense_bridge.clock import DeviceClock
from feltsense_bridge.device import Frame

EPOCH = 1_700_000_000 * NS
BOOT = 599_616_000 * NS
DELAY = 20_000_000


class Sensor:
    """Makes frames whose values are the samples' own numbers, so that each can be recognised."""

    def __init__(self, rate, *, true=1.0, size=73, kind="ecg", modulus=0, stamped=True, delay=None):
        self.info = StreamInfo(f"dev.{kind}", spec(kind, rate))
        self.true = float(rate) * true
        self.size, self.modulus, self.stamped = size, modulus, stamped
        self.delay = delay or (lambda: DELAY)
        self.made = 0
        self.number = 0
        self.boot = BOOT

    def device_ns(self, sample):
        return self.boot + round(sample / self.true * NS)

    def session_ns(self, sample):
        return EPOCH + round(sample / self.true * NS)

    def frame(self, size=None):
        n = size or self.size
        values = np.arange(self.made, self.made + n, dtype=float)
        values = np.repeat(values[:, None], self.info.spec.width, axis=1)
        self.made += n
        last = self.made - 1
        sequence = self.number % self.modulus if self.modulus else None
        self.number += 1
        device_ns = self.device_ns(last) if self.stamped else None
        frame = Frame(self.info.id, values, device_ns, sequence, self.modulus)
        return frame, self.session_ns(last) + self.delay()


def play(account, deliveries):
    return [c for frame, arrival in deliveries if (c := account.push(frame, arrival)) is not None]


def check(sensor, account, chunks, *, within=0.035):
    """What holds whatever happened."""
    c = account.counters
    stream = Stream.from_chunks(sensor.info, chunks)
    got = stream.account()
    assert (got.received, got.missing, got.missing_upper) == (c.received, c.missing, c.missing_upper)
    times = np.concatenate([s.time.times(0, len(s.values)) for s in stream.segments])
    assert np.all(np.diff(times) > 0)
    previous = -1
    for segment in stream.segments:
        numbers = segment.values[:, 0].astype(int)
        # Inside a segment nothing is missing; before it, its gap says what is.
        assert np.all(np.diff(numbers) == 1)
        lost = numbers[0] - previous - 1
        if segment.gap is not None:
            assert segment.gap.samples <= lost <= segment.gap.upper
        previous = int(numbers[-1])
        t = segment.time.times(0, len(numbers))
        truth = np.array([sensor.session_ns(k) for k in numbers])
        assert np.abs(t - truth).max() <= within * NS
    return stream


FATES = st.sampled_from(["keep", "keep", "keep", "keep", "drop", "twice", "swap"])


def disturbed(sensor, fates, sizes=None):
    out, held = [], None
    for i, fate in enumerate(fates):
        frame = sensor.frame(None if sizes is None else sizes[i])
        # The first frame stays: what was lost before it nobody can know.
        fate = "keep" if i == 0 else fate
        if fate == "drop":
            continue
        if fate == "swap" and held is None:
            held = frame
            continue
        out.append(frame)
        if fate == "twice":
            out.append((frame[0], frame[1] + 1))
        if held is not None:
            out.append((held[0], frame[1] + 2))
            held = None
    return out


@settings(max_examples=150)
@given(st.lists(FATES, min_size=1, max_size=60), st.floats(0.98, 1.02), st.sampled_from([0, 16, 65536]))
def test_received_and_missing_are_what_the_sensor_made(fates, true, modulus):
    sensor = Sensor(130, true=true, modulus=modulus)
    account = StreamAccount(sensor.info, DeviceClock())
    deliveries = disturbed(sensor, fates)
    chunks = play(account, deliveries)
    # Back-dating a segment's first frame at the nominal rate is off by 2 % of a frame at most.
    stream = check(sensor, account, chunks)
    last = max(f.values[-1, 0] for f, _ in deliveries)
    assert account.counters.expected == last + 1
    assert account.counters.missing == account.counters.missing_upper
    doubled = len(deliveries) - len({f.values[0, 0] for f, _ in deliveries})
    assert account.counters.frames + account.counters.duplicates + account.counters.late == len(deliveries)
    assert account.counters.duplicates + account.counters.late >= doubled
    assert account.counters.resets == 0
    assert {s.gap.reason for s in stream.segments if s.gap} <= {GapReason.LINK}


@settings(max_examples=80)
@given(st.lists(FATES, min_size=1, max_size=60), st.data(), st.sampled_from([0, 65536]))
def test_frames_of_any_size_stay_within_the_stated_bounds(fates, data, modulus):
    fates = ["keep", "keep", *fates]
    sizes = [7, 9, *data.draw(st.lists(st.integers(1, 40), min_size=len(fates) - 2, max_size=len(fates) - 2))]
    sensor = Sensor(64, kind="ppg", modulus=modulus)
    account = StreamAccount(sensor.info, DeviceClock())
    deliveries = disturbed(sensor, fates, sizes)
    check(sensor, account, play(account, deliveries))
    last = max(f.values[-1, 0] for f, _ in deliveries)
    assert account.counters.expected <= last + 1 <= account.counters.received + account.counters.missing_upper


@settings(max_examples=60)
@given(st.lists(FATES, min_size=1, max_size=60))
def test_a_sequence_number_alone_decides_exactly(fates):
    sensor = Sensor(4, kind="eda", size=8, modulus=256, stamped=False)
    account = StreamAccount(sensor.info, DeviceClock())
    deliveries = disturbed(sensor, fates)
    check(sensor, account, play(account, deliveries), within=2.5)
    assert account.counters.expected == max(f.values[-1, 0] for f, _ in deliveries) + 1
    assert account.counters.missing == account.counters.missing_upper


def test_a_lost_frame_is_never_smeared_over_the_next():
    sensor = Sensor(130)
    account = StreamAccount(sensor.info, DeviceClock())
    frames = [sensor.frame() for _ in range(12)]
    chunks = play(account, frames[:5] + frames[6:])
    broken = next(c for c in chunks if c.gap)
    assert (broken.gap.samples, broken.gap.upper, broken.gap.reason) == (73, 73, GapReason.LINK)
    assert broken.segment == 1
    steps = np.diff(broken.time.device_times(0, 73))
    assert np.all(np.abs(steps - NS / 130) < 2)


def test_the_true_rate_shows_in_the_device_times():
    sensor = Sensor(130, true=1.02)
    account = StreamAccount(sensor.info, DeviceClock())
    chunks = play(account, [sensor.frame() for _ in range(20)])
    assert account.counters.gaps == 0
    later = chunks[10]
    steps = np.diff(later.time.device_times(later.start, later.stop))
    assert np.all(np.abs(steps - NS / (130 * 1.02)) < 2)
    assert later.time.index.tolist() == [later.start - 1, later.stop - 1]


@pytest.mark.parametrize("true", [1.0, 0.985, 1.013])
def test_ten_seconds_away_are_counted_exactly(true):
    sensor = Sensor(130, true=true)
    account = StreamAccount(sensor.info, DeviceClock())
    chunks = play(account, [sensor.frame() for _ in range(60)])
    account.interrupt(GapReason.DISCONNECT)
    account.interrupt(GapReason.STALL)
    sensor.frame(1307)
    chunks += play(account, [sensor.frame() for _ in range(10)])
    check(sensor, account, chunks)
    gap = chunks[60].gap
    assert (gap.samples, gap.upper, gap.reason) == (1307, 1307, GapReason.DISCONNECT)


def test_hours_away_are_counted_within_what_the_crystal_allows():
    sensor = Sensor(130, true=1.01)
    account = StreamAccount(sensor.info, DeviceClock())
    chunks = play(account, [sensor.frame() for _ in range(200)])
    account.interrupt(GapReason.DISCONNECT)
    sensor.frame(130 * 7200)
    chunks += play(account, [sensor.frame() for _ in range(10)])
    gap = chunks[200].gap
    assert gap.samples <= 130 * 7200 <= gap.upper
    assert 0 < gap.upper - gap.samples < 200


def test_a_stall_starts_a_segment_even_if_nothing_was_lost():
    sensor = Sensor(130)
    account = StreamAccount(sensor.info, DeviceClock())
    account.interrupt(GapReason.STALL)  # before the first frame: nothing to break
    chunks = play(account, [sensor.frame() for _ in range(5)])
    account.interrupt(GapReason.STALL)
    chunks += play(account, [sensor.frame() for _ in range(5)])
    assert [c.segment for c in chunks] == [0] * 5 + [1] * 5
    assert chunks[0].gap is None
    assert (chunks[5].gap.samples, chunks[5].gap.upper, chunks[5].gap.reason) == (0, 0, GapReason.STALL)
    check(sensor, account, chunks)


@pytest.mark.parametrize("boot", [599_616_000 * NS - 7 * 86400 * NS, BOOT - 10 * NS, BOOT + 3600 * NS])
def test_a_clock_that_jumps_starts_a_segment_with_bounds(boot):
    clock = DeviceClock()
    sensor = Sensor(130)
    account = StreamAccount(sensor.info, clock)
    chunks = play(account, [sensor.frame() for _ in range(150)])
    sensor.boot = boot
    account.interrupt(GapReason.DISCONNECT)
    sensor.frame(1000)
    chunks += play(account, [sensor.frame() for _ in range(20)])
    gap = chunks[150].gap
    assert gap.reason is GapReason.RESTART
    assert gap.samples == 0
    assert 1000 <= gap.upper < 1300
    assert account.counters.resets == clock.epoch == 1
    check(sensor, account, chunks, within=0.06)


def test_a_clock_that_steps_back_a_little_is_told_from_a_straggler():
    sensor = Sensor(130)
    account = StreamAccount(sensor.info, DeviceClock())
    chunks = play(account, [sensor.frame() for _ in range(60)])
    sensor.boot -= 4 * NS
    chunks += play(account, [sensor.frame() for _ in range(20)])
    # Two frames were taken for stragglers before the third made it plain.
    assert account.counters.late == 2
    assert account.counters.resets == 1
    gap = next(c.gap for c in chunks if c.gap)
    assert gap.reason is GapReason.RESTART
    assert gap.samples <= 146 <= gap.upper
    check(sensor, account, chunks)


def test_a_reset_seen_by_one_stream_breaks_the_others_too():
    clock = DeviceClock()
    ecg, acc = Sensor(130), Sensor(50, kind="acc", size=36)
    accounts = {s: StreamAccount(s.info, clock) for s in (ecg, acc)}
    chunks = {ecg: [], acc: []}
    for i in range(120):
        if i == 80:
            ecg.boot = acc.boot = BOOT - 90 * 86400 * NS
        for s in (ecg, acc):
            chunks[s] += play(accounts[s], [s.frame()])
    for s in (ecg, acc):
        assert [c.gap.reason for c in chunks[s] if c.gap] == [GapReason.RESTART]
    assert sum(a.counters.resets for a in accounts.values()) == 1


def test_a_link_that_holds_frames_for_half_a_minute_is_no_reset():
    held = []
    sensor = Sensor(130, delay=lambda: held.pop(0) if held else DELAY)
    account = StreamAccount(sensor.info, DeviceClock())
    chunks = play(account, [sensor.frame() for _ in range(150)])
    held = [round((40 - k * 73 / 130) * NS) for k in range(71)]
    chunks += play(account, [sensor.frame() for _ in range(150)])
    assert account.counters.resets == account.counters.gaps == 0
    check(sensor, account, chunks)


@pytest.mark.parametrize("reason", [GapReason.CORRUPT, GapReason.OVERFLOW])
def test_blame_names_the_loss_but_makes_none(reason):
    sensor = Sensor(130)
    account = StreamAccount(sensor.info, DeviceClock())
    play(account, [sensor.frame() for _ in range(5)])
    account.blame(reason)
    assert play(account, [sensor.frame()])[0].gap is None
    sensor.frame()
    account.blame(reason)
    assert play(account, [sensor.frame()])[0].gap.reason is reason


def test_an_outage_longer_than_the_sequence_wraps_is_still_exact_where_time_decides():
    sensor = Sensor(64, kind="ppg", size=16, modulus=256, stamped=False)
    account = StreamAccount(sensor.info, DeviceClock())
    chunks = play(account, [sensor.frame() for _ in range(100)])
    account.interrupt(GapReason.DISCONNECT)
    for _ in range(700):
        sensor.frame()
    chunks += play(account, [sensor.frame() for _ in range(5)])
    gap = chunks[100].gap
    assert (gap.samples, gap.upper) == (700 * 16, 700 * 16)


def test_a_count_that_starts_anew_gives_bounds():
    sensor = Sensor(64, kind="ppg", size=16, modulus=256, stamped=False)
    account = StreamAccount(sensor.info, DeviceClock())
    chunks = play(account, [sensor.frame() for _ in range(100)])
    sensor.frame(640)
    sensor.number = 0
    account.interrupt(GapReason.DISCONNECT)
    chunks += play(account, [sensor.frame() for _ in range(5)])
    gap = chunks[100].gap
    assert gap.samples <= 640 <= gap.upper
    assert account.counters.resets == 1


def test_frames_that_say_nothing_get_bounds_from_an_outage():
    sensor = Sensor(32, kind="acc", size=16, stamped=False, true=1.01)
    account = StreamAccount(sensor.info, DeviceClock())
    chunks = play(account, [sensor.frame() for _ in range(100)])
    account.interrupt(GapReason.DISCONNECT)
    sensor.frame(320)
    chunks += play(account, [sensor.frame() for _ in range(100)])
    assert account.counters.gaps == 1
    gap = chunks[100].gap
    assert 200 < gap.samples <= 320 <= gap.upper < 400
    check(sensor, account, chunks, within=0.6)


def strap(seed, beats, drop=()):
    """Notifications of a strap, one a second: (last beat's true time, intervals), with random radio delay."""
    rng = np.random.default_rng(seed)
    smooth = 0.85 + np.cumsum(rng.normal(0, 0.01, beats)) * 0.2
    rr = np.round(np.clip(smooth + rng.normal(0, 0.02, beats), 0.5, 1.3) * 1024) / 1024
    at = np.cumsum(rr)
    out = []
    for second in range(1, math.floor(at[-1])):
        inside = (at > second - 1) & (at <= second)
        if inside.any() and second not in drop:
            out.append((at[inside], rr[inside], second + 0.01 + rng.uniform(0, 0.03)))
    return out


def test_beats_are_placed_by_their_intervals_and_reconciled_with_arrival():
    info = StreamInfo("strap.rr", spec("rr", None))
    account = StreamAccount(info, DeviceClock())
    truth, chunks = [], []
    for at, rr, arrival in strap(1, 400):
        truth += at.tolist()
        chunks.append(account.push(Frame("rr", rr[:, None]), EPOCH + round(arrival * NS)))
    stream = Stream.from_chunks(info, chunks)
    assert len(stream.segments) == 1
    t = stream.segments[0].time.times(0, len(truth))
    error = (t - EPOCH) / NS - np.array(truth)
    assert np.abs(error - np.median(error))[60:].max() < 0.15
    assert np.all(np.diff(t) > 0)
    device = np.diff(stream.segments[0].time.device_times(0, len(truth))) / NS
    assert np.abs(device - stream.segments[0].values[1:, 0]).max() < 1e-6
    assert stream.segments[0].time.unc_ns.min() > 0.2 * NS


def test_beats_that_never_came_are_noticed_and_bounded():
    info = StreamInfo("strap.rr", spec("rr", None))
    account = StreamAccount(info, DeviceClock())
    lost = 0
    for _, rr, arrival in strap(2, 400):
        if 100 <= arrival < 104:
            lost += len(rr)
            continue
        account.push(Frame("rr", rr[:, None]), EPOCH + round(arrival * NS))
    assert lost >= 3
    assert account.counters.gaps == 1
    assert account.counters.missing <= lost <= account.counters.missing_upper
    assert account.counters.missing >= 1


def test_heart_rate_is_placed_at_its_arrival():
    info = StreamInfo("strap.heart_rate", spec("heart_rate", None))
    account = StreamAccount(info, DeviceClock())
    arrivals = [EPOCH + k * NS + (k % 3) * 7 for k in range(5)]
    chunks = [account.push(Frame("heart_rate", np.array([[60.0 + k]])), a) for k, a in enumerate(arrivals)]
    assert [c.start_ns for c in chunks] == arrivals
    account.interrupt(GapReason.DISCONNECT)
    chunk = account.push(Frame("heart_rate", np.array([[70.0]])), EPOCH + 20 * NS)
    assert chunk.segment == 1
    assert chunk.gap.samples == 0
    assert chunk.gap.upper >= 14
    # An arrival clock that does not advance still gives times that do.
    assert account.push(Frame("heart_rate", np.array([[70.0]])), EPOCH).start_ns > chunk.start_ns


def test_empty_frames_change_nothing():
    sensor = Sensor(130)
    account = StreamAccount(sensor.info, DeviceClock())
    assert account.stop_ns is None
    assert account.push(Frame("ecg", np.empty((0, 1)), 5), 5) is None
    assert account.counters.frames == 0
    chunk = account.push(*sensor.frame())
    assert account.stop_ns == chunk.stop_ns
    assert Fraction(130) == chunk.time.rate


def test_a_radio_that_lagged_for_minutes_and_caught_up_has_lost_nothing():
    lag = [0.0]
    sensor = Sensor(130, delay=lambda: DELAY + round(lag[0] * NS))
    account = StreamAccount(sensor.info, DeviceClock())
    chunks = play(account, [sensor.frame() for _ in range(150)])
    lag[0] = 40.0
    chunks += play(account, [sensor.frame() for _ in range(600)])
    lag[0] = 0.0
    chunks += play(account, [sensor.frame() for _ in range(150)])
    assert account.counters.gaps == account.counters.resets == 0
    assert {c.segment for c in chunks} == {0}


def test_a_device_that_was_restarted_while_away_is_not_taken_at_its_word():
    sensor = Sensor(130)
    account = StreamAccount(sensor.info, DeviceClock())
    play(account, [sensor.frame() for _ in range(150)])
    account.interrupt(GapReason.DISCONNECT)
    # Two hours later its clock shows ten minutes more than before: it has been off in between.
    sensor.frame(130 * 7200)
    sensor.boot -= 6600 * NS
    gap = play(account, [sensor.frame()])[0].gap
    assert gap.reason is GapReason.RESTART
    assert gap.samples == 0
    assert gap.upper >= 130 * 7200
