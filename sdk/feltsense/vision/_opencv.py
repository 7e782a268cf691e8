"""OpenCV, where it is needed: the extra ``vision``."""

from __future__ import annotations

from typing import Any

from feltsense.errors import MissingExtraError

__all__ = ["opencv"]


def opencv(purpose: str) -> Any:
    """The ``cv2`` module.

    Raises
    ------
    MissingExtraError
        If it is not installed, or is a release 5, which has no cascade detector.
    """
    try:
        import cv2
    except ImportError:
        raise MissingExtraError("vision", purpose) from None
    if not hasattr(cv2, "CascadeClassifier"):
        raise MissingExtraError("vision", f"{purpose} (OpenCV 4, not {cv2.__version__})")
    return cv2
