"""A voice and words go their whole way with files and sockets blocked, and leave no sound and no word behind."""

import builtins
import io
import os
import pathlib
import socket

import numpy as np
import pytest

from feltsense import Pipeline
from feltsense.core.timeline import NS
from feltsense.dsp.text import TextFrontEnd
from feltsense.dsp.voice import VoiceFrontEnd
from feltsense.session import extract  # noqa: F401 - everything that the path imports is loaded before the walls go up
from voice_sounds import RATE, sound_chunks, utterance

SENTENCE = "I am fine, thanks, zyzzyva."


@pytest.fixture
def walls(monkeypatch):
    """Nothing may be opened or connected."""

    def refuse(*args, **kwargs):
        msg = f"something was opened: {args[:2]}"
        raise AssertionError(msg)

    for owner, name in (
        (builtins, "open"), (io, "open"), (os, "open"), (pathlib.Path, "open"), (socket, "socket"),
        (socket, "create_connection"),
    ):  # fmt: skip
        monkeypatch.setattr(owner, name, refuse)


def walk():
    """Sound and words to windows, as an app does it."""
    x = utterance(6.0, seed=4)
    info, chunks = sound_chunks(x, cuts=range(1600, len(x), 1600))
    ear, mind = VoiceFrontEnd(info), TextFrontEnd(sentiment=lambda text: (0.5, 0.4, 0.0, 0.6))
    streams = {s.id: s for s in (ear.info, mind.info)}
    pipeline = Pipeline(streams, window=3.0, hop=3.0, modalities=["voice", "text"], start_ns=0)
    out = pipeline.push(mind.start(0))
    for k, chunk in enumerate(chunks):
        for rows in ear.push(chunk):
            out += pipeline.push(rows)
        if k == 20:
            for item in mind.turn(2 * NS, SENTENCE):
                out += pipeline.push(item)
    for rows in ear.close():
        out += pipeline.push(rows)
    return out + pipeline.finish(), ear, mind, pipeline, x


def held(root):
    """Every array and text that is reachable from an object."""
    seen, todo = set(), [root]
    while todo:
        x = todo.pop()
        if id(x) in seen or isinstance(x, type | type(os)):
            continue
        seen.add(id(x))
        if isinstance(x, np.ndarray | str):
            yield x
        elif isinstance(x, dict):
            todo += [*x.keys(), *x.values()]
        elif isinstance(x, list | tuple | set | frozenset):
            todo += list(x)
        else:
            todo += [getattr(x, n) for c in type(x).__mro__ for n in getattr(c, "__slots__", ()) if hasattr(x, n)]
            todo += list(getattr(x, "__dict__", {}).values())


def test_the_whole_path_opens_nothing(walls):
    windows, *_ = walk()
    (_, first), (_, second) = windows
    assert first["quality.voice"] == second["quality.voice"] == 1.0
    assert first["text.valence"] == 0.5
    assert np.isfinite(first["voice.f0_mean"])


def test_no_sound_and_no_word_is_left(walls):
    windows, ear, mind, pipeline, x = walk()
    for thing in held([windows, ear, mind, pipeline]):
        if isinstance(thing, str):
            assert "zyzzyva" not in thing
        elif thing.dtype == np.float64 and thing.size >= RATE // 10:
            flat = thing.ravel()
            assert not np.isin(x[3 * RATE : 3 * RATE + 50], flat).all(), "a piece of the sound"
