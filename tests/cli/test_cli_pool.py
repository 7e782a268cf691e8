"""Many tasks: one that raises or whose worker dies is named, and loses nobody else's work."""

import os
import signal

import pytest

from feltsense.cli._pool import DIED, each


def work(name):
    """Importable, as a spawned worker needs it."""
    if name == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "raises":
        raise ZeroDivisionError("by none")
    return "" if name == "good" else f"{name} is wrong"


def test_in_this_process_and_in_others_the_same():
    tasks = [("good",), ("bad",), ("good",)]
    expected = {0: "", 1: "bad is wrong", 2: ""}
    assert dict(each(work, tasks, 1)) == expected
    assert dict(each(work, tasks, 2)) == expected


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_worker_that_dies_takes_nobody_along():
    found = dict(each(work, [("good",), ("dies",), ("raises",), ("good",)], 2))
    assert found == {0: "", 1: DIED, 2: "ZeroDivisionError: by none", 3: ""}
