"""Day-long RR series against the table of an independent toolbox.

Its clock was 125 Hz and its windows are counted from the first beat. It joins what is left after it drops intervals of
beats that are not normal, and takes successive differences of that; so does this test (the SDK takes no difference across
a hole). Its artefact rule differs in a few windows, so the median error is compared, to the table's last digit.
"""

import csv

import numpy as np
import pytest

from feltsense.dsp.intervals import time_domain

CLOCK_HZ = 125.0
LAST_DIGIT = 5e-5


@pytest.mark.parametrize("name", ["nsr001", "nsr004", "nsr009"])
def test_reference_table(data_dir, name):
    import wfdb

    folder = data_dir / "hrv-reference"
    notes = wfdb.rdann(str(folder / name), "ecg")
    at = (notes.sample - notes.sample[0]) / CLOCK_HZ
    normal = np.array([s == "N" for s in notes.symbol])
    rr = np.diff(at) * 1e3
    good = normal[1:] & normal[:-1] & (rr > 300.0) & (rr < 2000.0)
    ends, nn = at[1:][good], rr[good]
    with (folder / "NSR_HRV_allwindows_allpatients.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["patID"] == name and r["NNmean"] not in ("", "NaN")]
    errors = []
    for row in rows:
        a, b = np.searchsorted(ends, (float(row["t_start"]), float(row["t_end"])))
        ours = time_domain(nn[a:b], np.ones(b - a, bool))
        pairs = ((ours.mean_nn, "NNmean"), (ours.sdnn, "SDNN"), (ours.rmssd, "RMSSD"))
        errors.append([abs(x - float(row[k])) for x, k in pairs])
    assert len(errors) > 100
    assert (np.median(errors, axis=0) <= LAST_DIGIT).all()
