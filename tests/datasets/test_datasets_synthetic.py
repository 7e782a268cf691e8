"""Synthetic participants are plausible people, the same for the same seed, and their truth is true."""

import numpy as np
import pytest
from scipy.signal import find_peaks

from feltsense.core.event import EventKind
from feltsense.core.signals import CATALOGUE
from feltsense.datasets.synthetic import START_NS, STREAMS, participant, simulate
from feltsense.errors import InputError

SEEDS = range(8)


@pytest.fixture(scope="module")
def people():
    return [simulate(seed) for seed in SEEDS]


def values(recording, stream):
    return recording.stream(stream).segments[0].values


def inside(times, phase):
    return times[(times >= phase.start_s) & (times < phase.stop_s)]


def test_same_arguments_give_the_same_bytes_and_another_seed_another_person():
    a, b, c = simulate(3), simulate(3), simulate(4)
    for info in STREAMS:
        assert values(a.recording, info.id).tobytes() == values(b.recording, info.id).tobytes()
        assert values(a.recording, info.id).tobytes() != values(c.recording, info.id).tobytes()
    assert a.truth.traits == b.truth.traits != c.truth.traits
    assert a.recording.events == b.recording.events


def test_streams_have_the_catalogues_units_their_devices_steps_and_no_gaps(people):
    steps = {"ecg": 0.001, "acc": 0.001, "skin_temperature": 0.01, "eda": 0.001, "ppg": 1.0}
    for p in people:
        assert set(p.recording.streams) == {s.id for s in STREAMS}
        assert p.recording.seconds == pytest.approx(840.0)
        for info in STREAMS:
            stream = p.recording.stream(info.id)
            x = stream.segments[0].values
            assert len(stream.segments) == 1
            assert len(x) == int(840 * info.spec.rate)
            assert np.isfinite(x).all()
            kind = CATALOGUE[info.spec.name]
            assert kind.low <= x.min()
            assert x.max() <= kind.high
            steps_off_grid = np.abs(x / steps[info.spec.name] - np.rint(x / steps[info.spec.name]))
            assert steps_off_grid.max() < 1e-6


def test_hearts_beat_as_hearts_do(people):
    for p in people:
        rest, stress, _ = p.truth.phases
        rr_rest, rr_stress = (np.diff(inside(p.truth.beat_s, ph)) for ph in (rest, stress))
        assert 50 < 60 / rr_rest.mean() < 90
        assert 4 < 60 / rr_stress.mean() - 60 / rr_rest.mean() < 30
        rmssd_rest, rmssd_stress = (1000 * np.sqrt(np.mean(np.diff(r) ** 2)) for r in (rr_rest, rr_stress))
        assert 8 < rmssd_rest < 110
        assert rmssd_stress < rmssd_rest
        assert (np.diff(p.truth.pulse_s) > 0.25).all()


def test_the_r_wave_is_where_the_truth_says(people):
    for p in people[:3]:
        x = values(p.recording, "h10.ecg")[:, 0]
        peaks, _ = find_peaks(x, height=0.6 * p.truth.traits.r_wave, distance=40)
        beats = p.truth.beat_s[(p.truth.beat_s > 1) & (p.truth.beat_s < 839)]
        nearest = np.abs(beats[:, None] - peaks[None, :] / 130).min(axis=1)
        assert np.mean(nearest <= 1.5 / 130) > 0.995


def test_the_pulse_follows_its_beat(people):
    p = people[0]
    x = values(p.recording, "board.ppg")[:, 0]
    peaks = find_peaks(x, prominence=0.4 * p.truth.traits.pulse, distance=25)[0] / 64
    feet = p.truth.pulse_s[(p.truth.pulse_s > 1) & (p.truth.pulse_s < 838)]
    delay = peaks[np.searchsorted(peaks, feet)] - feet
    assert np.mean((delay > 0.05) & (delay < 0.25)) > 0.95


