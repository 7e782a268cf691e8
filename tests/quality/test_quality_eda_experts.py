"""Quality of EDA against what experts marked as artefact, seconds by seconds, and against noise and clean skin."""

import csv
from datetime import datetime

import numpy as np
import pytest
from scipy.stats import rankdata

from cardiac_cases import one_stream, recording
from feltsense.core.vector import Reason
from feltsense.session import extract

RECORDINGS = ("2013_05_28_1hour_walking", "2013_06_03_1hour_lunch", "2013_06_10_1hour_walking",
              "2013_06_11_40mins_eat-readnewspaper")  # fmt: skip
RATE, EPOCH_S, FROM_ROW = 8, 5.0, 8
ARTEFACT = "2.0"


def auroc(score, positive):
    rank, n = rankdata(score), int(positive.sum())
    return (rank[positive].sum() - n * (n + 1) / 2) / (n * (len(positive) - n))


def experts(folder, name):
    """Conductance, and for each epoch its first sample and whether most experts call it an artefact."""
    rows = (folder / f"{name}.csv").read_text(encoding="latin-1").splitlines()
    begin = datetime.fromisoformat(next(r for r in rows if r.startswith("Start Time")).split(": ")[1].split(" Offset")[0])
    x = np.array([float(r.split(",")[5]) for r in rows[FROM_ROW:] if not r.startswith(",")])
    with (folder / f"{name}_epochs.csv").open(newline="") as file:
        epochs = list(csv.DictReader(file))
    first = [round((datetime.fromisoformat(e["StartTime"]) - begin).total_seconds() * RATE) for e in epochs]
    votes = np.array([sum(e[f"qualityLabel_Expert{k}"] == ARTEFACT for k in (1, 2, 3)) for e in epochs])
    return x, np.array(first), votes >= 2


@pytest.mark.parametrize("name", RECORDINGS)
def test_ranks_epochs_as_experts_do_at_least_as_well_as_the_plain_index(data_dir, name):
    x, first, artefact = experts(data_dir / "eda-artifacts", name)
    found = list(extract(recording(one_stream("eda", x, RATE)), window=EPOCH_S, hop=EPOCH_S, modalities=["eda"]))
    t0 = found[0][0].start_ns
    quality = {round((w.start_ns - t0) / 1e9 * RATE): v["quality.eda"] for w, v in found}
    known = np.array([i in quality for i in first])
    ours = 1.0 - np.array([quality[i] for i in first[known]])
    epochs = [x[i : i + int(EPOCH_S * RATE)] for i in first[known]]
    plain = np.array([np.abs(np.diff(e, 2)).max() / e.mean() for e in epochs])
    assert known.mean() > 0.99
    assert auroc(ours, artefact[known]) >= auroc(plain, artefact[known])
    assert auroc(ours, artefact[known]) > 0.96


def skin(seconds, noise):
    t, rng = np.arange(seconds * 4) / 4, np.random.default_rng(0)
    return 3.0 + 0.3 * np.sin(2 * np.pi * t / 40) + noise * rng.standard_normal(len(t))


def test_white_noise_is_bad_and_clean_skin_is_good():
    def quality(x):
        vectors = [v for _, v in extract(recording(one_stream("eda", x, 4)), window=60.0, hop=10.0, modalities=["eda"])]
        return np.array([v["quality.eda"] for v in vectors]), {v.quality_reasons[0] for v in vectors}

    clean, reasons = quality(skin(240, 0.002))
    assert clean.min() > 0.9
    assert reasons == {Reason.OK}
    medians = [np.median(quality(skin(240, noise))[0]) for noise in (0.02, 0.05, 0.1, 0.3)]
    assert medians == sorted(medians, reverse=True)
    noise, reasons = quality(np.clip(skin(240, 0.6), 0.06, None))
    assert noise.max() < 0.3
    assert reasons == {Reason.ARTEFACT}
