"""What a model is, whatever runs it: names, memory, normaliser, experts, fusion, decision.

Numbers live in arrays (``arrays.npz``), names and memory constants in ``bundle.json``; :func:`pack` and
:func:`unpack` go between a :class:`Model` and the two. Nothing here reads or writes a file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense import experts
from feltsense.core.modality import base, length_of, lengths
from feltsense.crossmodal.attention import Attention
from feltsense.crossmodal.joint import Joint, Together
from feltsense.errors import BundleError, FeltsenseError, SchemaError
from feltsense.fusion.adaptive import Adaptive
from feltsense.fusion.inputs import Normaliser
from feltsense.fusion.late import Fusion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.vector import FeatureSchema
    from feltsense.experts import Expert

__all__ = ["FORMAT", "VERSIONS", "Feature", "Member", "Model", "pack", "unpack"]

FORMAT = "feltsense.bundle"
VERSION, JOINT_VERSION, LENGTHS_VERSION = 2, 3, 4
"""2: with the adaptive baseline. 3: with a joint part, which a reader of 2 would silently leave out. 4: with features over
further windows that end with the model's own. Each is written only where it is needed, so that earlier releases read
what they can."""
VERSIONS = (VERSION, JOINT_VERSION, LENGTHS_VERSION)


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature that the model reads: its full name and what it must mean."""

    name: str
    unit: str
    min_seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """An expert and the inputs that it sees."""

    modality: str
    columns: NDArray[np.int64]
    expert: Expert


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A whole model.

    Attributes
    ----------
    target : str
        What is estimated.
    classes : tuple of str
        The first is the reference: its logit is 0.
    decision : str
        Class that contributions point to; not the first.
    modalities : tuple of str
        In the order of qualities and contributions.
    features : tuple of Feature
        In the order of the columns of x.
    inputs : tuple of str
        Names of the normalised inputs.
    normaliser : Normaliser
        Features → inputs.
    adaptive : Adaptive
        Inputs → standing among what the person has shown so far.
    members : tuple of Member
        The experts.
    fusion : Fusion
        Experts → logit.
    hold : float
        Advantage of the class that was decided last, in logits.
    plausible : float
        A class whose probability is at least this is in the conformal set.
    window_s, half_life_s : float
        Window length and memory of the smoothing, in seconds.
    training : mapping
        Where it came from: data, subjects, notice, seed, what was chosen. JSON values.
    joint : Joint, optional
        What looks at all modalities together.
    """

    target: str
    classes: tuple[str, ...]
    decision: str
    modalities: tuple[str, ...]
    features: tuple[Feature, ...]
    inputs: tuple[str, ...]
    normaliser: Normaliser
    adaptive: Adaptive
    members: tuple[Member, ...]
    fusion: Fusion
    hold: float
    plausible: float
    window_s: float
    half_life_s: float
    training: Mapping[str, Any] = field(default_factory=dict)
    joint: Joint | None = None

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or self.decision not in self.classes[1:]:
            msg = f"decision {self.decision!r} must be one of the classes after the first, classes: {self.classes}"
            raise BundleError(msg)
        if self.adaptive.population.shape[0] != len(self.inputs) or np.any(np.diff(self.adaptive.edges, axis=1) <= 0):
            msg = "an adaptive baseline has a row for each input, and bins in increasing order"
            raise BundleError(msg)
        if np.any(self.fusion.weight < 0) or np.any(self.normaliser.within <= 0):
            msg = "weights of a fusion are ≥ 0 and spreads within a person > 0"
            raise BundleError(msg)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(f.name for f in self.features)

    @property
    def imagines(self) -> tuple[str, ...]:
        """Modalities whose token the joint part imagines where they are missing."""
        if self.joint is None:
            return ()
        return tuple(m for m, yes in zip(self.modalities, self.joint.network.imagines, strict=True) if yes)

    @property
    def owner(self) -> NDArray[np.int64]:
        """Modality number of each input."""
        position = {m: i for i, m in enumerate(self.modalities)}
        return np.array([position[base(self.names[i])] for i in self.normaliser.left], np.int64)

    @property
    def watched(self) -> tuple[str, ...]:
        """What a pipeline is asked for: the modalities, then those over further windows (``ppg@30s``)."""
        further = dict.fromkeys(n.partition(".")[0] for n in self.names if length_of(n) is not None)
        return (*self.modalities, *further)

    @property
    def further_s(self) -> tuple[float, ...]:
        """Lengths of the further windows that end with the model's own, the longest first."""
        return lengths(self.names)

    @property
    def schema_digest(self) -> str:
        """Hash of the features that the model reads."""
        text = "\n".join(f"{f.name}|{f.unit}|{f.min_seconds}" for f in self.features)
        return hashlib.sha256(text.encode()).hexdigest()

    def together(
        self, score: NDArray[np.float64], present: NDArray[np.bool_], quality: NDArray[np.float64],
        past: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> Together:
        """What the joint part says of windows with these standings; nothing if there is none."""
        if self.joint is None:
            return Together.nothing(len(score), len(self.modalities), len(self.classes) - 1)
        return self.joint(score, present, self.fusion.fade(present, quality), past)

    def no_past(self, rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Earlier tokens and gates of windows without a past."""
        m = len(self.modalities)
        steps, width = (0, 0) if self.joint is None else (self.joint.network.steps, self.joint.network.width)
        return np.zeros((rows, steps, m, width)), np.zeros((rows, steps, m))

    def columns(self, schema: FeatureSchema) -> NDArray[np.int64]:
        """Where the model's features are in vectors of a schema.

        Raises
        ------
        SchemaError
            If a feature is missing or means something else; the message names all of them.
        """
        there = {n: Feature(n, s.unit, s.min_seconds) for n, s in zip(schema.names, schema.specs, strict=True)}
        missing = [f.name for f in self.features if f.name not in there]
        other = [f"{f.name} ({f.unit}, now {there[f.name].unit})" if f.unit != there[f.name].unit else
                 f"{f.name} (minimum {f.min_seconds:g} s, now {there[f.name].min_seconds:g} s)"
                 for f in self.features if f.name in there and there[f.name] != f]
        if missing or other:
            parts = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"changed: {', '.join(other)}"] * bool(other)
            msg = f"the model was trained on other features; {'; '.join(parts)}; train a model on these features"
            raise SchemaError(msg)
        return np.array([schema.position(f.name) for f in self.features], np.int64)


def pack(model: Model) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
    """Body of ``bundle.json`` (without hashes) and arrays of a model."""
    n, a, f = model.normaliser, model.adaptive, model.fusion
    arrays: dict[str, NDArray[np.generic]] = {
        "offset": n.offset, "left": n.left, "right": n.right,
        "population": n.population, "within": n.within, "between": n.between,
        "edges": a.edges, "shares": a.population,
        "member": f.member, "weight": f.weight, "base": f.base, "share": f.share, "need": f.need,
    }
    for i, member in enumerate(model.members):
        arrays[f"expert{i}.columns"] = member.columns
        arrays |= {f"expert{i}.{k}": v for k, v in member.expert.arrays().items()}
    if model.joint is not None:
        arrays |= {f"joint.{k}": v for k, v in model.joint.network.arrays().items()}
    body: dict[str, Any] = {
        "format": FORMAT,
        "version": LENGTHS_VERSION if model.further_s else VERSION if model.joint is None else JOINT_VERSION,
        "target": model.target,
        "classes": list(model.classes),
        "decision": model.decision,
        "engine": "stream",
        "window_s": model.window_s,
        "memory": {
            "smoothing_half_life_s": model.half_life_s, "rest_kappa_s": n.kappa,
            "adaptive_kappa_s": a.kappa, "adaptive_floor_s": a.floor,
        },
        "modalities": list(model.modalities),
        "features": [{"name": x.name, "unit": x.unit, "min_seconds": x.min_seconds} for x in model.features],
        "schema_digest": model.schema_digest,
        "inputs": list(model.inputs),
        "experts": [{"modality": m.modality, "kind": m.expert.kind} for m in model.members],
        "fusion": {"rescale": f.rescale, "min_quality": f.min_quality, "full_quality": f.full_quality},
        "hold": model.hold,
        "plausible": model.plausible,
        "training": dict(model.training),
    }
    if model.joint is not None:
        body["joint"] = {"kind": "attention", "weight": model.joint.weight}
    if model.further_s:
        body["further_windows_s"] = list(model.further_s)
    return body, arrays


def unpack(body: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]], where: str) -> Model:
    """Inverse of :func:`pack`.

    Raises
    ------
    BundleError
        If a field is missing or wrong; the message names the file.
    """
    try:
        model = _unpack(body, arrays)
        digest, agree = body["schema_digest"], model.further_s == tuple(map(float, body.get("further_windows_s", ())))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, FeltsenseError) as e:
        msg = f"{where}: damaged bundle ({type(e).__name__}: {e}); get a fresh copy or train it again"
        raise BundleError(msg) from None
    if not agree:
        msg = f"{where}: damaged bundle (further_windows_s does not belong to its features); get a fresh copy"
        raise BundleError(msg)
    if model.schema_digest != digest:
        msg = f"{where}: damaged bundle (schema_digest does not belong to its features); get a fresh copy"
        raise BundleError(msg)
    return model


def _unpack(body: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> Model:
    def floats(name: str) -> NDArray[np.float64]:
        return np.asarray(arrays[name], dtype=np.float64)

    def ints(name: str) -> NDArray[np.int64]:
        return np.asarray(arrays[name], dtype=np.int64)

    normaliser = Normaliser(
        floats("offset"), ints("left"), ints("right"), floats("population"), floats("within"), floats("between"),
        float(body["memory"]["rest_kappa_s"]),
    )
    memory = body["memory"]
    adaptive = Adaptive(
        floats("edges"), floats("shares"), float(memory["adaptive_kappa_s"]), float(memory["adaptive_floor_s"])
    )
    members = []
    for i, item in enumerate(body["experts"]):
        prefix = f"expert{i}."
        mine = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        expert = experts.expert(item["kind"]).from_arrays(mine)
        members.append(Member(str(item["modality"]), ints(f"{prefix}columns"), expert))
    f = body["fusion"]
    fusion = Fusion(
        ints("member"), floats("weight"), floats("base"), floats("share"), floats("need"),
        float(f["rescale"]), float(f["min_quality"]), float(f["full_quality"]),
    )
    joint = None
    if "joint" in body:
        mine = {k.removeprefix("joint."): v for k, v in arrays.items() if k.startswith("joint.")}
        joint = Joint(Attention.from_arrays(mine), float(body["joint"]["weight"]))
    features = tuple(Feature(str(x["name"]), str(x["unit"]), float(x["min_seconds"])) for x in body["features"])
    return Model(
        str(body["target"]), tuple(map(str, body["classes"])), str(body["decision"]), tuple(map(str, body["modalities"])),
        features, tuple(map(str, body["inputs"])), normaliser, adaptive, tuple(members), fusion, float(body["hold"]),
        float(body["plausible"]),
        float(body["window_s"]), float(body["memory"]["smoothing_half_life_s"]), dict(body["training"]),
        joint,
    )