def test_skin_sweats_more_under_stress_and_cools(people):
    for p in people:
        rest, stress, _ = p.truth.phases
        per_minute = [60 * len(inside(p.truth.scr_onset_s, ph)) / (ph.stop_s - ph.start_s) for ph in (rest, stress)]
        assert 0 < per_minute[0] < 7
        assert per_minute[0] + 3 < per_minute[1] < 25
        assert (p.truth.scr_amplitude > 0).all()
        eda = values(p.recording, "board.eda")[:, 0]
        assert eda[4 * 420 : 4 * 600].mean() > eda[4 * 120 : 4 * 360].mean()
        temperature = values(p.recording, "board.temp")[:, 0]
        assert 29 < temperature.mean() < 36
        # From where stress began to where it ended, the warming under the strap taken apart by its known course.
        warming = 0.6 * (np.exp(-360 / 300) - np.exp(-600 / 300))
        fall = temperature[4 * 355 : 4 * 365].mean() + warming - temperature[4 * 595 : 4 * 605].mean()
        assert fall > 0.3 * p.truth.traits.temperature_fall - 0.2


def test_a_response_in_the_signal_for_each_in_the_truth(people):
    p = people[3]
    x = values(p.recording, "board.eda")[:, 0]
    onsets, sizes = p.truth.scr_onset_s, p.truth.scr_amplitude
    alone = np.flatnonzero((np.diff(onsets, prepend=-99) > 12) & (np.diff(onsets, append=9999) > 8) & (onsets < 820))
    assert len(alone) >= 5
    for k in alone:
        i = round(onsets[k] * 4)
        rise = x[i : i + 20].max() - x[i]
        assert rise == pytest.approx(sizes[k], rel=0.25, abs=0.05)


def test_gravity_is_one_g_and_movement_is_rare(people):
    for p in people:
        for stream in ("board.acc", "h10.acc"):
            magnitude = np.linalg.norm(values(p.recording, stream), axis=1)
            assert np.median(magnitude) == pytest.approx(1.0, abs=0.02)
        assert np.mean(np.abs(np.linalg.norm(values(p.recording, "board.acc"), axis=1) - 1) < 0.02) > 0.7


def test_labels_say_what_the_truth_says():
    p = simulate(1, minutes=10.0)
    labels = [e for e in p.recording.events if e.kind is EventKind.LABEL]
    assert [e.text for e in labels] == ["rest", "stress", "recovery"]
    assert labels[0].value >= 300
    for event, phase in zip(labels, p.truth.phases, strict=True):
        assert event.t_ns == START_NS + round(phase.start_s * 1e9)
        assert event.value == pytest.approx(phase.stop_s - phase.start_s)
    assert p.truth.state_at(10.0) == "rest"
    assert p.truth.state_at(-1.0) == ""


def test_another_protocol_and_beats_as_events():
    p = simulate(2, protocol=[("rest", 60), ("stress", 45), ("rest", 30)], beats=True, start_ns=5_000_000_000)
    assert p.recording.start_ns == 5_000_000_000
    assert p.recording.seconds == pytest.approx(135)
    beats = [e.t_ns for e in p.recording.events if e.kind is EventKind.BEAT]
    assert np.allclose((np.array(beats) - 5e9) / 1e9, p.truth.beat_s, atol=1e-8)
    assert p.truth.course.arousal[1000] > 0.8 > 0.3 > p.truth.course.arousal[550]


def test_a_person_whom_nothing_moves_is_a_control():
    p = simulate(5, reactivity=0.0)
    rest, stress, _ = p.truth.phases
    rates = [60 / np.diff(inside(p.truth.beat_s, ph)).mean() for ph in (rest, stress)]
    assert abs(rates[1] - rates[0]) < 4
    assert len(inside(p.truth.scr_onset_s, stress)) < 5 * 4


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"minutes": 5.0}, "phase"),
        ({"minutes": float("nan")}, "phase"),
        ({"protocol": [("joy", 60)]}, "joy"),
        ({"protocol": []}, "no phase"),
        ({"reactivity": -1.0}, "reactivity"),
    ],
)
def test_what_cannot_be_made_is_said(arguments, word):
    with pytest.raises(InputError, match=word):
        participant(1, **arguments)
    with pytest.raises(InputError, match="seed"):
        participant(-1)
