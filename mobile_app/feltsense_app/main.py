"""The app's window: screens for pages, and one event loop for Kivy, the radio and the recording."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from feltsense.errors import MissingExtraError

if TYPE_CHECKING:
    from feltsense_app.service.conductor import Conductor

__all__ = ["run"]


def run(conductor: Conductor) -> None:
    """Show the app until its window is closed.

    Raises
    ------
    MissingExtraError
        If Kivy is not installed.
    """
    asyncio.run(show(conductor))


async def show(conductor: Conductor) -> None:
    """The same, inside a loop that runs already (a virtual radio's)."""
    # Kivy reads the command line for itself and writes a folder into the home directory unless told otherwise.
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    os.environ.setdefault("KIVY_HOME", str(conductor.phone.folder / ".kivy"))
    os.environ.setdefault("KIVY_NO_FILELOG", "1")
    os.environ.setdefault("KIVY_LOG_MODE", "PYTHON")
    try:
        from feltsense_app.screens.window import Window
    except ImportError:
        raise MissingExtraError("app", "the app's window") from None
    async with asyncio.TaskGroup() as tasks:
        window = Window(conductor)

        async def run_behind() -> None:
            # The window first: keys, model and radio take longer than anybody looks at nothing.
            await window.seen.wait()
            await conductor.run()

        work = tasks.create_task(run_behind())
        await window.async_run("asyncio")
        work.cancel()
