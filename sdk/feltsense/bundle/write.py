"""Writing a bundle: build the graph, pass the parity gate, seal, write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense.bundle import archive, parity
from feltsense.bundle._graph import build

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from feltsense.bundle.parity import Parity
    from feltsense.bundle.schema import Model

__all__ = ["write"]


def write(
    path: str | Path,
    model: Model,
    card: str,
    stack: Sequence[Callable[[NDArray[np.float64]], NDArray[np.float64]]],
) -> Parity:
    """Write a model as a bundle; the file appears whole or not at all.

    Parameters
    ----------
    path : path-like
        Where to.
    model : Model
        What.
    card : str
        Model card, Markdown.
    stack : sequence of callable
        Margins of each expert as its own library computes them, for the parity gate.

    Raises
    ------
    BundleError
        If the parity gate refuses the model.
    MissingExtraError
        If onnx or onnxruntime is not installed.
    """
    graph = build(model)
    result = parity.check(model, graph, stack)
    path = Path(path)
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(archive.seal(model, graph, card))
    os.replace(beside, path)
    return result
