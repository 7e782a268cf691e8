"""A summary as a FHIR bundle: R4-shaped JSON, checked against the R4B model and against our own tables of codes.

Rules
-----
- The model (fhir.resources) accepts a status or a code that does not exist; so required bindings, units and codes are
  checked here (:func:`check`), and a bundle that fails is never written.
- LOINC codes only where the measure is the code's: heart rate 8867-4 (hl7.org/fhir, heartrate profile), SDNN 80404-7. RMSSD,
  skin conductance and the rest have none: they stand under a code system of our own. 80404-7 is not RMSSD.
- Nothing is coded as a condition, and every observation says that it is no diagnosis.
"""

from __future__ import annotations

import json
import math
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feltsense.core.timeline import NS
from feltsense.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.report.figures import Figure, Level
    from feltsense.report.summary import Summary

__all__ = ["bundle", "check", "fhir"]

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
LOCAL = "urn:feltsense:code"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
STATUS = ("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
"""hl7.org/fhir/R4/valueset-observation-status (required binding)."""
CATEGORIES = ("vital-signs", "procedure", "activity", "survey")
BUNDLES = ("collection",)
NOTE = "An estimate from body signals, compared with the person's own rest. Not a diagnosis, not from a medical device."
_NAMESPACE = uuid.UUID("b1f5f9ad-6f38-4f0a-9d0e-2f6c1f0a7c11")
CODES: Mapping[str, tuple[str, str, str, str]] = {
    "ecg.hr": (LOINC, "8867-4", "Heart rate", "/min"),
    "ppg.hr": (LOINC, "8867-4", "Heart rate", "/min"),
    "ecg.sdnn": (LOINC, "80404-7", "R-R interval.standard deviation (Heart rate variability)", "ms"),
    "ecg.rmssd": (LOCAL, "rmssd", "RMSSD of NN intervals", "ms"),
    "ppg.prv_rmssd": (LOCAL, "prv-rmssd", "RMSSD of pulse-to-pulse intervals", "ms"),
    "eda.scl_mean": (LOCAL, "scl", "Skin conductance level", "uS"),
    "eda.scr_rate_05": (LOCAL, "scr-rate", "Skin conductance responses of at least 0.05 uS", "/min"),
    "skin_temperature.mean": (LOCAL, "skin-temperature", "Skin temperature", "Cel"),
}
"""Feature → system, code, display, UCUM unit."""
_UNITS = {(system, code): unit for system, code, _, unit in CODES.values()}
_DISPLAYS = {(system, code): display for system, code, display, _ in CODES.values()}


def fhir(summary: Summary) -> str:
    """Write a summary as a FHIR bundle.

    Raises
    ------
    MissingExtraError
        If ``feltsense[report]`` is not installed.
    InputError
        If the bundle would not be valid, or nothing in the summary can be coded.
    """
    content = bundle(summary)
    check(content)
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)


def bundle(summary: Summary) -> dict[str, Any]:
    """The bundle as plain data; the same summary gives the same bundle."""
    name = f"{summary.subject}|{summary.start_ns}"
    person = {"type": "Patient", "identifier": {"system": "urn:feltsense:pseudonym", "value": summary.subject}}
    device = {"display": ", ".join(summary.devices)}
    entries = []
    for f in (*summary.figures, *summary.further):
        for phase, found in (("at rest", f.rest), ("afterwards", f.after)):
            if f.feature in CODES and found.usable and not (phase == "at rest" and f.baseline != "recording"):
                entries.append(_observation(summary, f, phase, found, {"subject": person, "device": device}))
    if not entries:
        msg = f"the report on {summary.subject} has no number that a FHIR bundle could hold: no usable data"
        raise InputError(msg)
    made = [{"fullUrl": _urn(f"{name}|{n}"), "resource": e} for n, e in enumerate(entries)]
    return {"resourceType": "Bundle", "id": str(uuid.uuid5(_NAMESPACE, name)), "type": "collection", "entry": made}


def check(content: Mapping[str, Any]) -> None:
    """Refuse a bundle that is not valid.

    Raises
    ------
    InputError
        If the R4B model or our tables refuse it; the message names the field.
    MissingExtraError
        If the model is not installed.
    """
    try:
        from fhir.resources.R4B.bundle import Bundle
    except ImportError:
        raise MissingExtraError("report", "a FHIR bundle") from None
    try:
        Bundle.model_validate(content)
    except ValueError as e:
        msg = f"FHIR bundle: the R4B model refuses it: {' '.join(str(e).split())}"
        raise InputError(msg) from e
    _bound("type", content.get("type"), BUNDLES)
    for n, entry in enumerate(content.get("entry", ())):
        _check_observation(f"entry[{n}].resource", entry.get("resource") or {})


def _check_observation(where: str, o: Mapping[str, Any]) -> None:
    _bound(f"{where}.resourceType", o.get("resourceType"), ("Observation",))
    _bound(f"{where}.status", o.get("status"), STATUS)
    for category in o.get("category", ()):
        for c in category.get("coding", ()):
            _bound(f"{where}.category.system", c.get("system"), (CATEGORY,))
            _bound(f"{where}.category", c.get("code"), CATEGORIES)
    codings = (o.get("code") or {}).get("coding") or [{}]
    coding = codings[0]
    key = (coding.get("system"), coding.get("code"))
    _bound(f"{where}.code", key, tuple(_UNITS))
    _bound(f"{where}.code.display", coding.get("display"), (_DISPLAYS[key],))
    quantity = o.get("valueQuantity") or {}
    _bound(f"{where}.valueQuantity.system", quantity.get("system"), (UCUM,))
    _bound(f"{where}.valueQuantity.code", quantity.get("code"), (_UNITS[key],))
    value = quantity.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        msg = f"FHIR bundle: {where}.valueQuantity.value is {value!r}, not a number"
        raise InputError(msg)


def _bound(where: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        msg = f"FHIR bundle: {where} is {value!r}; must be one of: {', '.join(map(str, known))}"
        raise InputError(msg)


def _observation(s: Summary, f: Figure, phase: str, found: Level, who: Mapping[str, Any]) -> dict[str, Any]:
    system, code, display, unit = CODES[f.feature]
    inside = [p for p in f.points if _in(s, p.start_s, p.stop_s) == phase]
    start = s.start_ns + round(min(p.start_s for p in inside) * NS)
    stop = s.start_ns + round(max(p.stop_s for p in inside) * NS)

    def quantity(value: float) -> dict[str, Any]:
        return {"value": round(value, 6), "unit": f.unit, "system": UCUM, "code": unit}

    made: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "preliminary" if f.thin else "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs" if system == LOINC else "procedure"}]}],
        "code": {"coding": [{"system": system, "code": code, "display": display}], "text": f"{f.title}, {phase}"},
        **who,
        "effectivePeriod": {"start": _when(start), "end": _when(stop)},
        "valueQuantity": quantity(found.median),
        "note": [{"text": f"{NOTE} Median over {found.usable} usable of {found.windows} windows of {s.window_s:g} s."}],
    }
    if f.rest.usable:
        whose = "This person's own rest (middle 80 % of the windows), not a population's range"
        made["referenceRange"] = [{"low": quantity(f.rest.low), "high": quantity(f.rest.high), "text": whose}]
    return made


def _in(s: Summary, start: float, stop: float) -> str:
    if any(a <= start and stop <= b for a, b in s.rests):
        return "at rest"
    end = max((b for _, b in s.rests), default=0.0)
    return "afterwards" if start >= end else ""


def _when(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns // NS, UTC).isoformat()


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, name)}"
