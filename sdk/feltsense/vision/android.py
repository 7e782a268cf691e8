"""Frames of an Android phone: its buffers as red, green, blue arrays; numpy alone.

A phone hands pictures out as bytes: RGBA (CameraX's image analysis, camera4kivy's ``analyze_pixels``) or NV21 (the old
camera interface), turned by the sensor's mounting. An app gives those bytes here and the result to
:meth:`feltsense.vision.FaceReader.push`, with the boxes of the phone's own face detector where it has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["from_nv21", "from_rgba"]


def from_rgba(pixels: bytes, width: int, height: int, rotation: int = 0) -> NDArray[np.uint8]:
    """Picture from RGBA bytes.

    Parameters
    ----------
    pixels : bytes
        ``4 · width · height`` bytes, row by row.
    width, height : int
        Size of the buffer.
    rotation : int, optional
        Degrees clockwise by which it must be turned to be upright: 0, 90, 180 or 270.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Upright.
    """
    flat = _bytes(pixels, 4 * width * height, "RGBA", width, height)
    return _upright(flat.reshape(height, width, 4)[:, :, :3], rotation)


def from_nv21(pixels: bytes, width: int, height: int, rotation: int = 0) -> NDArray[np.uint8]:
    """Picture from NV21 bytes (full luma, then interleaved V and U of every second pixel; ITU-R BT.601, full range).

    Parameters
    ----------
    pixels : bytes
        ``width · height · 3 / 2`` bytes.
    width, height : int
        Size of the buffer, even.
    rotation : int, optional
        Degrees clockwise by which it must be turned to be upright: 0, 90, 180 or 270.
    """
    if width % 2 or height % 2:
        msg = f"NV21 of {width} × {height}: both sides are even"
        raise InputError(msg)
    flat = _bytes(pixels, width * height * 3 // 2, "NV21", width, height)
    y = flat[: width * height].reshape(height, width).astype(np.float32)
    vu = flat[width * height :].reshape(height // 2, width // 2, 2).astype(np.float32) - 128.0
    v, u = (vu[:, :, k].repeat(2, axis=0).repeat(2, axis=1) for k in (0, 1))
    rgb = np.stack((y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u), axis=-1)
    return _upright(np.clip(np.rint(rgb), 0.0, 255.0).astype(np.uint8), rotation)


def _bytes(pixels: bytes, expected: int, name: str, width: int, height: int) -> NDArray[np.uint8]:
    if len(pixels) != expected:
        msg = f"{name} of {width} × {height} has {expected} bytes, got {len(pixels)}; pass the buffer without row padding"
        raise InputError(msg)
    return np.frombuffer(pixels, np.uint8)


def _upright(image: NDArray[np.uint8], rotation: int) -> NDArray[np.uint8]:
    if rotation not in (0, 90, 180, 270):
        msg = f"rotation {rotation}: give 0, 90, 180 or 270 degrees clockwise"
        raise InputError(msg)
    return np.ascontiguousarray(np.rot90(image, -rotation // 90))
