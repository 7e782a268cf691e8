"""Every sentence of a thousand rationales is true, by a program that only knows their grammar."""

import csv
import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from feltsense import bundle
from feltsense.calibration import calibrate
from feltsense.cli.predict import columns, row
from feltsense.core.profile import RestInterval
from feltsense.core.timeline import to_ns
from feltsense.datasets.synthetic import participant
from feltsense.errors import UnknownNameError
from feltsense.fusion.rationale import rationale
from feltsense.session import Session

sys.path.insert(0, str(Path(__file__).parents[1] / "independent"))
from check_rationale import check

HOP = 0.5


@pytest.fixture(scope="module")
def model():
    return bundle.load(runner="numpy")


@pytest.fixture(scope="module")
def told(model):
    """Rationales of two people in both languages, as ``predict --rationale`` writes them, with recording and profile."""
    out = []
    for seed in (3, 4):
        recording = participant(seed, protocol=[("rest", 120.0), ("stress", 75.0)])
        start = recording.start_ns
        profile = calibrate(recording, [RestInterval(start + to_ns(10), start + to_ns(100))], model)
        session = Session(recording.infos(), model, profile, HOP, start)
        pairs = [(p, v) for i in recording.items() for p, v in zip(session.push(i), session.vectors, strict=True)]
        pairs += list(zip(session.finish(), session.vectors, strict=True))
        for language in ("en", "de"):
            rows = [
                dict(zip(columns(model.model), row(model.model, start, p), strict=True))
                | {"rationale": rationale(p, v, profile, language)}
                for p, v in pairs
            ]
            out.append((recording, profile, rows))
    return out


def test_a_thousand_rationales_are_true(told):
    assert sum(len(rows) for _, _, rows in told) >= 1000
    for recording, profile, rows in told:
        count, wrong = check(recording, profile.to_json(), rows)
        assert wrong == []
        assert count == 4 * len(rows), "an answer and three facts a window"


def test_the_checker_finds_what_is_not_true(told):
    recording, profile, rows = told[0]
    lies = (("above", "below"), (" %", "0 %"), ("unchanged", "missing"))
    bent = [r | {"rationale": r["rationale"].replace(*lies[k % 3])} for k, r in enumerate(rows)]
    changed = {x["start_s"] for x, y in zip(bent, rows, strict=True) if x["rationale"] != y["rationale"]}
    _, wrong = check(recording, profile.to_json(), bent)
    assert changed
    assert {start for start, _ in wrong} == changed


def test_both_languages_say_the_same_numbers(told):
    def digits(text):
        return "".join(c for c in text.replace(",", ".") if c.isdigit())

    for en, de in ((told[0], told[1]), (told[2], told[3])):
        assert [digits(r["rationale"]) for r in en[2]] == [digits(r["rationale"]) for r in de[2]]


def test_nobodys_rest_is_not_made_up(model):
    recording = participant(5, protocol=[("rest", 70.0)])
    session = Session(recording.infos(), model, None, 5.0, recording.start_ns)
    pairs = [(p, v) for i in recording.items() for p, v in zip(session.push(i), session.vectors, strict=True)]
    pairs += list(zip(session.finish(), session.vectors, strict=True))
    p, vector = pairs[0]
    assert "your rest is not known" in rationale(p, vector, None)
    nothing = replace(p, probabilities={}, set=(), label="", abstained=True, reason="ppg:no_signal eda:no_signal")
    assert rationale(nothing, vector, None).startswith("No estimate: no usable signal.")
    with pytest.raises(UnknownNameError, match="language"):
        rationale(p, vector, None, "fr")


def test_the_table_of_a_command_is_what_was_checked(told):
    """A cell survives the table."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(told[1][2][0]))
    writer.writeheader()
    writer.writerows(told[1][2])
    text.seek(0)
    assert [r["rationale"] for r in csv.DictReader(text)] == [r["rationale"] for r in told[1][2]]
