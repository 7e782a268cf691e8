"""A FHIR bundle is valid for the model and for our tables, and what is wrong is refused by name."""

import copy
import json
import math

import pytest
from report_cases import predictions, profile, recording, vectors

from feltsense.errors import InputError
from feltsense.report import summarise
from feltsense.report.fhir import LOINC, bundle, check, fhir
from feltsense.report.summary_json import summary_json


@pytest.fixture(scope="module")
def summary():
    return summarise(recording(), predictions(), profile(), vectors=vectors())


def test_numbers_codes_and_units(summary):
    content = json.loads(fhir(summary))
    check(content)
    assert content == bundle(summary), "the same summary gives the same bundle"
    found = {}
    for entry in content["entry"]:
        o = entry["resource"]
        coding, quantity = o["code"]["coding"][0], o["valueQuantity"]
        found[o["code"]["text"]] = (coding["system"], coding["code"], quantity["code"], quantity["value"])
        assert "Not a diagnosis" in o["note"][0]["text"]
        assert o["subject"]["identifier"]["value"] == "P-0042"
    rate = summary.figures[0]
    assert found["Heart rate, afterwards"] == (LOINC, "8867-4", "/min", round(rate.after.median, 6))
    assert found["Heart rate, at rest"][3] == round(rate.rest.median, 6)
    assert found["RMSSD, at rest"][:3] == ("urn:feltsense:code", "rmssd", "ms")
    assert "80404-7" not in json.dumps(content), "RMSSD is not SDNN"
    thin = [f for f in summary.figures if f.thin]
    statuses = {e["resource"]["code"]["text"]: e["resource"]["status"] for e in content["entry"]}
    assert statuses[f"{thin[0].title}, afterwards"] == "preliminary"


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (("status",), "nope", "status"),
        (("status",), None, "status"),
        (("valueQuantity", "code"), "bpm", "valueQuantity.code"),
        (("valueQuantity", "system"), "http://units", "valueQuantity.system"),
        (("valueQuantity", "value"), math.nan, "valueQuantity"),
        (("code", "coding", 0, "code"), "80404-7", "entry"),
        (("code", "coding", 0, "system"), "http://snomed.info/sct", "code"),
        (("code", "coding", 0, "display"), "Heart attack", "display"),
        (("category", 0, "coding", 0, "code"), "horoscope", "category"),
        (("resourceType",), "Condition", "R4B model"),
        (("colour",), "red", "R4B model"),
    ],
)
def test_what_is_wrong_is_refused(summary, path, value, word):
    content = copy.deepcopy(bundle(summary))
    at = content["entry"][0]["resource"]
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(InputError, match=word) as e:
        check(content)
    assert "\n" not in str(e.value)
    content = copy.deepcopy(bundle(summary))
    content["type"] = "message-board"
    with pytest.raises(InputError, match="type"):
        check(content)


def test_no_usable_data_is_said():
    with pytest.raises(InputError, match="no usable data"):
        bundle(summarise(recording(minutes=8), vectors=()))


def test_json_has_everything_and_no_nan(summary):
    content = json.loads(summary_json(summary))
    assert content["subject"] == "P-0042"
    assert content["figures"][0]["after"]["median"] == summary.figures[0].after.median
    assert len(content["estimate"]["points"]) == len(summary.estimate.points)
    assert None in [p["probability"] for p in content["estimate"]["points"]]
