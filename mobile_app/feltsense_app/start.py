"""Starting the app: on a phone, on a desktop with its own Bluetooth, or as a demo without any hardware."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense import bundle
from feltsense_app.main import run, show
from feltsense_app.platform import here
from feltsense_app.service.conductor import Conductor
from feltsense_app.service.radio import Radio, virtual

if TYPE_CHECKING:
    from feltsense.core.recording import Recording

__all__ = ["demonstrate", "desktop", "phone"]

DEMO_REST_S = 150.0
"""Shorter than a real rest, so that a demo at ordinary speed does not bore; long enough for the model's windows."""


def phone() -> None:
    """On a phone."""
    run(Conductor(here(), Radio.own(), bundle.load()))


def desktop(folder: Path | None) -> None:
    """On a desktop, with its own Bluetooth."""
    run(Conductor(here(folder), Radio.own(), bundle.load()))


def demonstrate(recording: Recording, speed: float, folder: Path | None) -> None:
    """With virtual sensors that play a recording; what is recorded is thrown away unless a folder is named."""

    async def on_the_air(where: Path) -> None:
        async with virtual(recording, speed) as radio:
            await show(Conductor(here(where), radio, bundle.load(), DEMO_REST_S))

    if folder is not None:
        asyncio.run(on_the_air(folder))
        return
    with tempfile.TemporaryDirectory(prefix="feltsense-demo-") as where:
        asyncio.run(on_the_air(Path(where)))
