"""Checks rationales against a recording and a profile: parses every sentence and computes it anew.

usage: python check_rationale.py RECORDING PROFILE RATIONALE.csv

It knows the sentences by their grammar, not by the templates that made them; the profile is read as plain JSON.
Features come from `extract`. Every sentence must parse, and every one must be true to the last digit that it shows.
"""

import csv
import json
import re
import sys

from feltsense.importers import open_recording
from feltsense.session import extract

WINDOW_S = 60.0
MEANT = {
    "Skin conductance": ("eda.eda_median", 0.1), "Hautleitwert": ("eda.eda_median", 0.1),
    "Skin responses": ("eda.scr_rate_03", 1.0), "Hautreaktionen": ("eda.scr_rate_03", 1.0),
    "Heart rate": ("ppg.hr", 3.0), "Herzfrequenz": ("ppg.hr", 3.0),
}
UNIT = r"(?:µS|a minute|je Minute|beats a minute|Schläge je Minute)"
NAME = "(" + "|".join(MEANT) + ")"
AWAY = re.compile(rf"{NAME} (\d+(?:[.,]\d+)?) {UNIT} (above|below|über|unter) (?:your rest|deiner Ruhe)")
SAME = re.compile(rf"{NAME} (?:unchanged|unverändert)")
ALONE = re.compile(rf"{NAME} (-?\d+(?:[.,]\d+)?) {UNIT}; (?:your rest is not known|deine Ruhe ist nicht bekannt)")
MISSING = re.compile(rf"{NAME} (?:missing|fehlt)")
SAID = re.compile(r"(?:Estimate|Schätzung): (\w+), (\d+) %(?:; (.+) (?:cannot be ruled out|ist nicht auszuschließen))?")
NONE = re.compile(r"(?:No estimate|Keine Schätzung)(?:: (.+))?")
CALIBRATION = ("this is your calibration", "das ist deine Kalibrierung")


def number(text):
    """Value, and half of its last digit."""
    plain = text.replace(",", ".")
    return float(plain), 0.5 * 10.0 ** -len(plain.partition(".")[2]) + 1e-9


def true(sentence, row, value, rest):
    """Whether a sentence holds: `value`, `rest` give a feature of the window and at rest (None: not there)."""
    if m := AWAY.fullmatch(sentence):
        name, least = MEANT[m[1]]
        size, half = number(m[2])
        away = value(name) - rest(name)
        return (away > 0) == (m[3] in ("above", "über")) and abs(abs(away) - size) <= half and abs(away) >= least
    if m := SAME.fullmatch(sentence):
        name, least = MEANT[m[1]]
        return abs(value(name) - rest(name)) < least
    if m := ALONE.fullmatch(sentence):
        size, half = number(m[2])
        return rest(MEANT[m[1]][0]) is None and abs(value(MEANT[m[1]][0]) - size) <= half
    if m := MISSING.fullmatch(sentence):
        return value(MEANT[m[1]][0]) is None
    if m := SAID.fullmatch(sentence):
        share = float(row[f"p_{m[1]}"])
        others = set(re.split(" and | und ", m[3])) if m[3] else set()
        return m[1] == row["label"] and abs(100 * share - int(m[2])) <= 0.5 and others | {m[1]} == set(row["set"].split("|"))
    if m := NONE.fullmatch(sentence):
        if m[1] in CALIBRATION:
            return row["label"] == "" and row["reason"] == "calibration"
        return row["label"] == "" and not any(v for k, v in row.items() if k.startswith("p_")) if m[1] else False
    return False


def check(recording, profile, rows):
    """Number of sentences, and those that are not true."""
    body = json.loads(profile)
    begins = min((a for a, _ in body["intervals"]), default=-(2**63))
    hop = float(rows[1]["start_s"]) - float(rows[0]["start_s"])
    count, wrong = 0, []
    pairs = extract(recording, window=WINDOW_S, hop=hop, modalities=("ppg", "eda"))
    for row, (window, vector) in zip(rows, pairs, strict=True):
        features = dict(zip(vector.schema.names, vector.values.tolist(), strict=True))

        def value(name, features=features):
            return features[name] if features[name] == features[name] else None

        def rest(name, known=window.stop_ns > begins):
            m = body["rest"].get(name)
            return int(m["total"]) / m["n"] / 2**32 if m and known else None

        for sentence in row["rationale"].removesuffix(".").split(". "):
            count += 1
            try:
                good = true(sentence, row, value, rest)
            except TypeError:
                good = False
            if not good:
                wrong.append((row["start_s"], sentence))
    return count, wrong


def main():
    """Check a file."""
    recording, profile, table = sys.argv[1:]
    with open(profile, encoding="utf-8") as file:
        body = file.read()
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    count, wrong = check(open_recording(recording), body, rows)
    sys.stdout.write(f"{len(rows)} rationales, {count} sentences, {len(wrong)} not true\n")
    for start, sentence in wrong[:20]:
        sys.stdout.write(f"{start} s: {sentence}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
