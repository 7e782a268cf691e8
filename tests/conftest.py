"""What tests share: where real recordings are, how much hypothesis may work, which skips CI allows."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("feltsense", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("feltsense")

ALLOWED = Path(__file__).with_name("allowed_skips.txt")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real recordings, named by FELTSENSE_DATA."""
    where = os.environ.get("FELTSENSE_DATA")
    if not where or not Path(where).is_dir():
        pytest.skip("real recordings are absent: set FELTSENSE_DATA to the folder that holds stress-predict/ and mitdb/")
    return Path(where)


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """In CI a skip that nobody allowed is a failure: it is a test that silently stopped testing."""
    for report in _forbidden(terminalreporter):
        terminalreporter.write_line(f"SKIP NOT ALLOWED IN CI: {report.nodeid}: {report.longrepr[2]}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.exitstatus == pytest.ExitCode.OK and _forbidden(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _forbidden(reporter):
    if os.environ.get("CI") != "true":
        return []
    allowed = [line for line in ALLOWED.read_text().splitlines() if line and not line.startswith("#")]
    skipped = reporter.stats.get("skipped", [])
    return [r for r in skipped if not any(a in str(r.longrepr[2]) for a in allowed)]
