"""A FHIR bundle is valid for the model and for our tables, and what is wrong is refused by name."""

import copy
import json
import math

import numpy as np
import pytest
from report_cases import predictions, profile, recording, vectors

import feltsense
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording
from feltsense.core.timeline import NS
from feltsense.errors import InputError
from feltsense.report import summarise
from feltsense.report.fhir import LOINC, bundle, check, fhir
from feltsense.report.summary_json import summary_json
from feltsense.session import extract


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


def test_sdnn_has_its_own_code_and_is_the_recordings():
    made = feltsense.participant(seed=2, minutes=8)
    rest = Event(made.start_ns, EventKind.CALIBRATION, 270.0, "rest")
    made = Recording(made.subject, made.streams, (*made.events, rest), made.metadata)
    content = bundle(summarise(made))
    check(content)
    found = {e["resource"]["code"]["text"]: e["resource"] for e in content["entry"]}
    values = [v["ecg.sdnn"] for w, v in extract(made, window=60.0, hop=15.0) if w.start_ns >= made.start_ns + 270 * NS]
    sdnn = found["SDNN, afterwards"]
    assert (sdnn["code"]["coding"][0]["system"], sdnn["code"]["coding"][0]["code"]) == (LOINC, "80404-7")
    assert (sdnn["valueQuantity"]["code"], sdnn["valueQuantity"]["system"]) == ("ms", "http://unitsofmeasure.org")
    assert sdnn["valueQuantity"]["value"] == pytest.approx(np.nanmedian(values), abs=1e-6)
    sdnn["code"]["coding"][0]["code"] = "80405-4"
    with pytest.raises(InputError, match="code"):
        check(content)
