"""MIT-BIH record 100 through the virtual H10, over the radio, decoded, stored: its beats are the annotated ones.

The record is played at the strap's 130 Hz. Beats are compared on the strap's own clock, where nothing but the strap,
the codec, the accounting and the detector can move them.
"""

import asyncio

import numpy as np
import pytest

from feltsense.core.chunk import Chunk
from feltsense.core.event import EventKind
from feltsense.core.timeline import NS
from feltsense.core.window import Window
from feltsense.features.ecg import EcgFeatures
from feltsense.importers import importer
from feltsense.session import Pipeline, extract
from feltsense.store import Writer, read
from feltsense_bridge.devices.polar_h10 import PolarH10
from feltsense_bridge.link import Link
from feltsense_bridge.link_connection import bleak_client
from feltsense_bridge.testing import VirtualH10, VirtualRadio

SPEED = 60.0
TRIM_S = 10.0
TOLERANCE_S = 0.05
BEATS = "NLRBAaJSVrFejnE/fQ?"
"""Annotation codes of the record that mean a beat (PhysioNet's table)."""


@pytest.fixture(scope="module")
def record(data_dir):
    return importer("wfdb")(data_dir / "mitdb" / "100", "100", {})


@pytest.fixture(scope="module")
def played(record, tmp_path_factory):
    """The record played over the radio: live windows, the file, and the strap."""
    return asyncio.run(_play(record, tmp_path_factory.mktemp("radio") / "100.felt"))


async def _play(record, path):
    async with VirtualRadio(SPEED) as radio:
        strap = await radio.add(VirtualH10(record, drift_ppm=20.0))
        link = Link(
            PolarH10(["ecg"]), strap.address, name="h10",
            client_factory=bleak_client(radio.client), clock=radio.clock, speed=SPEED,
        )  # fmt: skip
        windows = []
        async with link:
            infos = await link.opened()
            pipeline = Pipeline(infos, window=60, hop=5, modalities=("ecg",))
            with Writer(path, "100", {}) as writer:
                for info in infos.values():
                    writer.declare(info)
                ending = asyncio.create_task(_when_finished(strap, link))
                async for item in link:
                    if isinstance(item, Chunk):
                        writer.append(item)
                        windows += pipeline.push(item)
                    elif item.kind is not EventKind.CONNECTED:
                        writer.event(item)
                        windows += pipeline.push(item)
                await ending
                writer.commit()
        windows += pipeline.finish()
        return strap, path, windows, dict(link.counters)


async def _when_finished(strap, link):
    await strap.finished()
    await link.close()


def test_every_sample_came(played):
    strap, path, _, counters = played
    account = read(path).account()["h10.ecg"]
    assert account.received == strap.produced["ecg"] == counters["h10.ecg"].received
    assert account.missing == 0


def test_beats_are_the_annotated_ones(played, record):
    _, path, *_ = played
    recording = read(path)
    stream = recording.streams["h10.ecg"]
    detector = EcgFeatures({"ecg": stream.info})
    for chunk in stream.chunks():
        detector.push(chunk)
    detector.close("h10.ecg")
    beats = detector._heart.beats(Window(0, recording.start_ns, recording.stop_ns))
    # Nothing is missing, so sample p of the segment is sample p of what was played: p / 130 s into the record.
    (segment,) = stream.segments
    n = len(segment.values)
    found = np.interp(beats.t_ns, segment.time.times(0, n), np.arange(n)) / stream.info.spec.hz
    known = (e.t_ns - record.start_ns for e in record.events if e.kind is EventKind.BEAT and e.text in BEATS)
    known = np.array([t / NS for t in known])
    lo, hi = TRIM_S, record.seconds - TRIM_S
    known, found = known[(known > lo) & (known < hi)], found[(found > lo) & (found < hi)]
    hits = sum(np.abs(found - k).min() <= TOLERANCE_S for k in known)
    true = sum(np.abs(known - f).min() <= TOLERANCE_S for f in found)
    sensitivity, ppv = hits / len(known), true / len(found)
    assert len(known) > 2200
    assert sensitivity >= 0.995
    assert ppv >= 0.995


def test_live_features_equal_batch_features_exactly(played):
    _, path, live, _ = played
    batch = list(extract(read(path), window=60, hop=5, modalities=("ecg",)))
    assert len(live) == len(batch) > 300
    for (w1, v1), (w2, v2) in zip(live, batch, strict=True):
        assert (w1.start_ns, w1.stop_ns) == (w2.start_ns, w2.stop_ns)
        assert np.array_equal(v1.values, v2.values, equal_nan=True)
        assert np.array_equal(v1.quality, v2.quality)
        assert v1.reasons == v2.reasons
