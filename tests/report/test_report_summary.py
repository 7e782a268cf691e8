"""The data behind a report: every number again, from the recording itself."""

import math
from dataclasses import replace

import numpy as np
import pytest
from report_cases import REST_S, T0, predictions, profile, recording, stream, vectors

from feltsense.core.chunk import Gap, GapReason
from feltsense.core.event import Event, EventKind
from feltsense.core.moments import Moments
from feltsense.core.profile import RestInterval, UserProfile
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import NS
from feltsense.errors import RecordingError
from feltsense.report import summarise
from feltsense.report.figures import THIN


@pytest.fixture(scope="module")
def summary():
    return summarise(recording(), predictions(), profile(), vectors=vectors())


def test_account_is_the_recordings(summary):
    rec = recording()
    for line in summary.streams:
        account = rec.account()[line.id]
        assert (line.received, line.missing) == (account.received, account.missing)
        assert line.missing_upper == account.missing_upper
        assert len(line.gaps) == account.gaps
        finite = sum(int(np.isfinite(s.values).all(axis=1).sum()) for s in rec.streams[line.id].segments)
        assert line.coverage == pytest.approx(finite / (14 * 60 * line.rate), abs=1e-4)


def test_each_gap_says_when_how_long_and_why(summary):
    lost, away = summary.gaps
    assert (lost.stream, lost.reason, lost.samples, lost.upper) == ("h10.ecg", "link", 73, 146)
    assert lost.start_s == pytest.approx(300, abs=1e-6)
    assert lost.seconds == pytest.approx(73 / 130, abs=1e-6)
    assert (away.reason, away.samples) == ("disconnect", 1300)
    assert (away.start_s, away.stop_s) == pytest.approx((500, 510), abs=0.01)


def test_a_stream_that_began_late_and_stopped_early_is_not_fully_covered(summary):
    temperature = next(s for s in summary.streams if s.id == "board.temp")
    assert temperature.missing == 0
    assert temperature.coverage == pytest.approx((840 - 62) / 840, abs=1e-4)


def test_a_missing_sample_is_not_a_reading():
    rec = recording()
    values = rec.streams["board.eda"].segments[0].values.copy()
    values[100:140] = np.nan
    old = rec.streams["board.eda"].segments[0]
    segment = Segment(values, old.time, old.gap, old.number)
    eda = Stream(rec.streams["board.eda"].info, (segment,))
    rec = Recording("P", {**rec.streams, "board.eda": eda})
    line = next(s for s in summarise(rec, vectors=vectors()).streams if s.id == "board.eda")
    assert line.unreadable == 40
    assert line.received == len(values)


def test_numbers_are_medians_at_rest_and_afterwards(summary):
    windows = vectors()
    for figure in summary.figures:
        rest = [v[figure.feature] for w, v in windows if w.stop_ns <= T0 + REST_S * NS]
        after = [v[figure.feature] for w, v in windows if w.start_ns >= T0 + REST_S * NS]
        assert (figure.rest.windows, figure.after.windows) == (len(rest), len(after))
        assert figure.rest.median == pytest.approx(np.nanmedian(rest), rel=1e-12)
        assert figure.after.median == pytest.approx(np.nanmedian(after), rel=1e-12)
        assert (figure.rest.low, figure.rest.high) == pytest.approx(np.nanpercentile(rest, (10, 90)), rel=1e-12)
        assert figure.change == pytest.approx(np.nanmedian(after) - np.nanmedian(rest), rel=1e-12)
        assert figure.after.usable == np.isfinite(after).sum()
        assert figure.thin == (np.isfinite(after).mean() < THIN)
    assert [f.feature for f in summary.figures] == [
        "ecg.hr", "ecg.rmssd", "eda.scl_mean", "eda.scr_rate_05", "skin_temperature.mean",
    ]


def test_windows_across_the_border_of_the_rest_are_in_neither(summary):
    crossing = [w for w, _ in vectors() if w.start_ns < T0 + REST_S * NS < w.stop_ns]
    assert crossing
    hr = summary.figures[0]
    assert hr.rest.windows + hr.after.windows + len(crossing) == len(vectors())


