"""Every number of page one, computed again from the file by other means than the report's."""

import re
from collections import Counter
from html import unescape

import numpy as np

import feltsense
from feltsense.cli import main
from feltsense.session import extract, predict

REST_S = 270.0
TITLES = {
    "Heart rate, bpm": ("ecg.hr", 0),
    "RMSSD, ms": ("ecg.rmssd", 1),
    "Skin conductance level (SCL), µS": ("eda.scl_mean", 2),
    "Skin conductance responses (SCR ≥ 0.05 µS), 1/min": ("eda.scr_rate_05", 1),
    "Skin temperature, °C": ("skin_temperature.mean", 2),
}


def cells(html):
    """Rows of every table, as texts."""
    for row in re.findall(r"<tr.*?</tr>", html, flags=re.S):
        yield [unescape(re.sub("<[^>]*>", "", c)) for c in re.findall(r"<t[dh].*?</t[dh]>", row, flags=re.S)]


def close(text, value, digits):
    """A printed number is the value, rounded; a tie may go either way."""
    printed = float(text.replace("−", "-").replace("\u202f", ""))
    return abs(printed - value) <= 0.5001 * 10**-digits


def test_numbers_of_the_report_come_out_of_the_file(tmp_path, capsys):
    path, profile, out = tmp_path / "s.felt", tmp_path / "user.json", tmp_path / "r.html"
    feltsense.write(path, feltsense.participant(seed=3, minutes=8))
    assert main(["calibrate", str(path), "--rest", "0", str(REST_S), "--out", str(profile)]) == 0
    assert main(["report", str(path), "--profile", str(profile), "--hop", "15", "--out", str(out)]) == 0
    capsys.readouterr()
    html = out.read_text(encoding="utf-8")
    text = unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.S))
    recording = feltsense.read(path)
    rows = {r[0]: r[1:] for r in cells(html) if r}
    t0 = recording.start_ns
    windows = list(extract(recording, window=60.0, hop=15.0))
    at = np.array([((w.start_ns - t0) / 1e9, (w.stop_ns - t0) / 1e9) for w, _ in windows])
    for title, (feature, digits) in TITLES.items():
        values = np.array([v[feature] for _, v in windows])
        rest, after = values[at[:, 1] <= REST_S], values[at[:, 0] >= REST_S]
        told = rows[title]
        for text_of, group in ((told[0], rest), (told[1], after)):
            good = np.sort(group[np.isfinite(group)])
            printed = re.findall(r"−?[\d.]+", text_of)
            for shown, q in zip(printed, (0.5, 0.1, 0.9), strict=True):
                # Linear interpolation between order statistics, written out.
                place = q * (len(good) - 1)
                low = int(np.floor(place))
                value = good[low] + (place - low) * (good[min(low + 1, len(good) - 1)] - good[low])
                assert close(shown, value, digits), (title, shown, value)
        change = np.median(after[np.isfinite(after)]) - np.median(rest[np.isfinite(rest)])
        assert close(told[2].lstrip("+"), change, digits)
        assert told[3] == f"{np.isfinite(rest).sum()}/{len(rest)}, {np.isfinite(after).sum()}/{len(after)}"
    for name, stream in recording.streams.items():
        received = sum(len(s.values) for s in stream.segments)
        assert rows[name][2].replace("\u202f", "") == str(received)
        assert rows[name][3] == "0"
    made = feltsense.UserProfile.load(profile)
    predictions = list(predict(recording, feltsense.load_bundle(), made, 15.0))
    outside = [p for p in predictions if p.start_ns - t0 >= REST_S * 1e9]
    counts = Counter("" if p.abstained else p.label for p in outside)
    assert f"Outside the calibration interval, {len(outside)} windows" in text
    for label, n in counts.items():
        if label:
            assert f"{n} of {len(outside)} ({100 * n / len(outside):.1f} %) estimated as “{label}”" in text or n == len(
                outside
            )
    assert "8 min 0 s from 6 streams, no gap." in text
