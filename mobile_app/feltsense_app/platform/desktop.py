"""A desktop: no permissions to ask for, notifications inside the window."""

from __future__ import annotations

import locale
import os
import shutil
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.errors import InputError, MissingExtraError
from feltsense.store.keys import PASSPHRASE_VARIABLE
from feltsense_app.presenters.permissions import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from fractions import Fraction
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from feltsense.vision import Frame

__all__ = ["Desktop"]

POWER = Path("/sys/class/power_supply")
"""Linux names its batteries here; elsewhere the battery is not known, and home does not speak of it."""


class Desktop:
    """A desktop.

    Parameters
    ----------
    folder : Path, optional
        Where files are kept; default ``$XDG_DATA_HOME/feltsense`` or ``~/.local/share/feltsense``.
    secret : str, optional
        What wraps the keys of recordings; default ``FELTSENSE_PASSPHRASE``, as for the command line, and where there is
        none the system's key store.
    """

    def __init__(self, folder: Path | None = None, secret: str | None = None) -> None:
        home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
        self.folder = folder if folder is not None else home / "feltsense"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._secret = secret
        self.said: deque[tuple[str, str]] = deque(maxlen=20)
        """The last notifications; home says the same."""

    def space(self) -> tuple[float, float | None]:
        """Free bytes, and the battery from 0 to 1 where there is one."""
        return float(shutil.disk_usage(self.folder).free), _battery()

    def secret(self) -> str | None:
        """What wraps the keys of recordings; None: the system's key store does."""
        return self._secret or os.environ.get(PASSPHRASE_VARIABLE) or None

    def language(self) -> str:
        """As the system names it."""
        return locale.getlocale()[0] or "en"

    def notify(self, title: str, text: str) -> None:
        """Show a notification."""
        self.said.append((title, text))

    def pictures(self) -> Iterator[Any]:
        """What the first camera sees."""
        try:
            import cv2
        except ImportError:
            raise MissingExtraError("vision", "the camera") from None
        camera = cv2.VideoCapture(0)
        try:
            if not camera.isOpened():
                msg = "this computer has no camera that can be used: type the code, or name a picture of it"
                raise InputError(msg)
            while (seen := camera.read())[0]:
                yield seen[1]
        finally:
            camera.release()

    def frames(self, rate: Fraction) -> Generator[Frame]:
        """What the first camera sees, with times."""
        from feltsense.vision import CameraSource

        source = CameraSource(0, rate)
        try:
            yield from source
        finally:
            source.close()

    def sound(self, rate: Fraction) -> Generator[NDArray[np.float64]]:
        """Nothing: what the app is made of reads no desktop's microphone."""
        msg = "on a desktop this version does not reach the microphone"
        raise InputError(msg)

    def permission(self, name: str) -> Grant:
        """A desktop asks nobody."""
        return Grant.GRANTED

    def request(self, name: str, answered: Callable[[Grant], None]) -> None:
        """A desktop asks nobody."""
        answered(Grant.GRANTED)

    def open_settings(self) -> None:
        """There are none."""

    def stay_awake(self, *, on: bool) -> None:
        """A desktop does not put programs to sleep."""


def _battery() -> float | None:
    for path in sorted(POWER.glob("BAT*/capacity")):
        try:
            return int(path.read_text()) / 100
        except (OSError, ValueError):
            continue
    return None
