"""All branches of the presenters are tested without a window: measured, and held at 100 %."""

import os
import subprocess
import sys
from pathlib import Path

import feltsense_app

HERE = Path(__file__).parent
TESTS = ("test_app_presenters.py", "test_app_prompts.py", "test_app_look.py", "test_app_neutral.py")
NO_WINDOW = "import sys; sys.modules['kivy'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"


def test_presenters_have_no_branch_that_is_not_tested(tmp_path):
    env = os.environ | {"COVERAGE_FILE": str(tmp_path / "coverage")}
    root = HERE.parents[1]
    source = Path(feltsense_app.__file__).parent / "presenters"
    run = tmp_path / "run.py"
    run.write_text(NO_WINDOW)
    tests = [str(HERE / name) for name in TESTS]
    coverage = [sys.executable, "-m", "coverage"]
    measure = [*coverage, "run", "--branch", f"--source={source}", str(run), "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(measure, env=env, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    report = [*coverage, "report", "-m", "--skip-covered", "--fail-under=100"]
    said = subprocess.run(report, env=env, cwd=root, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout
