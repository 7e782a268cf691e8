"""Plug-ins are found by their module: a folder, one file each, one known attribute in it.

Nothing registers itself at import, nothing holds a global table: :func:`discover` lists a package's public
modules and imports the one that is asked for. A plug-in costs one file.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from feltsense.errors import UnknownNameError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["discover", "names"]


def names(package: str) -> tuple[str, ...]:
    """Public modules of a package, sorted; nothing is imported but the package."""
    found = importlib.import_module(package)
    return tuple(sorted(m.name for m in pkgutil.iter_modules(found.__path__) if not m.name.startswith("_")))


def discover(package: str, attribute: str, what: str, name: str) -> Any:
    """The plug-in `name` of a package.

    Parameters
    ----------
    package : str
        For example ``"feltsense.importers"``.
    attribute : str
        What a module must have to be a plug-in, for example ``"EXTRACTOR"``.
    what : str
        The kind of plug-in, for the error.
    name : str
        Module name.

    Raises
    ------
    UnknownNameError
        If no module of that name has the attribute; the message lists those that do.
    """
    # Asked for in every window: the folder is listed only where the name is wrong.
    if name.isidentifier() and not name.startswith("_"):
        module = _module(f"{package}.{name}")
        if hasattr(module, attribute):
            return getattr(module, attribute)
    known = tuple(n for n in names(package) if hasattr(importlib.import_module(f"{package}.{n}"), attribute))
    raise UnknownNameError(what, name, known)


def _module(name: str) -> ModuleType | None:
    """A module; None where there is none of that name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name != name:
            raise
        return None
