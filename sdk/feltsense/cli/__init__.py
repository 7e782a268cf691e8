"""The command line: one file a command group, each with an ``add`` function; the contract is design section 6.

Rules
-----
- Errors are one line on stderr: exit code 2 for bad input, 1 for a failure; ``--debug`` shows the traceback.
- Long work shows progress on a terminal and none in a pipe (:mod:`feltsense.cli._progress`).
- Commands import what they need inside their functions: ``feltsense --help`` is instant.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

from feltsense.cli._keys import with_passphrase
from feltsense.core import registry
from feltsense.errors import FeltsenseError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "parser"]


class _Parser(argparse.ArgumentParser):
    """argparse with errors of one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Say what is wrong and how to see what would be right."""
        self.exit(2, f"feltsense: {message} (see: {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(prog="feltsense", description="Emotion and stress recognition from wearables, calibrated to one person.")
    top.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for name in registry.names(__name__):
        importlib.import_module(f"{__name__}.{name}").add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        Exit code: 0, 2 for bad input, 1 for a failure.
    """
    args = parser().parse_args(argv)
    try:
        return with_passphrase(lambda: int(args.run(args) or 0))
    except KeyboardInterrupt:
        sys.stderr.write("feltsense: interrupted\n")
        return 130
    except BrokenPipeError:
        return 1
    except (FeltsenseError, OSError) as e:
        if args.debug:
            raise
        sys.stderr.write(f"feltsense: {' '.join(str(e).split())}\n")
        return 2 if isinstance(e, InputError | OSError) else 1
