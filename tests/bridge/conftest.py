"""The board's firmware, built once, and both engines of the virtual board."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from feltsense_bridge.testing.board_engine import PythonEngine, core_engine

FIRMWARE = Path(__file__).parents[2] / "firmware_bridge" / "firmware"
HOST = {"cc": "gcc", "make": "make"}


def need(tools):
    # In CI a skip is a failure (tests/conftest.py), so no run there passes without the tools.
    missing = [package for tool, package in tools.items() if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"tools for the firmware are absent: apt-get install {' '.join(missing)}")


def make(build, target):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    done = subprocess.run(
        ["make", "-C", str(FIRMWARE), f"BUILD={build}", target], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def firmware(tmp_path_factory):
    """Folder with the built core, ``libfelt.so``."""
    need(HOST)
    build = tmp_path_factory.mktemp("firmware")
    make(build, "lib")
    return build


@pytest.fixture(params=["python", "core"])
def engine(request):
    """What runs on a virtual board: the twin, and the firmware itself."""
    if request.param == "python":
        return PythonEngine
    return core_engine(request.getfixturevalue("firmware") / "libfelt.so")
