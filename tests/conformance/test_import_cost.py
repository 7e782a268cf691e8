"""The base install is numpy + scipy, and importing it costs next to nothing."""

import json
import subprocess
import sys

HEAVY = {"pandas", "matplotlib", "sklearn", "neurokit2", "scipy.stats", "lightgbm", "onnx", "onnxruntime", "bleak", "bumble"}


def loaded(code):
    report = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    return set(json.loads(subprocess.run([sys.executable, "-c", report], capture_output=True, check=True).stdout))


def test_import_feltsense_adds_at_most_60_modules_to_numpys():
    extra = loaded("import feltsense") - loaded("import numpy")
    assert len(extra) <= 60, sorted(extra)
    assert not extra & HEAVY


def test_the_public_names_need_no_heavy_library():
    code = "import feltsense\nfor n in feltsense.__all__: getattr(feltsense, n)"
    # scipy.signal itself imports scipy.stats: who filters pays for it, who only imports feltsense does not.
    assert not loaded(code) & (HEAVY - {"scipy.stats"})


def test_help_needs_no_scipy():
    code = "from feltsense.cli import parser\nparser()"
    assert not loaded(code) & (HEAVY | {"scipy", "scipy.signal"})
