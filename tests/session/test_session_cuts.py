"""Any cut of a session gives the same windows, features and predictions, bit for bit: gaps, stalls and all."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense import bundle
from feltsense.calibration import calibrate
from feltsense.core.event import Event, EventKind
from feltsense.core.profile import RestInterval
from feltsense.core.timeline import NS
from feltsense.datasets.synthetic import participant
from feltsense.session import Pipeline, Session, extract
from feltsense.testing.strategies import first_seconds, rechunk, with_gap, with_values

WINDOW, HOP = 60.0, 10.0


@pytest.fixture(scope="module")
def calm():
    return participant(seed=4, minutes=6.0)


@pytest.fixture(scope="module")
def eventful(calm):
    """Gaps in two sensors, a run of NaN, and a board that stalled, told by events as the link tells them."""
    hurt = with_gap(calm, "h10.ecg", 100.0, 100.6)
    for stream in ("board.ppg", "board.eda", "board.temp", "board.acc"):
        hurt = with_gap(hurt, stream, 150.0, 190.0)
    hurt = with_values(hurt, "board.eda", 240.0, 244.0, None)
    t0 = hurt.start_ns
    boards = [s for s in hurt.streams if s.startswith("board.")]
    stalls = [Event(t0 + 150 * NS, EventKind.STALLED, text=s) for s in boards]
    return replace(hurt, events=(*hurt.events, *stalls))


def rows(pairs):
    return [(w.start_ns, w.stop_ns, v.values.tobytes(), v.quality.tobytes(), v.reasons, v.quality_reasons) for w, v in pairs]


@pytest.mark.parametrize("cut", [{"seed": 1}, {"seed": 2}, {"sizes": (1, 50, 3)}, {}], ids=str)
@pytest.mark.parametrize("which", ["calm", "eventful"])
def test_windows_and_features_do_not_depend_on_the_cut(which, cut, request):
    recording = request.getfixturevalue(which)
    expected = rows(extract(recording, window=WINDOW, hop=HOP))
    assert len(expected) == (recording.seconds - WINDOW) // HOP + 1
    assert rows(extract(recording, window=WINDOW, hop=HOP, items=rechunk(recording, **cut))) == expected


def test_learning_the_start_from_the_streams_changes_nothing(calm):
    pipeline = Pipeline(calm.infos(), window=WINDOW, hop=HOP)
    got = [p for item in calm.items(0.25) for p in pipeline.push(item)] + pipeline.finish()
    assert rows(got) == rows(extract(calm, window=WINDOW, hop=HOP))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_predictions_do_not_depend_on_the_cut(eventful, seed):
    model = bundle.load(None, runner="numpy")
    profile = calibrate(eventful, [RestInterval.of(eventful.start_ns, 0, 120)], model)

    def run(items):
        session = Session(eventful.infos(), model, profile, HOP, eventful.start_ns)
        return [
            (p.start_ns, p.label, p.reason, dict(p.probabilities), dict(p.contributions), dict(p.logits), p.set, p.quality)
            for p in session.run(items)
        ]

    assert run(rechunk(eventful, seed=seed)) == run(eventful.items())


def test_a_window_waits_for_every_stream_and_no_longer(calm):
    """Nothing is emitted that later samples could change; nothing is held back once all are final."""
    pipeline = Pipeline(calm.infos(), window=WINDOW, hop=HOP)
    reached = dict.fromkeys(calm.streams, calm.start_ns)
    worst = 0.0
    for item in calm.items(0.5):
        if isinstance(item, Event):
            continue
        reached[item.stream.id] = item.stop_ns
        for window, _ in pipeline.push(item):
            assert min(reached.values()) >= window.stop_ns
            worst = max(worst, (min(reached.values()) - window.stop_ns) / NS)
    assert worst < 15.0, "seconds of look-ahead"


def test_a_stream_that_never_comes_holds_nothing_back_once_it_is_said_to_stall(calm):
    short = first_seconds(calm, 100.0)
    pipeline = Pipeline(short.infos(), window=30.0, hop=10.0)
    got = []
    for item in short.items():
        if not isinstance(item, Event) and item.stream.id.startswith("board."):
            continue
        got += pipeline.push(item)
    assert not got, "t0 is not known before every declared stream has come or is said not to"
    for stream in short.streams:
        if stream.startswith("board."):
            got += pipeline.push(Event(short.start_ns, EventKind.STALLED, text=stream))
    assert len(got) >= 5
    assert all(np.isnan(v["eda.scl_mean"]) and not np.isnan(v["ecg.hr"]) for _, v in got[1:])
