"""One file per modality; each names its class in ``EXTRACTOR`` and is found by its module.

Two engines compute the same features: ``stream`` (numpy and scipy, incremental, everywhere) and ``neurokit``
(NeuroKit2 computes those of ECG and EDA from the same windows; the other modalities are the same in both).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.core import registry
from feltsense.core.modality import base, length_of
from feltsense.errors import UnknownNameError

if TYPE_CHECKING:
    from feltsense.core.extractor import Extractor

__all__ = ["ENGINES", "extractor", "modalities"]

ENGINES = ("stream", "neurokit")
"""Names of the engines; the first is the default."""


def modalities() -> tuple[str, ...]:
    """Names of all modalities that have an extractor."""
    # An engine's adapter lies in this folder, too.
    return tuple(name for name in registry.names(__name__) if name not in ENGINES)


def extractor(modality: str, engine: str = ENGINES[0]) -> type[Extractor]:
    """The extractor class of a modality.

    Parameters
    ----------
    modality : str
        Its name; over a window of its own (``ppg@30s``) it is the same class.
    engine : str, optional
        One of :data:`ENGINES`; a modality that NeuroKit2 does not compute is the same class in both.

    Raises
    ------
    UnknownNameError
        If there is no such modality or engine.
    InputError
        If the length in the name is none.
    """
    if length_of(modality) is not None:
        modality = base(modality)
    if engine not in ENGINES:
        raise UnknownNameError("feature engine", engine, ENGINES)
    found: type[Extractor] = registry.discover(__name__, "EXTRACTOR", "modality", modality)
    if engine == "neurokit":
        from feltsense.features._neurokit_windows import EXTRACTORS

        chosen: type[Extractor] = EXTRACTORS.get(modality, found)
        return chosen
    return found
