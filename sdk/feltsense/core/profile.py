"""What is known about one person: the rest baseline of every feature, what has been seen since, and its history.

Rules
-----
- A profile holds numbers about features, never signals. It is small, of constant size, and a person may read it.
- It is a value: ``update``, ``revert`` and ``merge`` return a new one. ``merge`` is associative and
  ``revert(update(x))`` is the identity, exactly (:mod:`feltsense.core.moments`).
- ``predict`` reads a profile and never writes it.
- What has been seen is a histogram for each input of a model: whole milliseconds in fixed bins, so that histograms add
  and what was put in comes out again, exactly. Counts are meant against the rest that was known when they were made.
- JSON round trip is exact; a file of another format or version is refused.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from feltsense.core.modality import base, length_of
from feltsense.core.moments import Moments
from feltsense.core.timeline import to_ns
from feltsense.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feltsense.core.vector import FeatureVector

__all__ = ["Calibrator", "RestInterval", "UserProfile"]

FORMAT = "feltsense.profile"
DIGITS = 15
"""Of milliseconds: more than a life."""
ABOUT = ("age", "sex", "culture", "language")
"""What a person may tell about themselves, each a short text of their own choice (an age band, not a date of birth):
nothing is asked for, and no estimate uses it. Evaluations report each group by itself."""
LONGEST_ABOUT = 40
VERSION = 2
READABLE = (1, 2)
"""Version 1 has no histograms."""


@dataclass(frozen=True, slots=True, order=True)
class RestInterval:
    """An interval of known rest that a baseline was learned from, in session time (Unix ns)."""

    start_ns: int
    stop_ns: int

    @classmethod
    def of(cls, t0_ns: int, start: float, stop: float) -> RestInterval:
        """Interval from `start` to `stop` seconds after `t0_ns`, a recording's first sample."""
        return cls(t0_ns + to_ns(start), t0_ns + to_ns(stop))


@dataclass(frozen=True, slots=True)
class Calibrator:
    """What labels of the person's own have taught about reading the model's logits.

    Attributes
    ----------
    slope, offset : tuple of float
        For every class but the first.
    temperature : float
        The logit becomes (slope · logit + offset) / temperature.
    labels : tuple of int
        Labelled windows of each class behind it.
    target : str
        Of which model's target.
    """

    slope: tuple[float, ...]
    offset: tuple[float, ...]
    temperature: float
    labels: tuple[int, ...]
    target: str


