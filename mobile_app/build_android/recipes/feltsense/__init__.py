"""python-for-android recipe: the three packages of this repository, copied as they are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pythonforandroid.recipe import PythonRecipe

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("sdk/feltsense", "firmware_bridge/feltsense_bridge", "mobile_app/feltsense_app")


class FeltsenseRecipe(PythonRecipe):
    """Plain Python: nothing is downloaded and nothing compiled."""

    version = "source"
    url = None
    depends = ("python3", "numpy", "scipy")
    site_packages_name = "feltsense"

    def should_build(self, arch: Any) -> bool:
        """Always: the sources beside this file may have changed."""
        return True

    def prepare_build_dir(self, arch: Any) -> None:
        """There is nothing to unpack."""

    def build_arch(self, arch: Any) -> None:
        """Copy the packages."""
        target = Path(self.ctx.get_python_install_dir(arch.arch))
        for package in PACKAGES:
            shutil.copytree(ROOT / package, target / Path(package).name, dirs_exist_ok=True)


recipe = FeltsenseRecipe()
