"""Blendshapes from outside: what ARKit, MediaPipe or a browser has made of a face becomes rows, without a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.blendshapes import SHAPES, coefficients
from feltsense.core.chunk import StreamInfo
from feltsense.core.signals import spec
from feltsense.errors import InputError
from feltsense.vision.frame_rows import FrameRows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from numpy.typing import ArrayLike

    from feltsense.core.chunk import Chunk

__all__ = ["BlendshapeReader", "blendshape_stream"]


def blendshape_stream(rate: float | Fraction | str, stream_id: str = "camera.blendshapes") -> StreamInfo:
    """Stream of kind ``blendshapes``.

    Parameters
    ----------
    rate : float, Fraction or str
        Frames per second that the camera aims at.
    stream_id : str, optional
        ``<device>.<stream>``.
    """
    return StreamInfo(stream_id, spec("blendshapes", rate), stream_id.rpartition(".")[0])


class BlendshapeReader:
    """A frame's 52 coefficients in, one-row chunks out.

    Parameters
    ----------
    info : StreamInfo
        The stream (:func:`blendshape_stream`).

    Raises
    ------
    InputError
        If the stream is of another kind, or has no rate.
    """

    def __init__(self, info: StreamInfo) -> None:
        if info.spec.name != "blendshapes" or info.spec.rate is None:
            msg = f"{info.id}: blendshapes come in a stream of that kind and have a rate; make it by blendshape_stream()"
            raise InputError(msg)
        self.info = info
        self._rows = FrameRows(info)

    def push(self, shapes: Mapping[str, float] | ArrayLike | None, t_ns: int) -> Chunk:
        """Read one frame.

        Parameters
        ----------
        shapes : mapping of str to float, array_like of shape (52,), or None
            Coefficients 0 to 1 (:func:`feltsense.core.blendshapes.coefficients`); None where no face was found.
        t_ns : int
            Session time of the exposure, ns.

        Raises
        ------
        InputError
            If they are no such coefficients, or the frame is not later than the one before.
        """
        row = np.full(len(SHAPES), np.nan) if shapes is None else coefficients(shapes)
        self._rows.check(t_ns)
        return self._rows.chunk(row, self._rows.step(t_ns))
