"""Scores predictions of Stress-Predict people from files alone: predictions.csv, labels.csv and the E4's CSV files.

Knows nothing of feltsense and of how it computes anything: only the columns of the table, and the protocol's words:
windows of 60 s every 30 s from the earliest sample of any signal; a window has a label when one label covers at
least 95 % of it; the first 270 s of labelled rest calibrate, and windows that overlap them or lie within 60 s of them
are not scored.

usage: python score_stress_predict.py DATA PREDICTIONS_DIR     (PREDICTIONS_DIR/S02.csv, …, made with --hop 30)
"""

import csv
import json
import sys
from pathlib import Path

WINDOW, PURE, REST = 60.0, 0.95, 270.0


def signal(folder):
    """Earliest start and latest end of the E4's signals, Unix seconds."""
    starts, ends = [], []
    for name in ("BVP", "EDA", "TEMP", "ACC"):
        lines = (folder / f"{name}.csv").read_text().split("\n")
        start, rate = float(lines[0].split(",")[0]), float(lines[1].split(",")[0])
        starts.append(start)
        ends.append(start + sum(1 for x in lines[2:] if x.strip()) / rate)
    return min(starts), max(ends)


def seconds(path):
    """Subject → {Unix second: label}."""
    out = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            out.setdefault(row["subject"], {})[int(row["unix_time_s"])] = row["label"]
    return out


def label_of(labels, a, b, end):
    """Label that covers at least 95 % of [a, b); seconds past the signal's end do not count."""
    cover = {"0": 0.0, "1": 0.0}
    for s in range(int(a) - 1, int(b) + 1):
        if s in labels:
            cover[labels[s]] += max(0.0, min(b, s + 1, end) - max(a, s))
    best = max(cover, key=cover.get)
    return best if cover[best] >= PURE * (b - a) else None


def person(data, subject, labels, table):
    """(truth, probability of stress) of each scored window, and how many have no answer."""
    start, end = signal(data / subject)
    first = min(s for s, v in labels.items() if v == "0")
    assert all(labels.get(first + k) == "0" for k in range(int(REST))), f"{subject}: rest is interrupted"
    rows, silent = [], 0
    with open(table, newline="") as file:
        for k, row in enumerate(csv.DictReader(file)):
            a = start + 30.0 * k
            assert abs(float(row["start_s"]) - 30.0 * k) < 1e-9
            assert abs(float(row["start_unix"]) - a) < 1e-3
            assert abs(float(row["end_unix"]) - a - WINDOW) < 1e-3
            truth = label_of(labels, a, a + WINDOW, end)
            if truth is None or (a < first + REST + WINDOW and first - WINDOW < a + WINDOW):
                continue
            if row["p_stress"] == "":
                silent += 1
                continue
            p = float(row["p_stress"])
            assert row["label"] == ("stress" if p > 0.5 else "rest")
            rows.append((int(truth), p))
    return rows, silent


def balanced(rows):
    recalls = []
    for k in (0, 1):
        mine = [p for y, p in rows if y == k]
        recalls.append(sum((p > 0.5) == bool(k) for p in mine) / len(mine))
    return sum(recalls) / 2


def auroc(rows):
    yes, no = [p for y, p in rows if y], [p for y, p in rows if not y]
    return sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / len(yes) / len(no)


def score(data, tables):
    """Figures over all people who have a table."""
    labels = seconds(Path(data) / "labels.csv")
    every, silent = [], 0
    for table in sorted(Path(tables).glob("*.csv")):
        rows, quiet = person(Path(data), table.stem, labels[table.stem], table)
        every += rows
        silent += quiet
    return {"windows": len(every), "unanswered": silent, "balanced_accuracy": balanced(every), "auroc": auroc(every)}


if __name__ == "__main__":
    json.dump(score(sys.argv[1], sys.argv[2]), sys.stdout, indent=1)
    sys.stdout.write("\n")
