"""Consent: each stream asked for by itself, off until switched on, signed with a name, bound to a version of the text.

Rules
-----
- Nothing is on before it was switched on by hand; there is no "accept all".
- Going on needs: the text read to its end, every stream that the study cannot do without, a name typed as signature.
- Who refuses a stream that is needed is told that taking part is not possible without it, and nothing else happens.
- A new version of the text asks again, from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Asked", "Consent", "ConsentPresenter", "ConsentState"]

SIGNATURE_MOST = 100
"""Longest name that is taken; longer is a slip of the finger or an attack on the file."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One stream that is asked for.

    Attributes
    ----------
    stream : str
        Kind of signal, or ``"inference"`` for the estimate itself.
    purpose : str
        What it is for, in the study's words; empty: as the app knows it.
    required : bool
        Whether the study cannot do without it.
    granted : bool
        Whether it is on.
    """

    stream: str
    purpose: str
    required: bool = False
    granted: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody agreed to.

    Attributes
    ----------
    version : str
        Of the text.
    granted, refused : tuple of str
        Streams.
    signature : str
        The name as typed.
    t_ns : int
        When.
    """

    version: str
    granted: tuple[str, ...]
    refused: tuple[str, ...]
    signature: str
    t_ns: int


@dataclass(frozen=True, slots=True)
class ConsentState:
    """What the consent screen shows.

    Attributes
    ----------
    text, version : str
        Of the study.
    asked : tuple of Asked
        The streams.
    read : bool
        Whether the text was seen to its end.
    signature : str
        Typed so far.
    missing : tuple of str
        Keys of what is still to be done, in the order of the screen; empty: can go on.
    """

    text: str
    version: str
    asked: tuple[Asked, ...]
    read: bool = False
    signature: str = ""
    missing: tuple[str, ...] = ("consent.read", "consent.required", "consent.sign")


class ConsentPresenter(Presenter[ConsentState]):
    """Ask for consent.

    Parameters
    ----------
    text, version : str
        Of the study's consent text.
    asked : sequence of Asked
        What is asked for; shown off whatever it says.
    clock : callable
        Unix ns.
    agreed : callable
        Told the consent.
    """

    def __init__(
        self,
        text: str,
        version: str,
        asked: Sequence[Asked],
        clock: Callable[[], int],
        agreed: Callable[[Consent], None],
    ) -> None:
        off = tuple(replace(a, granted=False) for a in asked)
        super().__init__(ConsentState(text, version, off))
        self._clock, self._agreed = clock, agreed
        self._judge()

    def seen(self) -> None:
        """The text was read to its end."""
        self._set(read=True)
        self._judge()

    def toggle(self, stream: str) -> None:
        """Switch a stream on or off."""
        self._set(asked=tuple(replace(a, granted=not a.granted) if a.stream == stream else a for a in self.state.asked))
        self._judge()

    def sign(self, name: str) -> None:
        """The signature as typed so far."""
        self._set(signature=name[:SIGNATURE_MOST])
        self._judge()

    def accept(self) -> bool:
        """Agree; False, and nothing happens, while something is missing."""
        if self.state.missing:
            return False
        asked = self.state.asked
        self._agreed(
            Consent(
                self.state.version,
                tuple(a.stream for a in asked if a.granted),
                tuple(a.stream for a in asked if not a.granted),
                self.state.signature.strip(),
                self._clock(),
            )
        )
        return True

    def _judge(self) -> None:
        missing = []
        if not self.state.read:
            missing.append("consent.read")
        if any(a.required and not a.granted for a in self.state.asked):
            missing.append("consent.required")
        if not self.state.signature.strip():
            missing.append("consent.sign")
        self._set(missing=tuple(missing))
