"""Bundles that read features over further windows: declared, refused where it does not fit, equal in both runners."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from bundle_models import FEATURES, make
from feltsense import bundle, features
from feltsense.bundle import archive
from feltsense.bundle._graph import build
from feltsense.bundle.schema import Feature, pack, unpack
from feltsense.bundle.write import write
from feltsense.core.moments import Moments
from feltsense.core.profile import UserProfile
from feltsense.core.vector import FeatureSchema
from feltsense.errors import BundleError, SchemaError

SHORT = ("ppg.hr", "ppg.rmssd", "ppg@30s.sdnn", "eda.scl", "eda@12s.slope", "eda@30s.scr")


def short():
    model, stack = make(seed=3)
    return replace(model, features=tuple(Feature(n, "1", 10.0) for n in SHORT)), stack


def test_the_file_says_which_windows_it_reads(tmp_path):
    model, stack = short()
    path = tmp_path / "short.feltbundle"
    write(path, model, "# card\n", stack)
    with zipfile.ZipFile(path) as z:
        body = json.loads(z.read("bundle.json"))
    assert body["version"] == 4
    assert body["window_s"] == 60.0
    assert body["further_windows_s"] == [30.0, 12.0]
    loaded = bundle.load(path, "numpy").model
    assert loaded.watched == ("ppg", "eda", "ppg@30s", "eda@12s", "eda@30s")
    assert loaded.further_s == (30.0, 12.0)
    np.testing.assert_array_equal(loaded.owner, model.owner)
    assert loaded.schema_digest == model.schema_digest != make(seed=3)[0].schema_digest


def test_others_are_written_as_before(tmp_path):
    model, _ = make(seed=3)
    body, _ = pack(model)
    assert body["version"] == 2
    assert "further_windows_s" not in body
    assert model.watched == model.modalities
    path = tmp_path / "plain.feltbundle"
    path.write_bytes(archive.seal(model, build(model), ""))
    assert bundle.load(path, "numpy").model.names == FEATURES


@pytest.mark.parametrize("said", [[], [30.0], [30.0, 12.0, 5.0], "none"])
def test_windows_that_do_not_belong_to_the_features_are_damage(said):
    body, arrays = pack(short()[0])
    with pytest.raises(BundleError, match="damaged bundle"):
        unpack({**body, "further_windows_s": said}, arrays, "x.feltbundle")


@pytest.mark.parametrize("name", ["ppg@.hr", "ppg@030s.hr", "ppg@0s.hr"])
def test_a_length_that_is_none_is_damage(name):
    body, arrays = pack(short()[0])
    listed = [{"name": name, "unit": "1", "min_seconds": 10.0}, *body["features"][1:]]
    with pytest.raises(BundleError, match="damaged bundle"):
        unpack({**body, "features": listed}, arrays, "x.feltbundle")


def test_a_schema_without_them_is_refused_by_name():
    model, _ = short()
    plain = FeatureSchema([(m, features.extractor(m).specs) for m in ("ppg", "eda")])
    with pytest.raises(SchemaError, match=r"eda@30s\.scr"):
        model.columns(plain)


def test_rest_behind_a_short_window_is_its_own():
    """Windows at 0, 5, … 210 s cover 270 s with a minute each, and 240 s with their last half minutes."""
    n = Moments()
    for x in range(43):
        n = n.update(float(x))
    profile = UserProfile("P", {"ppg.hr": n, "ppg@30s.hr": n})
    assert profile.seconds("ppg.hr") == 270.0
    assert profile.seconds("ppg@30s.hr") == 240.0
