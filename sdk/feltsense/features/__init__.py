"""One file per modality; each names its class in ``EXTRACTOR`` and is found by its module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.core import registry

if TYPE_CHECKING:
    from feltsense.core.extractor import Extractor

__all__ = ["extractor", "modalities"]


def modalities() -> tuple[str, ...]:
    """Names of all modalities that have an extractor."""
    return registry.names(__name__)


def extractor(modality: str) -> type[Extractor]:
    """The extractor class of a modality.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    found: type[Extractor] = registry.discover(__name__, "EXTRACTOR", "modality", modality)
    return found
