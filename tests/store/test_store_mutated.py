"""A thousand mutated files: each is refused in one sentence without a word of its content, or is the same recording."""

import random

import numpy as np
import pytest

from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.errors import FeltsenseError
from feltsense.store import DataKey, read, write
from same_recording import T0, assert_same, infos, live_chunks

KEY = DataKey("00ff00ff00ff00ff", bytes(range(32)))
FILES = 500
SUBJECT = "participant-seventeen"


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])
def test_mutated_files(tmp_path, key):
    numbers = np.random.default_rng(1)
    streams = {i.id: Stream.from_chunks(i, live_chunks(i, numbers, samples=60)) for i in infos()}
    recording = Recording(SUBJECT, streams, (Event(T0, EventKind.NOTE, 1.0, "a secret note"),), {"a": "b"})
    good, path = tmp_path / "good.felt", tmp_path / "m.felt"
    write(good, recording, key=key)
    content = good.read_bytes()
    rng = random.Random(2)
    refused = 0
    for _ in range(FILES):
        raw = bytearray(content)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        if rng.random() < 0.1:
            del raw[rng.randrange(len(raw)) :]
        path.write_bytes(raw)
        try:
            back = read(path, key)
        except FeltsenseError as e:
            refused += 1
            told = str(e)
            assert "\n" not in told, told
            assert key is None or (SUBJECT not in told and "secret" not in told)
        else:
            assert_same(back, recording)
    assert refused > FILES / 2
