"""The conformance suite must fail those that break the contract, each for its own reason."""

import numpy as np
import pytest

from cardiac_cases import one_stream, recording
from feltsense.core.chunk import Chunk
from feltsense.core.recording import Stream
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.core.window import StreamTail
from feltsense.testing import ConformanceError, check_extractor, first_seconds, rechunk, repeated, with_gap, with_values

X = 3.0 + np.sin(np.arange(60 * 8) / 9)


def eda(x=X):
    return recording(one_stream("eda", x, 8))


class Mean:
    """Keeps the contract: the mean of a window's finite samples."""

    requires = "eda"
    uses = ()
    specs = (FeatureSpec("mean", "uS", "mean", "none"),)

    def __init__(self, streams):
        self.tail = StreamTail(streams["eda"])
        self.until = -(2**62)

    def push(self, chunk):
        self.tail.push(chunk)
        self.until = chunk.stop_ns

    def close(self, stream_id):
        pass

    def final_ns(self, stream_id):
        return self.until

    def features(self, window):
        _, values = self.tail.between(window.start_ns, window.stop_ns)
        good = values[np.isfinite(values)]
        if not len(good):
            return Extracted.nothing(1, Reason.NO_SIGNAL)
        return Extracted(np.array([good.mean()]), (Reason.OK,), 1.0)

    def forget(self, before_ns):
        self.tail.forget(before_ns)


class CutsMatter(Mean):
    def features(self, window):
        out = super().features(window)
        return Extracted(out.values + len(self.tail._times), out.reasons, out.quality)


class RaisesOnNothing(Mean):
    def features(self, window):
        _, values = self.tail.between(window.start_ns, window.stop_ns)
        return Extracted(np.array([values[0, 0]]), (Reason.OK,), 1.0)


class NanWithoutReason(Mean):
    def features(self, window):
        out = super().features(window)
        return Extracted(out.values, (Reason.OK,), out.quality)


class QualityOutOfRange(Mean):
    def features(self, window):
        out = super().features(window)
        return Extracted(out.values, out.reasons, out.quality * 1.5)


class RemembersAll(Mean):
    def forget(self, before_ns):
        pass


class ForgetsTooMuch(Mean):
    def forget(self, before_ns):
        self.tail.forget(before_ns + 8_000_000_000)


class FinalTooEarly(Mean):
    def features(self, window):
        out = super().features(window)
        return Extracted(out.values + self.until % 1e9, out.reasons, out.quality)


class PromisesTheFuture(Mean):
    def final_ns(self, stream_id):
        return self.until + 1


class CarriesAcrossGaps(Mean):
    def __init__(self, streams):
        super().__init__(streams)
        self.first = None

    def push(self, chunk):
        self.first = chunk.values[0, 0] if self.first is None else self.first
        super().push(chunk)

    def features(self, window):
        out = super().features(window)
        return Extracted(out.values - (self.first if np.isfinite(self.first or np.nan) else 0), out.reasons, out.quality)


def test_an_extractor_that_keeps_the_contract_passes():
    check_extractor(Mean, eda())


@pytest.mark.parametrize(
    ("cls", "error", "message"),
    [
        (CutsMatter, ConformanceError, "differs in mean"),
        (RaisesOnNothing, IndexError, "out of bounds"),
        (NanWithoutReason, ConformanceError, "NaN exactly where a reason says why"),
        (QualityOutOfRange, ConformanceError, "not in 0..1"),
        (RemembersAll, ConformanceError, "memory grew"),
        (ForgetsTooMuch, ConformanceError, "mean"),
        (FinalTooEarly, ConformanceError, "mean"),
        (PromisesTheFuture, ConformanceError, "later than the stream's newest sample"),
        (CarriesAcrossGaps, ConformanceError, "behind a gap"),
    ],
)
def test_an_extractor_that_breaks_it_fails(cls, error, message):
    with pytest.raises(error, match=message):
        check_extractor(cls, eda(), window=10, hop=2)


def test_a_recording_that_says_nothing_is_refused():
    with pytest.raises(ConformanceError, match="no stream of kind eda"):
        check_extractor(Mean, recording(one_stream("ppg", X, 8)))
    with pytest.raises(ConformanceError, match="shorter than a window"):
        check_extractor(Mean, eda(X[:80]))


@pytest.mark.parametrize("cut", [{"seed": 1}, {"seed": 2}, {"sizes": (1,)}, {"sizes": (3, 100)}, {}])
def test_rechunk_is_the_same_recording(cut):
    rec = with_gap(eda(), "dev.eda", 20.0, 25.0)
    chunks = [c for c in rechunk(rec, **cut) if isinstance(c, Chunk)]
    again = Stream.from_chunks(rec.stream("dev.eda").info, chunks)
    for a, b in zip(rec.stream("dev.eda").segments, again.segments, strict=True):
        assert np.array_equal(a.values, b.values)
        assert np.array_equal(a.time.times(0, len(a.values)), b.time.times(0, len(b.values)))
        assert (a.gap, a.number) == (b.gap, b.number)


def test_damage_does_what_it_says():
    rec = eda()
    broken = with_gap(rec, "dev.eda", 20.0, 25.0)
    account = broken.account()["dev.eda"]
    assert (account.received, account.missing, account.gaps) == (440, 40, 1)
    _, b = broken.stream("dev.eda").segments
    assert b.time.time_at(0) == rec.stream("dev.eda").segments[0].time.time_at(200)
    held = with_values(rec, "dev.eda", 10.0, 20.0, None).stream("dev.eda").segments[0].values[:, 0]
    assert np.array_equal(np.flatnonzero(held != X), np.flatnonzero(np.arange(480) // 80 == 1)[1:])
    lost = with_values(rec, "dev.eda", 10.0, 20.0, float("nan")).stream("dev.eda").segments[0].values
    assert np.isnan(lost).sum() == 80
    assert first_seconds(rec, 5.0).account()["dev.eda"].received == 40
    long = repeated(broken, 3)
    assert long.account()["dev.eda"].received == 3 * 440
    assert [s.number for s in long.stream("dev.eda").segments] == list(range(6))
    assert long.seconds == pytest.approx(3 * 60 + 2)
