"""Generated pages are those that the code generates today."""

from pathlib import Path

from feltsense.features.__main__ import page

ROOT = Path(__file__).parents[2]


def test_the_feature_reference_is_up_to_date():
    committed = (ROOT / "docs" / "reference" / "features.md").read_text(encoding="utf-8")
    assert committed == page(), "run: python -m feltsense.features > docs/reference/features.md"
