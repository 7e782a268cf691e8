"""Which features become inputs of a model, and how: the one table, per modality.

A feature of a modality that the table does not know is taken as it is. Coverage and artefact shares are quality,
not evidence. Logarithms make skewed features symmetric, so that a distance from rest means the same at every level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from feltsense.bundle.schema import Feature
from feltsense.core.modality import base, length_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.vector import FeatureSchema

__all__ = ["Input", "Plan", "plan"]


@dataclass(frozen=True, slots=True)
class Input:
    """One input: log(feature + offset) or the feature itself, minus another where `minus` names one.

    Attributes
    ----------
    feature : str
        Without its modality.
    offset : float or None
        Of the logarithm, in the feature's unit; None: as it is.
    minus : str or None
        Feature whose transformed value is subtracted.
    """

    feature: str
    offset: float | None = None
    minus: str | None = None


_PPG = (
    Input("hr"), Input("hr_weighted"), Input("hr_spectral"), Input("hr_p5"), Input("hr_p95"), Input("hr_slope"),
    Input("prv_iqr", 1.0), Input("prv_sdnn", 1.0), Input("prv_rmssd", 1.0), Input("prv_mad", 1.0), Input("prv_pnn50"),
    Input("prv_log_ratio"), Input("pulse_amplitude", 1e-3), Input("pulse_amplitude_cv", 1e-3), Input("pulse_rise"),
    Input("pulse_width"),
)

# Offsets are the least that the quantity is known to: half a step of the converter, or the least response.
_EDA = (
    Input("eda_median", 0.05), Input("eda_p10", 0.05), Input("eda_sd", 1e-3), Input("eda_range", 1e-3),
    Input("eda_log_slope"), Input("eda_slope"), Input("scl_slope"), Input("phasic_sd", 1e-4),
    Input("phasic_sd", 1e-4, minus="eda_median"), Input("phasic_auc", 6e-3), Input("eda_band_sd", 1e-4),
    Input("eda_activity", 4e-4), Input("scr_rate_01"), Input("scr_rate_03"), Input("scr_rate_05"),
    Input("scr_amplitude_sum", 1e-2), Input("scr_amplitude_max", 1e-2),
)

TABLE: Final[Mapping[str, tuple[Input, ...]]] = {"ppg": _PPG, "eda": _EDA}
QUALITY_ONLY = frozenset({"coverage", "artefact_fraction"})


@dataclass(frozen=True, slots=True)
class Plan:
    """Features that a model reads and inputs that it makes of them, for one schema."""

    features: tuple[Feature, ...]
    names: tuple[str, ...]
    offset: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]

    @property
    def windows(self) -> tuple[str, ...]:
        """Modality and length of each input, as ``ppg`` or ``ppg@30s``."""
        return tuple(n.partition(".")[0] for n in self.names)


def plan(schema: FeatureSchema) -> Plan:
    """Resolve the table for a schema."""
    inputs: list[tuple[str, Input]] = []
    specs = dict(zip(schema.names, schema.specs, strict=True))
    for modality in schema.modalities:
        known = [n.partition(".")[2] for n, owner in zip(schema.names, schema.owner, strict=True) if owner == modality]
        listed = TABLE.get(base(modality)) or tuple(Input(n) for n in known)
        # What needs more time than a further window has is missing in every one: it is no input.
        length = length_of(modality)
        usable = {n for n in known if length is None or specs[f"{modality}.{n}"].min_seconds <= length} - QUALITY_ONLY
        inputs += [(modality, i) for i in listed if i.feature in usable and (i.minus is None or i.minus in usable)]
    offsets: dict[str, float | None] = {}
    for modality, item in inputs:
        offsets.setdefault(f"{modality}.{item.feature}", item.offset)
    names = tuple(offsets)
    position = {n: i for i, n in enumerate(names)}
    return Plan(
        tuple(Feature(n, specs[n].unit, specs[n].min_seconds) for n in names),
        tuple(f"{m}.{i.feature}" + (f"-{i.minus}" if i.minus else "") for m, i in inputs),
        tuple(float("nan") if o is None else o for o in offsets.values()),
        tuple(position[f"{m}.{i.feature}"] for m, i in inputs),
        tuple(position[f"{m}.{i.minus}"] if i.minus else -1 for m, i in inputs),
    )
