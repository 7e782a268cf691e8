"""Every number of page one, computed again from the file by other means than the report's."""

import re
from collections import Counter
from html import unescape

import numpy as np
from report_cases import moved

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
    # Coverage, beats that would be corrected, quality.
    shares = {name: covered(recording, stream) for name, stream in recording.streams.items()}
    worst = min(shares, key=shares.get)
    assert f"{percent(np.mean(list(shares.values())))} (least: {worst}, {percent(shares[worst])})" in text
    corrected = [v["ecg.corrected_fraction"] for _, v in windows]
    assert f"Beats corrected {percent(np.nanmedian(corrected))}" in re.sub(r"\s+", " ", text)
    for modality, name in (("ecg", "ECG"), ("eda", "Skin conductance"), ("motion", "Movement")):
        told = rows[name]
        values = np.array([v[f"quality.{modality}"] for _, v in windows])
        printed = re.findall(r"[\d.]+", told[0])
        assert told[1] == f"{np.isfinite(values).sum()}/{len(values)}"
        for shown, q in zip(printed, (50, 10, 90), strict=True):
            assert close(shown, np.percentile(values[np.isfinite(values)], q), 2), modality


def covered(recording, stream):
    """Share of the recording's time in which a stream has a reading, counted by samples."""
    good = sum(int(np.isfinite(s.values).all(axis=1).sum()) for s in stream.segments)
    return min(good / float(stream.info.spec.rate) / recording.seconds, 1.0)


def percent(share):
    value = 100 * share
    if 99.95 <= value < 100:
        return "> 99.9 %"
    return f"{value:.0f} %" if value in (0, 100) else f"{value:.1f} %"


def test_numbers_of_the_course_come_out_of_the_files(tmp_path, capsys):
    folder, out = tmp_path / "P", tmp_path / "c.html"
    folder.mkdir()
    for day in range(4):
        made = feltsense.participant(seed=10 + day, minutes=11)
        feltsense.write(folder / f"{day}.felt", moved(made, day * 86_400 * 10**9, (), "P"))
    assert main(["report", str(folder), "--days", "9", "--out", str(out)]) == 0
    capsys.readouterr()
    html = out.read_text(encoding="utf-8")
    rows = {r[0]: r[1:] for r in cells(html) if r}
    features = {f"{title.split(', ')[0]}, {title.split(', ')[1]}": f for title, f in TITLES.items()}
    medians = {title: [] for title in features}
    shares, seconds, corrected = [], 0.0, []
    days = [r for r in cells(html) if r and re.fullmatch(r"2\d{3}-\d\d-\d\d", r[0]) and len(r) == 8]
    head = next(r for r in cells(html) if r and r[0] == "Day" and len(r) == 8)
    assert len(days) == 9
    told = [d for d in days if d[1] != "–"]
    for path, day in zip(sorted(folder.glob("*.felt")), told, strict=True):
        recording = feltsense.read(path)
        # The stream's windows, one by one: the report takes its own from a batch.
        vectors = [v for _, v in extract(recording, window=60.0, hop=60.0)]
        for column, name in enumerate(head[3:], 3):
            feature, digits = features[name]
            values = np.array([v[feature] for v in vectors])
            good = values[np.isfinite(values)]
            shown, usable = day[column].split(" ")
            assert close(shown, np.median(good), digits), (name, path)
            assert usable == f"({len(good)}/{len(values)})"
            medians[name].append(np.median(good))
        corrected.append(np.nanmedian([v["ecg.corrected_fraction"] for v in vectors]))
        shares.append(np.mean([covered(recording, s) for s in recording.streams.values()]))
        seconds += recording.seconds
        assert day[2] == percent(shares[-1])
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.S)))
    assert f"4 of 9 days have a recording, {int(seconds) // 60} min" in text
    assert f"Coverage {percent(np.mean(shares))}" in text
    assert f"Beats corrected {percent(np.median(corrected))}" in text
    for name, values in medians.items():
        # All four lie in the last seven days: there is no range of days before.
        assert rows[name][0] == "–"
        assert close(rows[name][1], np.median(values), features[name][1])
        assert rows[name][3] == "4/9"
