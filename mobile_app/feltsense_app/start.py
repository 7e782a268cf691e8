"""Starting the app: on a phone, on a desktop with its own Bluetooth, or as a demo without any hardware."""

from __future__ import annotations

import asyncio
import logging
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from feltsense_app.main import run, show
from feltsense_app.platform import here
from feltsense_app.platform.desktop import Desktop
from feltsense_app.service.conductor import Conductor
from feltsense_app.service.radio import Radio, virtual

if TYPE_CHECKING:
    from feltsense.bundle import Bundle
    from feltsense.core.recording import Recording
    from feltsense_app.platform import Phone

__all__ = ["demonstrate", "desktop", "phone"]

DEMO_REST_S = 150.0
"""Shorter than a real rest, so that a demo at ordinary speed does not bore; long enough for the model's windows."""


def _model() -> Bundle:
    from feltsense import bundle

    return bundle.load()


def _phones_model() -> Bundle:
    from feltsense_app.platform.java_onnx import fastest

    made, why = fastest(_model())
    if why:
        logging.getLogger(__name__).info("numpy runs the model: %s", why)
    return made


def phone() -> None:
    """On a phone."""
    handset = here()
    run(Conductor(handset, Radio.own(handset.folder), _phones_model))


def desktop(folder: Path | None) -> None:
    """On a desktop, with its own Bluetooth."""
    computer = here(folder)
    run(Conductor(computer, Radio.own(computer.folder), _model))


def demonstrate(recording: Recording, speed: float, folder: Path | None) -> None:
    """With virtual sensors that play a recording; what is recorded is thrown away unless a folder is named."""

    async def on_the_air(phone: Phone) -> None:
        async with virtual(recording, speed) as radio:
            await show(Conductor(phone, radio, _model, DEMO_REST_S))

    if folder is not None:
        asyncio.run(on_the_air(here(folder)))
        return
    with tempfile.TemporaryDirectory(prefix="feltsense-demo-") as where:
        # Its key is thrown away with the folder: no demo leaves one in anybody's key store.
        asyncio.run(on_the_air(Desktop(Path(where), secrets.token_hex(16))))