def test_estimates_are_counted_once_each(summary):
    e = summary.estimate
    given = predictions()
    outside = [p for p in given if p.reason != "calibration"]
    assert (e.target, e.about) == ("stress", "stress")
    assert e.outside == len(outside)
    assert e.calibration == len(given) - len(outside)
    assert dict(e.labels) == {c: sum(p.label == c for p in outside) for c in ("rest", "stress")}
    assert sum(n for _, n in e.silent) + e.decided == e.outside
    assert dict(e.silent) == {"ecg:gap eda:no_signal": sum(p.abstained for p in outside)}
    assert e.open == sum(len(p.set) == 2 for p in outside if not p.abstained) > 0
    assert [p.probability for p in e.points if math.isfinite(p.probability)] == [
        p.probabilities["stress"] for p in given if p.probabilities
    ]


def test_a_silent_window_in_the_calibration_interval_counts_as_calibration():
    given = predictions()
    first = replace(given[3], reason="ecg:gap eda:gap", probabilities={}, set=())
    e = summarise(recording(), [*given[:3], first, *given[4:]], profile(), vectors=vectors()).estimate
    assert e.calibration == sum(p.reason == "calibration" for p in given)
    assert dict(e.silent) == {"ecg:gap eda:no_signal": 4}


def test_drivers_are_mean_contributions_where_it_decided(summary):
    decided = [p for p in predictions() if p.label == "stress" and p.reason != "calibration"]
    for name, value in summary.estimate.drivers:
        assert value == pytest.approx(np.mean([p.contributions[name] for p in decided]))


def test_without_a_profile_the_recordings_own_calibration_event_tells_the_rest():
    rec = recording()
    told = Event(T0, EventKind.CALIBRATION, REST_S)
    with_event = Recording(rec.subject, rec.streams, (*rec.events, told))
    assert summarise(with_event, vectors=vectors()).rests == ((0.0, REST_S),)
    bare = summarise(rec, vectors=vectors())
    assert bare.rests == ()
    assert bare.calibration.startswith("Not calibrated")
    assert bare.figures[0].baseline == ""
    assert math.isnan(bare.figures[0].change)
    assert bare.figures[0].after.windows == len(vectors())
    assert bare.estimate is None


def test_a_baseline_from_another_day_is_used_and_said_to_be_so():
    moments = Moments()
    for v in (60.0, 62.0, 64.0):
        moments = moments.update(v)
    earlier = UserProfile("P-0042", {"ecg.hr": moments}, (RestInterval(T0 - 86400 * NS, T0 - 86100 * NS),))
    s = summarise(recording(), (), earlier, vectors=vectors())
    hr = s.figures[0]
    assert (hr.baseline, hr.rest.median, hr.rest.low) == ("profile", 62.0, 60.0)
    assert any("another recording" in n for n in s.notices)
    assert s.figures[2].baseline == ""


def test_another_persons_profile_is_announced():
    s = summarise(recording(), (), profile("P-0007"), vectors=vectors())
    assert any("P-0007" in n and "P-0042" in n for n in s.notices)


def test_empty_recording_is_refused():
    with pytest.raises(RecordingError, match="no samples"):
        summarise(Recording("P", {}))


def test_a_recording_of_gaps_is_an_account_of_gaps():
    away = Gap(10, 12, GapReason.STALL)
    pieces = [(0, 1, away), *((k * 3.0, k * 3.0 + 0.5, away) for k in range(1, 30))]
    rec = Recording("P", {"board.eda": stream("board.eda", "eda", 4, pieces)})
    s = summarise(rec)
    assert len(s.gaps) == 30
    assert s.figures == () or all(f.after.windows >= f.after.usable for f in s.figures)
    assert s.streams[0].missing == 300


def test_a_segment_that_lost_all_its_samples_still_has_its_gap():
    info = recording().streams["board.eda"].info
    time = recording().streams["board.eda"].segments[0].time
    empty = Segment(np.empty((0, 1)), time, Gap(5, 7, GapReason.CORRUPT), 0)
    full = stream("board.eda", "eda", 4, [(4, 20, Gap(3, 3, GapReason.LINK))]).segments[0]
    s = summarise(Recording("P", {"board.eda": Stream(info, (empty, full))}))
    assert [(g.samples, g.reason) for g in s.gaps] == [(5, "corrupt"), (3, "link")]
    assert s.streams[0].missing == 8
    assert len(s.streams[0].spans) == 1
