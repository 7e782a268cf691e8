"""Labels: manifests, the data set's table, trimming, purity, the first rest."""

from pathlib import Path

import pytest

from feltsense.core.recording import Recording, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS
from feltsense.core.window import Window
from feltsense.datasets import stress_predict
from feltsense.datasets.labelled import Interval, Labelled, Mark, read_manifest
from feltsense.errors import LabelError
from feltsense.train import examples

T0 = 1_700_000_000 * NS


def recording(seconds):
    from fractions import Fraction

    import numpy as np

    from feltsense.core.chunk import StreamInfo
    from feltsense.core.recording import Segment
    from feltsense.core.timeline import TimeMap

    info = StreamInfo("a.eda", spec("eda", 4))
    return Recording("A", {"a.eda": Stream(info, (Segment(np.ones((4 * seconds, 1)), TimeMap.uniform(T0, Fraction(4))),))})


def placed(*marks, seconds=100):
    notes = []
    return Labelled("A", Path("x"), marks, "t.csv").intervals(recording(seconds), notes.append), notes


def test_labels_up_to_a_minute_beyond_are_trimmed_and_told():
    (interval,), notes = placed(Mark("rest", 10.0, 160.0))
    assert interval == Interval(T0 + 10 * NS, T0 + 100 * NS, "rest")
    assert len(notes) == 1
    assert "60.0 s past" in notes[0]
    (interval,), notes = placed(Mark("rest", 1_700_000_000.0 - 5, 1_700_000_000.0 + 50, unix=True))
    assert interval.start_ns == T0
    assert notes


def test_further_out_is_an_error():
    with pytest.raises(LabelError, match=r"t\.csv: label 'rest' of A lies 61 s outside"):
        placed(Mark("rest", 10.0, 161.0))


def test_whole_recording_and_overlap():
    (interval,), notes = placed(Mark("calm"))
    assert (interval.start_ns, interval.stop_ns) == (T0, T0 + 100 * NS)
    assert not notes
    with pytest.raises(LabelError, match=r"overlap at 50\.0 s"):
        placed(Mark("rest", 0.0, 60.0), Mark("stress", 50.0, 90.0))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "column path, subject, label missing"),
        ("path,subject\na,b\n", "column label missing"),
        ("path,subject,label\n", "no rows"),
        ("path,subject,label\na,,rest\n", "line 2: path, subject and label"),
        ("path,subject,label,start_s,end_s\na,b,rest,5,4\n", "line 2: end_s 4 is not after"),
        ("path,subject,label,start_s,end_s\na,b,rest,x,4\n", "line 2: column start_s"),
        ("path,subject,label,start_s,end_s\na,b,rest,nan,4\n", "line 2: column start_s"),
    ],
)
def test_bad_manifests_name_line_and_column(tmp_path, text, why):
    path = tmp_path / "m.csv"
    path.write_text(text)
    with pytest.raises(LabelError, match=why):
        read_manifest(path)


def test_a_manifest_joins_the_rows_of_a_recording(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("path,subject,label,start_s,end_s\na.felt,A,rest,0,60\nb.felt,B,rest,,\na.felt,A,stress,60,120\n")
    a, b = read_manifest(path)
    assert (a.subject, a.path, len(a.marks)) == ("A", tmp_path / "a.felt", 2)
    assert b.marks == (Mark("rest"),)


def test_the_data_sets_table_becomes_runs(tmp_path):
    (tmp_path / "S1").mkdir()
    rows = [("S1", s, "0" if s < 105 else "1") for s in range(100, 110) if s != 102] + [("S9", 5, "0")]
    (tmp_path / "labels.csv").write_text("subject,unix_time_s,label\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    notes = []
    (one,) = stress_predict.read(tmp_path, notes.append)
    assert [(m.label, m.start, m.stop) for m in one.marks] == [
        ("rest", 100.0, 102.0), ("rest", 103.0, 105.0), ("stress", 105.0, 110.0),
    ]
    assert len(notes) == 1
    assert "S9" in notes[0]
    (tmp_path / "labels.csv").write_text("subject,unix_time_s,label\nS1,100,2\n")
    with pytest.raises(LabelError, match="line 2: label '2'"):
        stress_predict.read(tmp_path, notes.append)


def test_a_window_needs_95_percent_of_one_label():
    at = lambda k: Window(0, T0 + k * NS, T0 + (k + 60) * NS)  # noqa: E731
    intervals = [Interval(T0, T0 + 100 * NS, "rest"), Interval(T0 + 100 * NS, T0 + 300 * NS, "stress")]
    labels = [examples._label(at(k), intervals, ("rest", "stress")) for k in (0, 40, 43, 44, 70, 96, 97, 100, 260)]
    assert labels == [0, 0, 0, -1, -1, -1, 1, 1, -1]


def test_the_first_270_seconds_of_rest_in_pieces():
    intervals = [Interval(T0, T0 + 200 * NS, "rest"), Interval(T0 + 200 * NS, T0 + 300 * NS, "stress"),
                 Interval(T0 + 300 * NS, T0 + 900 * NS, "rest")]
    pieces = examples._first_rest(intervals, "rest")
    assert [((r.start_ns - T0) / NS, (r.stop_ns - T0) / NS) for r in pieces] == [(0, 200), (300, 370)]
    assert examples._first_rest(intervals, None) == ()
