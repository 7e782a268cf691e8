"""One file: read back whole, refused when anything in it was touched."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle_models import make
from feltsense import bundle
from feltsense.bundle import archive
from feltsense.bundle._graph import build
from feltsense.bundle.schema import pack
from feltsense.core.profile import UserProfile
from feltsense.core.vector import FeatureSchema, FeatureSpec
from feltsense.errors import BundleError, ProfileError, SchemaError, UnknownNameError


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    model, _ = make(seed=3, training={"data": "random", "subjects": ["A", "Ä"]})
    path = tmp_path_factory.mktemp("bundle") / "a.feltbundle"
    path.write_bytes(archive.seal(model, build(model), "# card µ\n"))
    return path, model


def test_everything_comes_back(sealed):
    path, model = sealed
    loaded = bundle.load(path, "numpy")
    body, arrays = pack(model)
    again, again_arrays = pack(loaded.model)
    assert again == body
    assert arrays.keys() == again_arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, again_arrays[name])
    assert loaded.card == "# card µ\n"
    assert len(loaded.id) == archive.ID_DIGITS


def test_the_parts_are_the_contract(sealed):
    with zipfile.ZipFile(sealed[0]) as z:
        assert sorted(z.namelist()) == ["arrays.npz", "bundle.json", "card.md", "model.onnx"]
        body = json.loads(z.read("bundle.json"))
    for key in ("target", "classes", "features", "schema_digest", "window_s", "memory", "engine", "training", "parts"):
        assert key in body


def parts_of(path):
    with zipfile.ZipFile(path) as z:
        return {n: z.read(n) for n in z.namelist()}


def written(tmp_path, parts):
    path = tmp_path / "b.feltbundle"
    with zipfile.ZipFile(path, "w") as z:
        for name, data in parts.items():
            z.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["arrays.npz", "card.md", "model.onnx"])
def test_an_altered_part_is_named(sealed, tmp_path, name):
    parts = parts_of(sealed[0])
    parts[name] = parts[name][:-1] + bytes([parts[name][-1] ^ 1])
    with pytest.raises(BundleError, match=f"{name} was altered"):
        bundle.load(written(tmp_path, parts))


def test_an_altered_description_is_refused(sealed, tmp_path):
    parts = parts_of(sealed[0])
    body = json.loads(parts["bundle.json"])
    body["decision"] = "rest"
    parts["bundle.json"] = json.dumps(body).encode()
    with pytest.raises(BundleError, match=r"bundle\.json was altered"):
        bundle.load(written(tmp_path, parts))


@pytest.mark.parametrize("change", [{"version": 1}, {"version": 3}, {"version": None}, {"format": "other"}])
def test_another_version_or_format_is_refused(sealed, tmp_path, change):
    parts = parts_of(sealed[0])
    parts["bundle.json"] = json.dumps(json.loads(parts["bundle.json"]) | change).encode()
    with pytest.raises(BundleError, match=r"version|not a feltsense bundle"):
        bundle.load(written(tmp_path, parts))


def test_missing_and_additional_members_are_refused(sealed, tmp_path):
    parts = parts_of(sealed[0])
    with pytest.raises(BundleError, match="not a feltsense bundle"):
        bundle.load(written(tmp_path, {k: v for k, v in parts.items() if k != "card.md"}))
    with pytest.raises(BundleError, match="not a feltsense bundle"):
        bundle.load(written(tmp_path, parts | {"evil.pkl": b"x"}))
    with pytest.raises(BundleError, match="no such bundle"):
        bundle.load(tmp_path / "nothing")


@settings(max_examples=60)
@given(st.data())
def test_damage_anywhere_is_refused_or_changes_nothing(sealed, data):
    path, model = sealed
    good = path.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    flip = data.draw(st.integers(1, 255))
    bad = path.with_name("damaged")
    bad.write_bytes(good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :])
    try:
        loaded = bundle.load(bad, "numpy")
    except BundleError:
        return
    assert pack(loaded.model)[0] == pack(model)[0], "a byte that no check covers must not change the model"


def test_unknown_runner_and_target():
    with pytest.raises(UnknownNameError, match="onnxruntime"):
        bundle.load(runner="torch")
    with pytest.raises(UnknownNameError, match="stress"):
        bundle.load(target="telepathy")


def specs(names, unit="1"):
    return [FeatureSpec(n, unit, "d", "s", 10.0) for n in names]


def test_a_schema_that_differs_is_refused_by_name(sealed):
    _, model = sealed
    good = FeatureSchema([("ppg", specs(["hr", "rmssd", "sdnn", "more"])), ("eda", specs(["scl", "slope", "scr"]))])
    assert [good.names[i] for i in model.columns(good)] == list(model.names)
    less = FeatureSchema([("ppg", specs(["hr", "sdnn"])), ("eda", specs(["scl", "slope", "scr"]))])
    with pytest.raises(SchemaError, match=r"missing: ppg\.rmssd"):
        model.columns(less)
    other = FeatureSchema([("ppg", specs(["hr", "rmssd", "sdnn"])), ("eda", specs(["scl", "slope", "scr"], "V"))])
    with pytest.raises(SchemaError, match=r"changed: eda\.scl \(1, now V\)"):
        model.columns(other)


def test_a_profile_of_other_features_is_refused(sealed):
    loaded = bundle.load(sealed[0], "numpy")
    with pytest.raises(ProfileError, match="calibrate again"):
        loaded.rest(UserProfile("A", schema_digest="0" * 64))
    mean, seconds = loaded.rest(UserProfile("A"))
    assert np.isnan(mean).all()
    assert (seconds == 0).all()


def test_shipped_default_is_small_and_says_where_it_comes_from():
    loaded = bundle.load(None)
    assert bundle.shipped()["stress"].stat().st_size < 1_000_000
    assert loaded.model.classes == ("rest", "stress")
    assert loaded.model.modalities == ("ppg", "eda")
    assert not [n for n in loaded.model.names if n.startswith(("motion", "skin_temperature"))]
    assert "(c) 2022 Talha Iqbal" in loaded.card
    assert "MIT" in loaded.card
    assert len(loaded.model.training["subjects"]) == 20


def test_base_install_predicts_without_onnx_onnxruntime_and_protobuf():
    code = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'onnx', 'onnxruntime', 'google', 'sklearn', 'lightgbm', 'pandas', 'matplotlib'}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Block())
import numpy as np
from feltsense import bundle
b = bundle.load()
assert b.runner.name == 'numpy', b.runner.name
m = b.model
out = b.runner.run(bundle.Inputs.of(m, np.full((1, len(m.names)), 1.0), np.ones((1, len(m.modalities)))))
assert abs(out.probability.sum() - 1) < 1e-12
print('ok')
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "ok", done.stderr
