"""A baseline adds and subtracts exactly; a profile survives JSON and refuses what it cannot read."""

import json
import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feltsense.core.moments import Moments
from feltsense.core.profile import RestInterval, UserProfile
from feltsense.core.vector import FeatureSchema, FeatureSpec, FeatureVector, Reason
from feltsense.errors import ProfileError, SchemaError

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=30)


def moments(values):
    m = Moments()
    for v in values:
        m = m.update(v)
    return m


@given(VALUES, VALUES, VALUES)
def test_merge_is_associative_and_commutative_exactly(a, b, c):
    x, y, z = moments(a), moments(b), moments(c)
    assert x.merge(y).merge(z) == x.merge(y.merge(z)) == moments([*c, *a, *b])


@given(VALUES, st.floats(allow_infinity=True, allow_nan=True, width=32))
def test_revert_undoes_update_exactly(values, x):
    m = moments(values)
    assert m.update(x).revert(x) == m


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=50))
def test_mean_and_sd_are_those_of_the_textbook(values):
    m = moments(values)
    assert m.mean == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert m.sd == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-6)


def test_a_large_offset_does_not_cancel_the_spread():
    values = [1e6 + 0.001 * i for i in range(100)]
    assert moments(values).sd == pytest.approx(statistics.stdev(values), rel=1e-5)


def test_nothing_has_no_mean():
    assert math.isnan(Moments().mean)
    assert math.isnan(moments([1.0]).sd)
    assert Moments().update(math.nan) == Moments()


SCHEMA = FeatureSchema([("eda", (FeatureSpec("scl", "uS", "mean", "x"), FeatureSpec("scr", "1", "count", "x")))])


def vector(scl, scr):
    values = np.array([scl, scr])
    return FeatureVector(
        SCHEMA, values, tuple(Reason.OK if np.isfinite(v) else Reason.GAP for v in values), np.array([1.0]), (Reason.OK,)
    )


PROFILE = UserProfile("P01", intervals=(RestInterval(10, 20),), schema_digest=SCHEMA.digest, lineage=("made",))


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 30)), max_size=10), st.floats(0, 60))
def test_profile_round_trip_revert_and_merge(rows, scl):
    profile = PROFILE
    for row in rows:
        profile = profile.update(vector(*row))
    assert UserProfile.from_json(profile.to_json()) == profile
    assert profile.update(vector(scl, math.nan)).revert(vector(scl, math.nan)) == profile
    other = PROFILE.update(vector(scl, 2.0))
    assert profile.merge(other).rest == other.merge(profile).rest


def test_profiles_of_two_people_or_two_schemas_do_not_merge():
    with pytest.raises(ProfileError, match="'P01' and 'P02' belong to two people"):
        PROFILE.merge(UserProfile("P02"))
    with pytest.raises(ProfileError, match="different features"):
        PROFILE.merge(UserProfile("P01", schema_digest="other"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: b.update(format="x"), "field 'format'"),
        (lambda b: b.update(version=99), "profile version 99"),
        (lambda b: b.pop("subject"), "field subject"),
        (lambda b: b.update(rest={"eda.scl": {"n": 0, "total": "1", "squares": "1"}}), "field rest"),
        (lambda b: b.update(rest=[1]), "field rest"),
        (lambda b: b.update(intervals=[[1]]), "field intervals"),
        (lambda b: b.update(window_s="x"), "window_s"),
        (lambda b: b.update(each_s={"eda": 0}), "field each_s"),
        (lambda b: b.update(each_s={"eda": "nan"}), "field each_s"),
    ],
)
def test_damaged_profiles_name_the_field(change, words, tmp_path):
    body = json.loads(PROFILE.update(vector(1, 2)).to_json())
    change(body)
    path = tmp_path / "user.json"
    path.write_text(json.dumps(body))
    with pytest.raises(ProfileError, match=words) as e:
        UserProfile.load(path)
    assert str(path) in str(e.value)


def test_files_that_are_no_profile(tmp_path):
    path = tmp_path / "user.json"
    with pytest.raises(ProfileError, match="cannot read"):
        UserProfile.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match="cannot read"):
        UserProfile.load(path)
    path.write_text("[" * 100000)
    with pytest.raises(ProfileError, match="no JSON"):
        UserProfile.load(path)


