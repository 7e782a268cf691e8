"""What is known about one person: the rest baseline of every feature, where it came from, and its history.

Rules
-----
- A profile holds numbers about features, never signals. It is small, of constant size, and a person may read it.
- It is a value: ``update``, ``revert`` and ``merge`` return a new one. ``merge`` is associative and
  ``revert(update(x))`` is the identity, exactly (:mod:`feltsense.core.moments`).
- ``predict`` reads a profile and never writes it.
- JSON round trip is exact; a file of another format or version is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from feltsense.core.moments import Moments
from feltsense.core.timeline import to_ns
from feltsense.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.vector import FeatureVector

__all__ = ["RestInterval", "UserProfile"]

FORMAT = "feltsense.profile"
VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class RestInterval:
    """An interval of known rest that a baseline was learned from, in session time (Unix ns)."""

    start_ns: int
    stop_ns: int

    @classmethod
    def of(cls, t0_ns: int, start: float, stop: float) -> RestInterval:
        """Interval from `start` to `stop` seconds after `t0_ns`, a recording's first sample."""
        return cls(t0_ns + to_ns(start), t0_ns + to_ns(stop))


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
    """

    subject: str
    rest: Mapping[str, Moments] = field(default_factory=dict)
    intervals: tuple[RestInterval, ...] = ()
    schema_digest: str = ""
    window_s: float = 60.0
    hop_s: float = 5.0
    lineage: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rest", MappingProxyType(dict(self.rest)))
        object.__setattr__(self, "intervals", tuple(sorted(set(self.intervals))))

    def seconds(self, name: str) -> float:
        """Seconds of rest behind a feature: n windows, one every `hop_s`, span (n − 1) · hop_s + window_s."""
        n = self.rest[name].n if name in self.rest else 0
        return (n - 1) * self.hop_s + self.window_s if n else 0.0

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
        names = {**self.rest, **other.rest}
        rest = {n: self.rest.get(n, Moments()).merge(other.rest.get(n, Moments())) for n in names}
        return replace(
            self,
            rest=rest,
            intervals=(*self.intervals, *other.intervals),
            schema_digest=self.schema_digest or other.schema_digest,
            lineage=(*self.lineage, *other.lineage),
        )

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
        if body.get("version") != VERSION:
            msg = f"{where}: profile version {body.get('version')!r} is not {VERSION} (field 'version'); calibrate again"
            raise ProfileError(msg)
        step = "subject"
        try:
            subject = str(body["subject"])
            step = "rest"
            rest = {str(n): _moments(m) for n, m in body["rest"].items()}
            step = "intervals"
            intervals = tuple(RestInterval(int(a), int(b)) for a, b in body["intervals"])
            step = "window_s, hop_s, schema_digest or lineage"
            return cls(
                subject, rest, intervals, str(body["schema_digest"]), float(body["window_s"]), float(body["hop_s"]),
                tuple(str(s) for s in body["lineage"]),
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


def _moments(body: Mapping[str, Any]) -> Moments:
    moments = Moments(int(body["n"]), int(body["total"]), int(body["squares"]))
    if moments.n < 1 or moments.squares * moments.n < moments.total**2:
        msg = "n, total and squares do not belong together"
        raise ValueError(msg)
    return moments
