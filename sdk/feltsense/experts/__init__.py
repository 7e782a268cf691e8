"""One file per family of experts; each names its class in ``EXPERT`` and is found by its module.

An expert sees one modality's normalised inputs (NaN = missing) and gives a margin for every class but the first:
log-odds against the first class, before fusion. It evaluates itself in numpy, writes itself to arrays, and emits
its own part of the ONNX graph; nothing else knows its family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from feltsense.core import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Emitter", "Expert", "expert", "kinds"]


class Emitter(Protocol):
    """What an expert needs of a graph builder: it never imports onnx itself."""

    def constant(self, value: NDArray[np.generic]) -> str:
        """Add a constant; its name."""

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node with one output; the output's name."""

    def ml(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add a node of the classical machine learning domain; the output's name."""


class Expert(Protocol):
    """One modality's classifier, fitted."""

    kind: ClassVar[str]

    def margins(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Margins (n, classes − 1) of inputs (n, features)."""

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything it is, as arrays."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Inverse of :meth:`arrays`."""

    def emit(self, graph: Emitter, z: str) -> str:
        """Add its nodes to a graph, from input `z` (n, features) in double; the name of its margins."""


def kinds() -> tuple[str, ...]:
    """Names of all families."""
    return registry.names(__name__)


def expert(kind: str) -> type[Expert]:
    """The class of a family.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    found: type[Expert] = registry.discover(__name__, "EXPERT", "kind of expert", kind)
    return found
