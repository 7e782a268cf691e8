"""Windows to pandas and Parquet and back."""

import numpy as np
import pandas as pd
import pytest

from feltsense.datasets.study import Spread, lines
from feltsense.errors import InputError, LeakError, UnknownNameError
from feltsense.train.splits import Cohort
from feltsense.train.tables import from_frame, to_frame, write_table
from feltsense.train.targets import target

STRESS = target("stress", ["rest", "stress"])


@pytest.fixture(scope="module")
def people():
    return [p.line for p in lines(4, STRESS, Spread(missing_stretch=0.3), minutes=30.0)]


@pytest.fixture
def frame(people):
    return to_frame(people, STRESS)


def test_there_and_back(people, frame):
    assert frame.columns[:6].tolist() == ["subject", "recording", "start_s", "end_s", "label", "rest"]
    back = from_frame(frame, STRESS)
    for a, b in zip(people, back, strict=True):
        assert (a.subject, a.path) == (b.subject, b.path)
        for name in ("stop_s", "x", "quality", "y", "resting", "scored"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
        np.testing.assert_allclose(a.rest_mean, b.rest_mean)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_through_a_file(people, frame, tmp_path, kind):
    path = tmp_path / f"t.{kind}"
    write_table(path, people, STRESS)
    read = pd.read_parquet(path) if kind == "parquet" else pd.read_csv(path, float_precision="round_trip")
    back = from_frame(read, STRESS)
    for a, b in zip(people, back, strict=True):
        np.testing.assert_array_equal(a.x, b.x)
        np.testing.assert_array_equal(a.y, b.y)
    with pytest.raises(InputError, match=r"\.parquet or \.csv"):
        write_table(tmp_path / "t.xlsx", people, STRESS)


def test_a_table_of_ones_own(frame):
    few = frame[["subject", "end_s", "label", "rest", "eda.eda_median"]]
    made = from_frame(few, STRESS)
    assert made[0].x.shape == (59, len(made[0].schema.names))
    assert set(np.unique(made[0].quality)) <= {0.0, 1.0}
    Cohort(made)


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        (lambda f: f.drop(columns="label"), InputError, "no column label"),
        (lambda f: f.iloc[:0], InputError, "no rows"),
        (lambda f: f.assign(**{"eda.mood": 1.0}), UnknownNameError, r"eda\.mood"),
        (lambda f: f.assign(end_s=0.0), InputError, "end_s must be seconds that grow"),
        (lambda f: f.assign(label="happy"), InputError, "'happy' is none of rest, stress"),
        (lambda f: f.assign(**{"eda.eda_median": "much"}), InputError, "no number"),
    ],
)
def test_what_is_no_table(frame, change, error, why):
    with pytest.raises(error, match=why):
        from_frame(change(frame), STRESS)


def test_normalised_columns_are_refused(frame):
    column = "ppg.hr"
    each = frame.groupby("subject")[column]
    frame[column] = (frame[column] - each.transform("mean")) / each.transform(lambda x: x.std(ddof=0))
    with pytest.raises(LeakError, match=r"ppg\.hr has mean .* in every recording"):
        Cohort(from_frame(frame, STRESS))
