"""Labels: manifests, the data set's table, trimming, purity, the first rest."""

from pathlib import Path

import numpy as np
import pytest

from feltsense.core.recording import Recording, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS
from feltsense.core.window import Window
from feltsense.datasets import stress_predict
from feltsense.datasets.labelled import Interval, Labelled, Mark, read_manifest
from feltsense.errors import LabelError
from feltsense.train.labels import classes_of, first_rest, votes

T0 = 1_700_000_000 * NS


def recording(seconds):
    from fractions import Fraction

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
    (one,) = stress_predict.read(tmp_path, "stress", notes.append)
    assert [(m.label, m.start, m.stop) for m in one.marks] == [
        ("rest", 100.0, 102.0), ("rest", 103.0, 105.0), ("stress", 105.0, 110.0),
    ]
    assert len(notes) == 1
    assert "S9" in notes[0]
    (tmp_path / "labels.csv").write_text("subject,unix_time_s,label\nS1,100,2\n")
    with pytest.raises(LabelError, match="line 2: label '2'"):
        stress_predict.read(tmp_path, "stress", notes.append)


def at(k):
    return Window(0, T0 + k * NS, T0 + (k + 60) * NS)


def span(start, stop, label, **who):
    return Interval(T0 + start * NS, T0 + stop * NS, label, **who)


def test_a_window_needs_95_percent_of_one_label():
    intervals = [span(0, 100, "rest"), span(100, 300, "stress")]
    counted, several = votes([at(k) for k in (0, 40, 43, 44, 70, 96, 97, 100, 260)], intervals, ("rest", "stress"))
    assert not several
    assert classes_of(counted).tolist() == [0, 0, 0, -1, -1, -1, 1, 1, -1]


def test_the_first_270_seconds_of_rest_in_pieces():
    intervals = [span(0, 200, "rest"), span(200, 300, "stress"), span(300, 900, "rest")]
    pieces = first_rest(intervals, "rest", 270.0)
    assert [((r.start_ns - T0) / NS, (r.stop_ns - T0) / NS) for r in pieces] == [(0, 200), (300, 370)]
    assert first_rest(intervals, None, 270.0) == ()


def test_several_raters_vote_and_a_tie_is_no_label():
    intervals = [
        span(0, 300, "rest", rater="a"), span(0, 150, "rest", rater="b"), span(150, 300, "stress", rater="b"),
        span(100, 300, "stress", rater="c"),
    ]
    counted, several = votes([at(0), at(60), at(200)], intervals, ("rest", "stress"))
    assert several
    assert counted.tolist() == [[2, 0], [2, 0], [1, 2]]
    assert classes_of(counted).tolist() == [0, 0, 1]
    assert classes_of(np.array([[1.0, 1.0], [np.nan, np.nan], [0.3, 0.7]])).tolist() == [-1, -1, 1]
    # Rest that calibrates is rest in everybody's opinion.
    agreed = first_rest(intervals[:3], "rest", 270.0)
    assert [((r.start_ns - T0) / NS, (r.stop_ns - T0) / NS) for r in agreed] == [(0, 150)]


def test_soft_labels_keep_their_shares():
    soft = [span(0, 200, "rest", share=0.3), span(0, 200, "stress", share=0.7)]
    counted, several = votes([at(0), at(180)], soft, ("rest", "stress"))
    assert several
    np.testing.assert_allclose(counted, [[0.3, 0.7], [np.nan, np.nan]])
    assert classes_of(counted).tolist() == [1, -1]
    assert first_rest(soft, "rest", 270.0) == ()


def test_manifests_with_raters_shares_and_groups(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(
        "path,subject,label,start_s,end_s,rater,share,sex,age\n"
        "a.felt,A,rest,0,60,r1,,f,30-39\na.felt,A,stress,0,60,r2,0.5,f,30-39\n"
    )
    (a,) = read_manifest(path)
    assert a.marks == (Mark("rest", 0.0, 60.0, rater="r1"), Mark("stress", 0.0, 60.0, rater="r2", share=0.5))
    assert dict(a.about) == {"sex": "f", "age": "30-39"}
    path.write_text("path,subject,label,share\na.felt,A,rest,1.5\n")
    with pytest.raises(LabelError, match="line 2: column share"):
        read_manifest(path)
