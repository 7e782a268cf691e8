"""The shrinkage discriminant of wide modalities: what it is, and that its shrinkage is chosen on people left out."""

import numpy as np
import pytest

from feltsense.experts.linear import Linear
from feltsense.train.margins import SHRINKAGES, Rows, fit_expert, out_of_fold

CLASSES, WIDE, PEOPLE, EACH = 3, 240, 6, 12


def rows(seed=0):
    """People whose inputs go together in a way of their own: what tells classes apart is in a few inputs."""
    rng = np.random.default_rng(seed)
    n = PEOPLE * EACH
    y = np.tile(np.arange(CLASSES), n // CLASSES)
    subject = np.repeat([f"P{k}" for k in range(PEOPLE)], EACH)
    own = rng.standard_normal((PEOPLE, WIDE))[np.repeat(np.arange(PEOPLE), EACH)]
    z = rng.standard_normal((n, WIDE)) + own
    z[:, :CLASSES] += 2.0 * np.eye(CLASSES)[y]
    z[0, 5] = np.nan
    yes, no = np.ones(n, np.bool_), np.zeros(n, np.bool_)
    owner, line, stop_s = np.zeros(WIDE, np.int64), np.arange(n), np.arange(n, dtype=float)
    return Rows(
        z, np.isfinite(z), np.ones((n, 1)), y, yes, yes, owner, subject, line, stop_s, yes, no, CLASSES,
    )  # fmt: skip


def test_it_is_scikit_learns_discriminant_on_standardised_inputs():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    r = rows()
    z = np.nan_to_num(r.z)
    ours = Linear.discriminant(z, r.y, CLASSES, 0.4).margins(z)
    standard = (z - z.mean(axis=0)) / z.std(axis=0)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.4, priors=[1 / 3] * 3).fit(standard, r.y)
    decided = theirs.decision_function(standard)
    np.testing.assert_allclose(ours, decided[:, 1:] - decided[:, :1], atol=1e-8)


def test_a_missing_input_counts_as_its_mean():
    r = rows()
    model = Linear.discriminant(r.z, r.y, CLASSES, 0.4)
    filled = r.z.copy()
    filled[0, 5] = np.nanmean(r.z[:, 5])
    np.testing.assert_allclose(model.margins(r.z), model.margins(filled))


@pytest.mark.parametrize("seed", [0, 1])
def test_the_shrinkage_is_chosen_on_people_left_out(seed):
    r = rows(seed)
    folds = [np.isin(r.subject, [f"P{k}", f"P{k + 1}"]) for k in (0, 2, 4)]
    fit = out_of_fold(r, "voice", np.arange(WIDE), "linear", folds)
    assert fit.setting in SHRINKAGES
    held = folds[1]
    again = Linear.discriminant(r.z[~held], r.y[~held], CLASSES, fit.setting).margins(r.z[held])
    np.testing.assert_allclose(fit.margins[held], again)
    expert, margins = fit_expert(r, fit)
    assert expert.kind == "linear", "a bundle knows no other"
    np.testing.assert_array_equal(margins(r.z), expert.margins(r.z))
