"""The session's clock: it never steps, also not over a restart of the app.

People and networks set the clock on a phone's face, while the app runs and while it does not. A recording that went on
in the new time would claim a gap that was none, or go back in time. So session time is the time since the phone was
switched on, plus a number that is kept; only when the phone itself was switched off it is taken from the phone's face
anew. Prompts follow the phone's face: ten o'clock is when it shows ten.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["System", "session_clock"]

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Linux, and so Android: differs from one start of the phone to the next."""
FILE = "clock.json"


def _boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _steady() -> int:
    # Unlike CLOCK_MONOTONIC it goes on while the phone sleeps.
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if boottime is None else time.clock_gettime_ns(boottime)


@dataclass(frozen=True, slots=True)
class System:
    """The system's clocks.

    Attributes
    ----------
    boot : callable
        Which start of the machine this is; empty where nobody knows.
    steady : callable
        Time since then, ns: never steps, and goes on while the machine sleeps.
    wall : callable
        Unix ns, as the machine's face shows it.
    """

    boot: Callable[[], str] = _boot
    steady: Callable[[], int] = _steady
    wall: Callable[[], int] = time.time_ns


def session_clock(folder: Path, system: System = System()) -> Callable[[], int]:
    """The session's clock, Unix ns.

    Parameters
    ----------
    folder : Path
        Where the app keeps its files.
    system : System
        The system's clocks.
    """
    path, boot = folder / FILE, system.boot()
    base = system.wall() - system.steady()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if boot and kept["boot"] == boot:
            base = int(kept["base"])
            return lambda: base + system.steady()
    except (OSError, ValueError, KeyError, TypeError):
        # The first start, or a file that a full disk has cut short: the phone's face is as good as anything.
        pass
    # On a full disk, which home says, all that is lost is that the next start goes on in this one's time.
    with suppress(OSError):
        path.write_text(json.dumps({"boot": boot, "base": base}), encoding="utf-8")
    return lambda: base + system.steady()
