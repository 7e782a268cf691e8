"""Names of modalities over a window of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feltsense.core.modality import base, length_of, lengths, over
from feltsense.errors import InputError


@given(st.integers(1, 86_400))
def test_a_name_says_its_modality_and_its_length(seconds):
    name = over("ppg", seconds)
    assert base(name) == base(f"{name}.hr") == "ppg"
    assert length_of(name) == length_of(f"{name}.hr") == float(seconds)


def test_fractions_and_plain_names():
    assert over("eda", 30.0) == "eda@30s"
    assert length_of("eda@7s.scr_rate_01") == 7.0
    assert length_of("eda") is None
    assert length_of("eda.scr_rate_01") is None
    assert base("eda.scr_rate_01") == base("eda") == "eda"
    assert lengths(["eda.a", "eda@15s.a", "ppg@30s.b", "ppg@15s.c"]) == (30.0, 15.0)


@pytest.mark.parametrize(
    "name",
    ["ppg@", "ppg@s", "ppg@30", "ppg@030s", "ppg@0s", "ppg@-5s", "ppg@7.5s", "ppg@infs", "ppg@30.hr", "ppg@3٣s", "@30s"],
)
def test_other_spellings_are_refused_with_the_right_one(name):
    with pytest.raises(InputError, match=r"written like \w+@30s"):
        length_of(name)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 7.5, float("nan"), float("inf")])
def test_no_length(seconds):
    with pytest.raises(InputError, match="whole number of seconds"):
        over("ppg", seconds)
