"""Names of a person's sensors, and which of their streams carry a signal."""

import pytest

from feltsense.core.signals import CATALOGUE
from feltsense.errors import UnknownNameError
from feltsense_bridge import devices
from feltsense_bridge.sensors import _STREAMS, Sensor, carrying, links


def test_each_model_has_its_prefix_and_the_second_of_a_model_its_number():
    worn = [Sensor(devices.device(m)(), f"AA:0{k}") for k, m in enumerate(("polar_h10", "core", "polar_h10", "open_board"))]
    made = links([*worn, Sensor(devices.device("heart_rate")(["rr"]), "AA:09", "mine")], clock=lambda: 0)
    assert [link._intake._name for link in made] == ["h10", "core", "h10-2", "board", "strap"]
    assert [link.label for link in made][3:] == ["open_board AA:03", "mine"]


def test_only_streams_that_carry_what_is_wanted():
    assert carrying("polar_h10", {"ecg", "eda"}) == ("ecg",)
    assert carrying("open_board", {"skin_temperature"}) == ("temp",)
    assert carrying("core", {"skin_temperature", "acc"}) == ("skin_temperature",)
    assert carrying("radar_ld2450", {"ecg"}) == ()
    with pytest.raises(UnknownNameError, match="abacus"):
        carrying("abacus", {"ecg"})


@pytest.mark.parametrize("model", devices.models())
def test_what_is_listed_is_what_the_model_has(model):
    for name, signal in _STREAMS.get(model, {}).items():
        assert signal in CATALOGUE
        # A model knows all its names before it is connected, but a board, which has a table of its own.
        assert model == "open_board" or devices.device(model)([name]).streams == (name,)
    assert carrying(model, set(CATALOGUE))