def test_vectors_hold_nan_exactly_where_a_reason_says_why():
    with pytest.raises(SchemaError, match="NaN exactly where"):
        FeatureVector(SCHEMA, np.array([1.0, np.nan]), (Reason.OK, Reason.OK), np.array([1.0]), (Reason.OK,))
    with pytest.raises(SchemaError, match="NaN exactly where"):
        FeatureVector(SCHEMA, np.array([1.0, 2.0]), (Reason.OK, Reason.GAP), np.array([1.0]), (Reason.OK,))
    v = vector(1.5, math.nan)
    assert v["eda.scl"] == 1.5
    assert v["quality.eda"] == 1.0
    assert v.reason("eda.scr") is Reason.GAP
    with pytest.raises(SchemaError, match=r"unknown feature 'eda.scll'; known: eda.scl, eda.scr"):
        _ = v["eda.scll"]
    with pytest.raises(SchemaError, match="named twice"):
        FeatureSchema([("eda", SCHEMA.specs), ("eda", SCHEMA.specs)])


COUNTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(st.integers(0, 10**9), min_size=4, max_size=4))


@given(COUNTS, COUNTS, COUNTS)
def test_what_was_seen_adds_in_any_order_and_comes_out_again(a, b, c):
    empty = UserProfile("P")
    x, y, z = (UserProfile("P").saw(counts, "bins") for counts in (a, b, c))
    assert x.merge(y).merge(z) == x.merge(y.merge(z)) == z.merge(x).merge(y)
    assert x.saw(b, "bins").unsaw(b, "bins") == x
    assert x.unsaw(a, "bins") == empty
    assert UserProfile.from_json(x.to_json()) == x


def test_other_bins_and_what_was_never_seen_are_refused():
    one = UserProfile("P").saw({"a": [1, 2]}, "bins")
    with pytest.raises(ProfileError, match="another model"):
        one.saw({"a": [1, 2]}, "others")
    with pytest.raises(ProfileError, match="2 bins, not 3"):
        one.saw({"a": [1, 2, 3]}, "bins")
    with pytest.raises(ProfileError, match="never seen"):
        one.unsaw({"a": [2, 0]}, "bins")


@pytest.mark.parametrize("counts", ["", "1 -2", "1.5", "x", "9" * 40, 7, None])
def test_damaged_counts_are_refused(counts):
    body = json.loads(UserProfile("P").saw({"a": [1, 2]}, "bins").to_json())
    body["seen_ms"]["a"] = counts
    with pytest.raises(ProfileError, match="seen_ms"):
        UserProfile.from_json(json.dumps(body))


def test_a_profile_of_the_first_version_is_read():
    body = json.loads(UserProfile("P", lineage=("old",)).to_json())
    del body["seen_ms"], body["bins"]
    body["version"] = 1
    assert UserProfile.from_json(json.dumps(body)) == UserProfile("P", lineage=("old",))


def test_what_a_person_tells_is_kept_and_survives_json_and_merging():
    told = UserProfile("P", about={"age": "30-39", "language": "de"})
    assert UserProfile.from_json(told.to_json()) == told
    assert dict(told.merge(UserProfile("P", about={"age": "40-49", "sex": "f"})).about) == {
        "age": "30-39", "language": "de", "sex": "f",
    }  # fmt: skip
    for odd in ({"weight": "70"}, {"age": " "}, {"sex": "x" * 41}):
        with pytest.raises(ProfileError, match="a profile knows age, sex, culture, language"):
            UserProfile("P", about=odd)


def test_what_was_learned_outside_the_rest_counts_by_itself():
    profile = replace(PROFILE, each_s={"eda": 15.0}).update(vector(1, 2))
    assert UserProfile.from_json(profile.to_json()) == profile
    assert [p.update(vector(3, 2)).seconds("eda.scl") for p in (profile, PROFILE.update(vector(1, 2)))] == [30.0, 65.0]
    assert dict(PROFILE.merge(profile).each_s) == {"eda": 15.0}
