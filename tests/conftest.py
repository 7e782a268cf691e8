"""What tests share: where real recordings are, and how much hypothesis may work."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("feltsense", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("feltsense")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real recordings, named by FELTSENSE_DATA."""
    where = os.environ.get("FELTSENSE_DATA")
    if not where or not Path(where).is_dir():
        pytest.skip("real recordings are absent: set FELTSENSE_DATA to the folder that holds stress-predict/ and mitdb/")
    return Path(where)
