"""WAV files: every encoding against an independent reader, clear errors, mutated files, and what is kept of a voice."""

import io
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import wavfile

from feltsense import open_recording, store
from feltsense.cli import main
from feltsense.errors import ImportFormatError, InputError
from feltsense.importers import importer
from feltsense.importers._riff import open_sound, read_sound
from voice_sounds import RATE, recording_of, utterance


def wav_bytes(x, rate=RATE):
    out = io.BytesIO()
    wavfile.write(out, rate, x)
    return out.getvalue()


def bytes24(x, rate=RATE):
    """24 bits, which scipy does not write."""
    counts = np.round(np.asarray(x) * 2**23).astype("<i4")
    data = counts.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    form = struct.pack("<HHIIHH", 1, 1, rate, 3 * rate, 3, 24)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def samples(path):
    return np.concatenate(list(read_sound(path, open_sound(path))))


SOUND = utterance(seconds=1.2)


@pytest.mark.parametrize(
    ("data", "step"),
    [
        (wav_bytes(np.round(SOUND * 127 + 128).astype(np.uint8)), 2**-7),
        (wav_bytes(np.round(SOUND * 32767).astype(np.int16)), 2**-15),
        (bytes24(SOUND), 2**-23),
        (wav_bytes(np.round(SOUND * 2**31).astype(np.int32)), 2**-31),
        (wav_bytes(SOUND.astype(np.float32)), 1e-7),
        (wav_bytes(np.array(SOUND)), 0.0),
    ],
    ids=["8", "16", "24", "32", "float32", "float64"],
)
def test_every_encoding_gives_the_same_sound(tmp_path, data, step):
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    assert np.abs(samples(path) - SOUND).max() <= 1.5 * step
    rate, theirs = wavfile.read(path)
    scale = {"u": 128.0, "i": 2.0 ** (8 * theirs.itemsize - 1), "f": 1.0}[theirs.dtype.kind]
    other = (theirs.astype(float) - (128 if theirs.dtype.kind == "u" else 0)) / scale
    np.testing.assert_array_equal(samples(path), other)
    assert rate == open_sound(path).rate


def test_two_channels_become_their_mean_unless_they_cancel(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(np.stack([SOUND, 0.5 * SOUND], axis=1)))
    np.testing.assert_allclose(samples(path), 0.75 * SOUND, atol=1e-12)
    path.write_bytes(wav_bytes(np.stack([SOUND, -SOUND], axis=1)))
    np.testing.assert_array_equal(samples(path), SOUND)


def test_an_unfinished_length_and_foreign_chunks_are_read_over(tmp_path):
    data = bytearray(wav_bytes(np.round(SOUND * 32767).astype(np.int16)))
    at = data.index(b"data")
    data[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    data[at:at] = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(data))
    assert len(samples(path)) == len(SOUND)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no WAV file"),
        (b"OggS" + bytes(40), "convert it"),
        (wav_bytes(np.zeros(1000, np.int16))[:-500], "is cut off"),
        (wav_bytes(np.zeros(1000, np.int16))[:30], "less than 16 bytes"),
        (wav_bytes(np.zeros(1000, np.int16), rate=4000), "8000 to 384000"),
        (wav_bytes(np.zeros(100, np.int16)), "less than 10 ms"),
        (wav_bytes(np.full(1000, np.inf)), "full scale"),
        (wav_bytes(np.full(1000, 20000.0)), "full scale"),
        (wav_bytes(np.zeros(1000, np.int16)).replace(b"\x01\x00\x01\x00", b"\x07\x00\x01\x00", 1), "µ-law"),
    ],
    ids=["empty", "ogg", "cut", "header", "rate", "short", "inf", "integers", "mulaw"],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, data, words, capsys):
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(ImportFormatError, match=words) as e:
        importer("wav")(path, "S", {})
    assert str(path) in str(e.value)
    assert main(["import", "wav", str(path), "--out", str(tmp_path / "a.felt")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "a.felt").exists()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_give_a_recording_or_the_typed_error(tmp_path, data):
    whole = bytearray(wav_bytes(np.round(SOUND[:2000] * 32767).astype(np.int16)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.wav"
    path.write_bytes(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    try:
        recording = importer("wav")(path, "S", {})
    except InputError:
        return
    assert recording.stream("wav.voice").account().received > 0


def test_a_felt_file_from_a_wav_file_holds_measures_and_no_sound(tmp_path, capsys):
    path, out = tmp_path / "sentence.wav", tmp_path / "s.felt"
    path.write_bytes(wav_bytes(np.round(SOUND * 32767).astype(np.int16)))
    assert main(["import", "wav", str(path), "--subject", "P1", "--out", str(out)]) == 0
    kept, opened = store.read(out), open_recording(path)
    assert (kept.subject, opened.subject) == ("P1", "sentence")
    assert set(kept.streams) == {"wav.voice"}
    assert kept.seconds == 1.2
    a, b = kept.stream("wav.voice").segments[0].values, opened.stream("wav.voice").segments[0].values
    np.testing.assert_array_equal(a, b)
    direct = recording_of(np.round(SOUND * 32767) / 32768).stream("phone.voice").segments[0].values
    np.testing.assert_array_equal(b, direct)


def test_a_folder_gives_one_row_a_file(tmp_path, capsys):
    folder = tmp_path / "corpus"
    (folder / "b").mkdir(parents=True)
    for i, name in enumerate(("b/two.wav", "one.WAV", ".hidden.wav")):
        (folder / name).write_bytes(wav_bytes(np.round(utterance(1.5 + i * 0.25, seed=i) * 32767).astype(np.int16)))
    out = tmp_path / "features.csv"
    assert main(["features", str(folder), "--window", "whole", "--out", str(out)]) == 0
    head, *rows = (line.split(",") for line in out.read_text().splitlines())
    assert head[:5] == ["path", "start_s", "end_s", "start_unix", "end_unix"]
    assert head[-1] == "quality.voice"
    assert [r[0] for r in rows] == ["b/two.wav", "one.WAV"]
    assert [(r[1], r[2]) for r in rows] == [("0.0", "1.5"), ("0.0", "1.75")]
    assert all(cell for row in rows for cell in row), "no holes"
    assert main(["features", str(folder / "one.WAV"), "--window", "whole", "--out", str(out)]) == 0
    assert out.read_text().splitlines()[1].split(",") == rows[1][1:]
    assert main(["features", str(folder), "--window", "1", "--hop", "0.5", "--out", str(out)]) == 0
    assert len(out.read_text().splitlines()) == 1 + 2 + 2


def test_a_bad_file_in_a_folder_is_named_and_the_others_are_kept(tmp_path, capsys):
    (tmp_path / "a.wav").write_bytes(wav_bytes(np.round(SOUND * 32767).astype(np.int16)))
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    out = tmp_path / "features.csv"
    assert main(["features", str(tmp_path), "--window", "whole", "--out", str(out)]) == 1
    assert "b.wav" in capsys.readouterr().err
    assert [line.split(",")[0] for line in out.read_text().splitlines()] == ["path", "a.wav"]
