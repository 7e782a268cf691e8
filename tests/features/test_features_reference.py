"""The feature reference: every feature has an oracle of its own, and every row of the table belongs to a feature."""

from pathlib import Path

from feltsense import features
from feltsense.features._oracles import _BY_START, _GIVEN_BEATS, oracle

NAMES = {f"{m}.{s.name}" for m in features.modalities() for s in features.extractor(m).specs}


def test_every_feature_has_an_oracle_and_every_oracle_a_feature():
    for name in NAMES:
        found = oracle(name)
        assert found.against, name
        assert found.tolerance, name
    assert _GIVEN_BEATS <= NAMES
    for start in _BY_START:
        assert any(n.startswith(start) for n in NAMES), start


def test_a_modality_without_a_row_is_sent_to_its_tests():
    assert oracle("sonar.depth").against == "`tests/features/test_features_sonar.py`"
    for modality in features.modalities():
        assert (Path(__file__).with_name(f"test_features_{modality}.py")).is_file()
