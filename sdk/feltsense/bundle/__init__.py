"""The one-file model: load it, run it, write it.

``load(path)`` checks every hash, then runs the model with onnxruntime where that is installed, else with numpy.
No personal data is in a bundle: a person's rest enters as inputs (:class:`feltsense.core.profile.UserProfile`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from feltsense.bundle import archive
from feltsense.bundle.run import Inputs, NumpyRunner, OnnxRunner, Outputs, Runner
from feltsense.errors import MissingExtraError, ProfileError, UnknownNameError
from feltsense.fusion.prior import leaning, shares_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.bundle.schema import Model
    from feltsense.core.profile import UserProfile

__all__ = ["Bundle", "Inputs", "Outputs", "load", "shipped"]

SUFFIX = ".feltbundle"
MS = 1000.0
EARLIER_S = 3600.0
"""As long as the sessions that the models were trained on."""
RUNNERS = ("auto", "numpy", "onnxruntime")


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A loaded model.

    Attributes
    ----------
    model : Model
        Names, memory, numbers.
    runner : Runner
        What evaluates it.
    card : str
        The model card, Markdown.
    id : str
        First 16 digits of the hash of the whole bundle.
    path : str
        Where it was loaded from.
    shares : ndarray, shape (classes,), or None
        How common each class is where the model is used (:meth:`with_prior`); None: equally.
    """

    model: Model
    runner: Runner
    card: str
    id: str
    path: str
    shares: NDArray[np.float64] | None = None

    @classmethod
    def load(cls, path: str | Path | None = None, runner: str = "auto") -> Bundle:
        """See :func:`load`."""
        return load(path, runner)

    def with_prior(self, prior: Mapping[str, float]) -> Bundle:
        """The same model where classes are as common as `prior` says: other probabilities.

        Labels of two classes stay the same; of more, they lean towards it as far as training found worth it
        (:mod:`feltsense.fusion.prior`).

        Parameters
        ----------
        prior : mapping of str to float
            Share of each class, adding up to 1.

        Raises
        ------
        InputError
            If it does not fit the model's classes.
        """
        return replace(self, shares=shares_of(prior, self.model.classes))

    def label(self, probability: NDArray[np.float64]) -> str:
        """The class to tell, of probabilities (classes,) at equal shares."""
        lean = float(self.model.training.get("lean", 0.0))
        told = probability[None] if self.shares is None else leaning(probability[None], self.shares, lean)
        return self.model.classes[int(told[0].argmax())]

    def rest(self, profile: UserProfile | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and seconds of rest of each of the model's features, as a profile knows them.

        Raises
        ------
        ProfileError
            If the profile was made from other features.
        """
        names = self.model.names
        mean, seconds = np.full(len(names), np.nan), np.zeros(len(names))
        if profile is None:
            return mean, seconds
        if profile.schema_digest and profile.schema_digest != self.model.schema_digest:
            odd = sorted(set(names) ^ set(profile.rest)) or ["units or minimum lengths"]
            which = f"{', '.join(odd[:6])}"
            msg = f"profile of {profile.subject!r} was made from other features ({which}); calibrate again with this model"
            raise ProfileError(msg)
        for i, name in enumerate(names):
            moments = profile.rest.get(name)
            if moments is not None and moments.n:
                mean[i], seconds[i] = moments.mean, profile.seconds(name)
        return mean, seconds

    def seen(self, profile: UserProfile | None) -> NDArray[np.float64]:
        """Seconds that the person has spent in each bin of each input, as a profile knows them.

        What earlier sessions saw counts as an hour at most: else a profile of weeks could not follow today.
        Histograms of another model's bins are not used.
        """
        a = self.model.adaptive
        out = np.zeros(a.population.shape)
        if profile is None or profile.bins != a.digest:
            return out
        for i, name in enumerate(self.model.inputs):
            if len(profile.seen.get(name, ())) == a.bins:
                out[i] = np.array(profile.seen[name], np.float64) / MS
        total = out.sum(axis=1, keepdims=True)
        bounded: NDArray[np.float64] = out * np.minimum(1.0, EARLIER_S / np.maximum(total, 1.0))
        return bounded

    def looked_at(self, inputs: Inputs) -> NDArray[np.float64]:
        """Attention maps of the joint part: what was looked at, which is no reason (docs/crossmodal.md).

        Parameters
        ----------
        inputs : Inputs
            As a session keeps them.

        Returns
        -------
        ndarray, shape (n, heads, 1 + modalities, 1 + modalities · (1 + steps))
            As :meth:`feltsense.crossmodal.Attention.look`; named by its ``labels``. No heads without a joint part.
        """
        return NumpyRunner(self.model).looked_at(inputs)

    def personal(self, profile: UserProfile | None) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Slope, offset and temperature, each (1, …), as a profile knows them; 1, 0 and 1 for nobody's.

        Raises
        ------
        ProfileError
            If they were learned for another target's classes.
        """
        others = len(self.model.classes) - 1
        own = profile.calibrator if profile is not None else None
        if profile is None or own is None:
            return np.ones((1, others)), np.zeros((1, others)), np.ones((1, 1))
        if own.target != self.model.target or len(own.slope) != others:
            msg = (
                f"profile of {profile.subject!r} was calibrated with labels for {own.target}, this model estimates "
                f"{self.model.target}: use a profile of its own"
            )
            raise ProfileError(msg)
        return np.array([own.slope]), np.array([own.offset]), np.array([[own.temperature]])


def shipped() -> dict[str, Path]:
    """Target → file of the bundles that come with feltsense."""
    folder = Path(__file__).with_name("data")
    return {p.name.removesuffix(SUFFIX): p for p in sorted(folder.glob(f"*{SUFFIX}"))}


def load(path: str | Path | None = None, runner: str = "auto", target: str = "stress") -> Bundle:
    """Load a bundle.

    Parameters
    ----------
    path : path-like, optional
        File; default the shipped bundle of `target`.
    runner : {"auto", "numpy", "onnxruntime"}
        auto: onnxruntime where it is installed, else numpy.
    target : str
        Which shipped bundle.

    Raises
    ------
    BundleError
        If it is no bundle, of another version, or altered.
    UnknownNameError
        If no bundle of that target is shipped, or there is no such runner.
    MissingExtraError
        If onnxruntime was asked for and is not installed.
    """
    if runner not in RUNNERS:
        raise UnknownNameError("runner", runner, RUNNERS)
    if path is None:
        bundles = shipped()
        if target not in bundles:
            raise UnknownNameError("shipped target", target, bundles)
        path = bundles[target]
    parts = archive.read(Path(path))
    chosen: Runner = NumpyRunner(parts.model) if runner == "numpy" else _onnx(parts, runner)
    return Bundle(parts.model, chosen, parts.card, parts.id, str(path))


def _onnx(parts: archive.Parts, runner: str) -> Runner:
    try:
        return OnnxRunner(parts.graph)
    except MissingExtraError:
        if runner != "auto":
            raise
    return NumpyRunner(parts.model)
