"""Reading a study's QR code: from the camera's pictures as they come, or from a picture in a file.

OpenCV's detector does it (``feltsense[vision]``); without it, or without a camera, the code is typed or pasted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from feltsense.errors import FeltsenseError, InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from feltsense_app.platform import Phone

    Picture = NDArray[Any]

__all__ = ["PICTURES", "code_in", "code_in_file", "seen"]

PICTURES = (".png", ".jpg", ".jpeg")
"""Files that are looked into."""
MOST = 450
"""Pictures that are looked at, half a minute of a camera: a person who holds up nothing is told so."""


def _cv2() -> Any:
    try:
        import cv2
    except ImportError:
        raise MissingExtraError("vision", "reading a QR code") from None
    return cv2


def code_in(pictures: Iterable[Picture]) -> str:
    """The first code that can be read.

    Parameters
    ----------
    pictures : iterable of array, shape (height, width) or (height, width, 3), uint8
        As the camera sees them.

    Raises
    ------
    InputError
        If there is none in the first :data:`MOST`.
    MissingExtraError
        If OpenCV is not installed.
    """
    cv2 = _cv2()
    detector = cv2.QRCodeDetector()
    for number, picture in enumerate(pictures):
        try:
            text, _, _ = detector.detectAndDecode(picture)
        except cv2.error:
            # Some pictures upset the detector; the next one is here in a moment.
            continue
        if text:
            return str(text)
        if number >= MOST:
            break
    msg = "no QR code was seen: hold it nearer, flat and in better light, or type the code"
    raise InputError(msg)


def code_in_file(path: Path) -> str:
    """The code in a picture.

    Raises
    ------
    InputError
        If it is no picture, or there is no code in it.
    MissingExtraError
        If OpenCV is not installed.
    """
    picture = _cv2().imread(str(path))
    if picture is None:
        msg = f"{path}: cannot be read as a picture; save it as PNG or JPEG"
        raise InputError(msg)
    return code_in([picture])


async def seen(phone: Phone) -> tuple[str, str]:
    """What the phone's camera sees, and why it sees nothing; in a thread: the window goes on meanwhile."""
    try:
        return await asyncio.to_thread(lambda: code_in(phone.pictures())), ""
    except FeltsenseError as error:
        return "", str(error)
