"""The whole error tree.

::

    FeltsenseError
    ├── InputError                 what the caller gave cannot be used (command line: exit code 2)
    │   ├── ImportFormatError      a recording in a foreign format is damaged or incomplete
    │   ├── RecordingError         a ``.felt`` file or an in-memory recording breaks a rule
    │   ├── KeyStoreError          a key is missing, wrong, or cannot be kept
    │   │   └── PassphraseError    a passphrase is needed and none was given
    │   ├── StudyError             a study file, a consent or an erasure breaks a rule
    │   ├── LabelError             a manifest or label table breaks a rule
    │   ├── ProfileError           a user profile is damaged or of another version
    │   ├── SchemaError            feature names or signals differ from what was expected
    │   ├── BundleError            a model bundle is damaged, altered or does not fit
    │   ├── ModelDataError         the data cannot train or score a model (one class, one subject, …)
    │   │   └── LeakError          what is to be judged would reach what is learned
    │   └── UnknownNameError       a device, signal, data set or target nobody has heard of
    ├── MissingExtraError          an optional dependency is not installed
    ├── ProtocolError              bytes from a sensor break their protocol (the only error of a parser)
    └── LinkError                  a sensor cannot be reached or refuses (the bridge)

Every message says *what* is wrong, *where* (file, field, device) and *what to do*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BundleError",
    "FeltsenseError",
    "ImportFormatError",
    "InputError",
    "KeyStoreError",
    "LabelError",
    "LeakError",
    "LinkError",
    "MissingExtraError",
    "ModelDataError",
    "PassphraseError",
    "ProfileError",
    "ProtocolError",
    "RecordingError",
    "SchemaError",
    "StudyError",
    "UnknownNameError",
]


class FeltsenseError(Exception):
    """Root of everything that feltsense raises on purpose."""


class InputError(FeltsenseError):
    """What the caller gave cannot be used."""


class ImportFormatError(InputError):
    """A recording in a foreign format is damaged or incomplete."""


class RecordingError(InputError):
    """A recording breaks a rule of its format."""


class KeyStoreError(InputError):
    """A participant's key is missing, wrong, or cannot be kept."""


class PassphraseError(KeyStoreError):
    """A key needs a passphrase and none was given.

    Parameters
    ----------
    message : str
        Whose, and what to do.
    new : bool
        Whether it is for a key that is to be made: who chooses a passphrase types it twice.
    """

    def __init__(self, message: str, new: bool = False) -> None:
        super().__init__(message)
        self.new = new


class StudyError(InputError):
    """A study file, a consent or an erasure breaks a rule, or the law forbids what it asks for."""


class LabelError(InputError):
    """A manifest or a label table breaks a rule."""


class ProfileError(InputError):
    """A user profile is damaged, or of another version."""


class SchemaError(InputError):
    """Feature names or signals differ from what was expected."""


class BundleError(InputError):
    """A model bundle is damaged, altered or does not fit."""


class ModelDataError(InputError):
    """The data cannot train or score a model."""


class LeakError(ModelDataError):
    """What is to be judged would reach what is learned."""


class UnknownNameError(InputError):
    """A name that nothing answers to.

    Parameters
    ----------
    what : str
        The kind of thing, for example ``"device"``.
    name : str
        The name that was asked for.
    known : iterable of str
        The names that would have worked.
    """

    def __init__(self, what: str, name: str, known: Iterable[str] = ()) -> None:
        super().__init__(f"unknown {what} {name!r}; known: {', '.join(sorted(known)) or 'none'}")


class MissingExtraError(FeltsenseError):
    """An optional dependency is not installed.

    Parameters
    ----------
    extra : str
        Name of the extra, for example ``"ble"``.
    purpose : str
        What needs it, in a few words.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra = extra
        super().__init__(f'{purpose} needs an optional part that is not installed: pip install "feltsense[{extra}]"')


class ProtocolError(FeltsenseError):
    """Bytes from a sensor break their protocol.

    Parameters
    ----------
    message : str
        What is wrong.
    offset : int, optional
        Byte at which it went wrong.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        self.offset = offset
        super().__init__(message if offset is None else f"{message} (byte {offset})")


class LinkError(FeltsenseError):
    """A sensor cannot be reached, or refuses what was asked."""