@dataclass(frozen=True, slots=True, eq=True)
class UserProfile:
    """One person's baseline.

    Attributes
    ----------
    subject : str
        Pseudonym.
    rest : mapping of str to Moments
        Feature name → count, mean and squared deviation over the windows of rest.
    intervals : tuple of RestInterval
        Where the rest was; windows that overlap it are not scored.
    schema_digest : str
        Digest of the feature schema that the baseline belongs to.
    window_s, hop_s : float
        Windows over which the baseline was learned.
    lineage : tuple of str
        How the profile came about, oldest first, for people.
    seen : mapping of str to tuple of int
        Input of a model → milliseconds spent in each of its bins (:mod:`feltsense.fusion.adaptive`).
    bins : str
        Digest of the bins; empty where nothing has been seen.
    calibrator : Calibrator or None
        Learned from labels (:mod:`feltsense.fusion.personal`); None without any.
    about : mapping of str to str
        What the person wished to tell (:data:`ABOUT`).
    each_s : mapping of str to float
        Modality → seconds of rest that each of its vectors counts as, where it was not learned in windows of the rest (a
        neutral face, a sentence read aloud).
    """

    subject: str
    rest: Mapping[str, Moments] = field(default_factory=dict)
    intervals: tuple[RestInterval, ...] = ()
    schema_digest: str = ""
    window_s: float = 60.0
    hop_s: float = 5.0
    lineage: tuple[str, ...] = ()
    seen: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    bins: str = ""
    calibrator: Calibrator | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    each_s: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        odd = [n for n, v in self.about.items() if n not in ABOUT or not 0 < len(v.strip()) <= LONGEST_ABOUT]
        if odd:
            msg = f"about {', '.join(odd)}: a profile knows {', '.join(ABOUT)}, each a text of 1 to {LONGEST_ABOUT} letters"
            raise ProfileError(msg)
        object.__setattr__(self, "about", MappingProxyType(dict(self.about)))
        object.__setattr__(self, "each_s", MappingProxyType(dict(self.each_s)))
        object.__setattr__(self, "seen", MappingProxyType({n: tuple(c) for n, c in self.seen.items()}))
        object.__setattr__(self, "rest", MappingProxyType(dict(self.rest)))
        object.__setattr__(self, "intervals", tuple(sorted(set(self.intervals))))

    def seconds(self, name: str) -> float:
        """Seconds of rest behind a feature: n windows, one every `hop_s`, span (n − 1) · hop_s + window_s.

        Vectors of a modality in :attr:`each_s` count as so much each.
        """
        n = self.rest[name].n if name in self.rest else 0
        each = self.each_s.get(base(name))
        if each is not None:
            return n * each
        return (n - 1) * self.hop_s + (length_of(name) or self.window_s) if n else 0.0

    def update(self, vector: FeatureVector) -> UserProfile:
        """With one more window of rest."""
        return self._moved(vector, "update")

    def revert(self, vector: FeatureVector) -> UserProfile:
        """Without a window that was put in before."""
        return self._moved(vector, "revert")

    def merge(self, other: UserProfile) -> UserProfile:
        """Two baselines of one person together.

        Raises
        ------
        ProfileError
            If they belong to two people or to different features.
        """
        if self.subject != other.subject:
            msg = f"profiles of {self.subject!r} and {other.subject!r} belong to two people"
            raise ProfileError(msg)
        if self.schema_digest and other.schema_digest and self.schema_digest != other.schema_digest:
            msg = f"profiles of {self.subject!r} were made from different features: calibrate again"
            raise ProfileError(msg)
        seen = self.saw(other.seen, other.bins)
        names = {**self.rest, **other.rest}
        rest = {n: self.rest.get(n, Moments()).merge(other.rest.get(n, Moments())) for n in names}
        return replace(
            self,
            rest=rest,
            intervals=(*self.intervals, *other.intervals),
            schema_digest=self.schema_digest or other.schema_digest,
            lineage=(*self.lineage, *other.lineage),
            seen=seen.seen,
            bins=seen.bins,
            # Calibrators do not add: the one that more labels are behind stays.
            calibrator=max((self.calibrator, other.calibrator), key=_weight),
            about={**other.about, **self.about},
            each_s={**other.each_s, **self.each_s},
        )

    def saw(self, seen: Mapping[str, Sequence[int]], bins: str) -> UserProfile:
        """With more milliseconds in the bins of each input.

        Raises
        ------
        ProfileError
            If the bins are not those of this profile.
        """
        return self._counted(seen, bins, 1)

    def unsaw(self, seen: Mapping[str, Sequence[int]], bins: str) -> UserProfile:
        """Without milliseconds that were put in before: exactly undoes :meth:`saw`.

        Raises
        ------
        ProfileError
            If the bins are not those of this profile, or so much was never put in.
        """
        return self._counted(seen, bins, -1)

    def _counted(self, seen: Mapping[str, Sequence[int]], bins: str, sign: int) -> UserProfile:
        if self.bins and bins and self.bins != bins:
            msg = f"what was seen of {self.subject!r} was counted for another model: calibrate again with this one"
            raise ProfileError(msg)
        counts = dict(self.seen)
        for name, more in seen.items():
            before = counts.get(name, (0,) * len(more))
            if len(before) != len(more):
                msg = f"what was seen of {self.subject!r} in {name} has {len(before)} bins, not {len(more)}: calibrate again"
                raise ProfileError(msg)
            now = tuple(int(a) + sign * int(b) for a, b in zip(before, more, strict=True))
            if min(now, default=0) < 0:
                msg = f"of {self.subject!r} so much was never seen in {name}: nothing to take back"
                raise ProfileError(msg)
            counts.pop(name, None)
            if any(now):
                counts[name] = now
        return replace(self, seen=counts, bins=(self.bins or bins) if counts else "")

    def _moved(self, vector: FeatureVector, verb: str) -> UserProfile:
        rest = dict(self.rest)
        for name, value in zip(vector.schema.names, vector.values, strict=True):
            moments = getattr(rest.get(name, Moments()), verb)(float(value))
            if moments.n:
                rest[name] = moments
            else:
                rest.pop(name, None)
        return replace(self, rest=rest)

    def to_json(self) -> str:
        """Text of the profile; reading it back gives an equal profile."""
        body: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "subject": self.subject,
            "window_s": self.window_s,
            "hop_s": self.hop_s,
            "schema_digest": self.schema_digest,
            "intervals": [[i.start_ns, i.stop_ns] for i in self.intervals],
            "lineage": list(self.lineage),
            # total and squares are exact integers beyond 2^53, which other JSON readers round: so they are text.
            "rest": {
                name: {
                    "n": m.n,
                    "mean": m.mean,
                    "sd": m.sd if m.n > 1 else None,
                    "total": str(m.total),
                    "squares": str(m.squares),
                }
                for name, m in sorted(self.rest.items())
            },
            "calibrator": asdict(self.calibrator) if self.calibrator else None,
            "about": dict(sorted(self.about.items())),
            "each_s": dict(sorted(self.each_s.items())),
            "bins": self.bins,
            "seen_ms": {name: " ".join(map(str, counts)) for name, counts in sorted(self.seen.items())},
        }
        return json.dumps(body, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, where: str = "profile") -> UserProfile:
        """Read a profile back.

        Parameters
        ----------
        text : str
            What :meth:`to_json` wrote.
        where : str
            Name of the file, for the error.

        Raises
        ------
        ProfileError
            If it is no profile, of another version, or a field is wrong; the message names the field.
        """
        try:
            body = json.loads(text)
        except (ValueError, RecursionError) as e:
            msg = f"{where}: not a feltsense profile (no JSON: {e}); make one with: feltsense calibrate"
            raise ProfileError(msg) from None
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            msg = f"{where}: not a feltsense profile (field 'format'); make one with: feltsense calibrate"
            raise ProfileError(msg)
        if body.get("version") not in READABLE:
            msg = f"{where}: profile version {body.get('version')!r} is not {VERSION} (field 'version'); calibrate again"
            raise ProfileError(msg)
        step = "subject"
        try:
            subject = str(body["subject"])
            step = "rest"
            rest = {str(n): _moments(m) for n, m in body["rest"].items()}
            step = "intervals"
            intervals = tuple(RestInterval(int(a), int(b)) for a, b in body["intervals"])
            step = "seen_ms or bins"
            seen = {str(n): _counts(c) for n, c in body.get("seen_ms", {}).items()}
            bins = str(body.get("bins", ""))
            step = "calibrator"
            calibrator = _calibrator(body.get("calibrator"))
            step = "about"
            about = {str(n): str(v) for n, v in body.get("about", {}).items()}
            step = "each_s"
            each_s = {str(m): _length(s) for m, s in body.get("each_s", {}).items()}
            step = "window_s, hop_s, schema_digest or lineage"
            return cls(
                subject, rest, intervals, str(body["schema_digest"]), float(body["window_s"]), float(body["hop_s"]),
                tuple(str(s) for s in body["lineage"]), seen, bins, calibrator, about, each_s,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            msg = f"{where}: damaged profile (field {step}: {e!r}); calibrate again"
            raise ProfileError(msg) from None

    @classmethod
    def load(cls, path: str | Path) -> UserProfile:
        """Read a profile from a file."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as e:
            msg = f"{path}: cannot read the profile ({e})"
            raise ProfileError(msg) from None
        return cls.from_json(text, str(path))

    def save(self, path: str | Path) -> None:
        """Write the profile to a file."""
        Path(path).write_text(self.to_json(), encoding="utf-8")


def _weight(calibrator: Calibrator | None) -> tuple[int, str]:
    """Order of calibrators that does not depend on who asks whom."""
    return (sum(calibrator.labels), repr(calibrator)) if calibrator else (-1, "")


def _calibrator(body: Mapping[str, Any] | None) -> Calibrator | None:
    if body is None:
        return None
    slope, offset = (tuple(float(v) for v in body[n]) for n in ("slope", "offset"))
    temperature, labels = float(body["temperature"]), tuple(int(n) for n in body["labels"])
    numbers = (*slope, *offset, temperature)
    if not slope or len(slope) != len(offset) or len(labels) != len(slope) + 1 or not all(map(math.isfinite, numbers)):
        msg = "slope, offset, temperature and labels do not belong together"
        raise ValueError(msg)
    if min(*slope, temperature) <= 0 or min(labels) < 0:
        msg = "slope and temperature are above 0, counts of labels not below"
        raise ValueError(msg)
    return Calibrator(slope, offset, temperature, labels, str(body["target"]))


def _length(seconds: Any) -> float:
    length = float(seconds)
    if not (math.isfinite(length) and length > 0):
        msg = "a vector counts as more than 0 s"
        raise ValueError(msg)
    return length


def _counts(text: str) -> tuple[int, ...]:
    words = text.split()
    if not words or not all(w.isdecimal() and w.isascii() and len(w) <= DIGITS for w in words):
        msg = "milliseconds are whole numbers, none below 0"
        raise ValueError(msg)
    return tuple(map(int, words))


def _moments(body: Mapping[str, Any]) -> Moments:
    moments = Moments(int(body["n"]), int(body["total"]), int(body["squares"]))
    if moments.n < 1 or moments.squares * moments.n < moments.total**2:
        msg = "n, total and squares do not belong together"
        raise ValueError(msg)
    return moments
