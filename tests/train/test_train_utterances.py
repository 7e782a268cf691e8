"""A folder of WAV files becomes a model of utterances, is calibrated on neutral ones, and predicts one file at a time."""

import csv
import zipfile

import numpy as np
import pytest
from scipy.io import wavfile

from feltsense import load_bundle, open_recording, predict
from feltsense.calibration import calibrate_utterances
from feltsense.cli import main
from feltsense.core.utterance import UTTERANCE_REST_S, WHOLE
from feltsense.datasets.labelled import read_manifest
from feltsense.errors import InputError
from feltsense.train.examples import read_line
from feltsense.train.targets import target
from feltsense.train.utterances import as_utterances, by_person, only_utterances
from voice_sounds import RATE, utterance

PEOPLE, EACH = 3, 4


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    rows = ["path,subject,label"]
    for person in range(PEOPLE):
        for k in range(EACH):
            for label, pitch in (("neutral", 1.0), ("anger", 1.35)):
                name = f"{label}_{person}_{k}.wav"
                x = utterance(1.3, (110 + 25 * person) * pitch, 10 * person + k)
                gain = 16_000 if label == "neutral" else 32_000
                wavfile.write(folder / name, RATE, np.round(gain * x).astype(np.int16))
                rows.append(f"{name},P{person},{label}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def bundle(corpus):
    out = corpus / "emotion.feltbundle"
    assert main(["train", "--target", "emotion", "--manifest", str(corpus / "labels.csv"), "--out", str(out)]) == 0
    return out


def test_a_persons_utterances_are_one_line_calibrated_on_neutral_ones(corpus):
    labelled = [x for x in read_manifest(corpus / "labels.csv") if x.subject in ("P0", "P1")]
    assert only_utterances(labelled)
    chosen = as_utterances(target("emotion", {"anger", "neutral"}))
    assert chosen.classes == ("neutral", "anger")
    lines = [read_line(x, chosen, lambda _: None) for x in labelled]
    assert all(len(line.y) == 1 for line in lines)
    one, _ = by_person(lines, chosen)
    assert len(one.y) == 2 * EACH
    # Half of the four neutral ones calibrate; they are learned from, and never scored.
    assert one.resting.tolist() == [True] * 2 + [False] * 6
    assert one.scored.sum() == 6
    np.testing.assert_allclose(one.rest_mean, one.x[:2].mean(axis=0))
    assert set(one.rest_seconds) == {2 * UTTERANCE_REST_S}


def test_a_manifest_of_pieces_is_no_manifest_of_utterances(tmp_path):
    (tmp_path / "m.csv").write_text("path,subject,label,start_s,end_s\na.wav,P,x,0,1\n")
    assert not only_utterances(read_manifest(tmp_path / "m.csv"))
    (tmp_path / "m.csv").write_text("path,subject,label\na.wav,P,x\nb.felt,P,x\n")
    assert not only_utterances(read_manifest(tmp_path / "m.csv"))


def test_train_calibrate_predict_from_the_command_line(corpus, bundle, tmp_path, capsys):
    profile, out = tmp_path / "p.json", tmp_path / "p.csv"
    neutral = [str(corpus / f"neutral_2_{k}.wav") for k in range(4)]
    assert main(["calibrate", *neutral, "--subject", "P2", "--model", str(bundle), "--out", str(profile)]) == 0
    assert "4 neutral utterances of P2" in capsys.readouterr().out
    for label in ("neutral", "anger"):
        args = ["predict", str(corpus / f"{label}_2_3.wav"), "--model", str(bundle), "--profile", str(profile)]
        assert main([*args, "--out", str(out)]) == 0
        (row,) = csv.DictReader(out.open())
        assert row["label"] == label
        assert (row["start_s"], row["end_s"]) == ("0.0", "1.3")


def test_the_card_speaks_of_utterances(bundle):
    with zipfile.ZipFile(bundle) as parts:
        card = parts.read("card.md").decode()
    assert "Each recording is one window, an utterance" in card
    assert "4 neutral utterances" in card
    assert " 0 s" not in card
    assert "stay calm" not in card


def test_a_model_of_utterances_gives_one_answer_a_recording(corpus, bundle):
    model = load_bundle(bundle)
    assert model.model.window_s == WHOLE
    (p,) = predict(open_recording(corpus / "anger_0_1.wav"), model)
    assert p.label == "anger"
    profile = calibrate_utterances([open_recording(corpus / f"neutral_0_{k}.wav", "P0") for k in range(2)], model)
    assert profile.seconds(model.model.names[0]) == 2 * UTTERANCE_REST_S


def test_what_does_not_fit_is_said(corpus, bundle, tmp_path, capsys):
    wav = str(corpus / "neutral_0_0.wav")
    assert main(["calibrate", wav, "--out", str(tmp_path / "p.json")]) == 2
    assert "--rest START END" in capsys.readouterr().err
    with pytest.raises(InputError, match="rest of one recording"):
        calibrate_utterances([open_recording(wav)], load_bundle())
    wavfile.write(tmp_path / "silence.wav", RATE, np.zeros(RATE, np.int16))
    args = ["calibrate", str(tmp_path / "silence.wav"), "--model", str(bundle), "--out", str(tmp_path / "p.json")]
    assert main(args) == 2
    assert "no usable utterance" in capsys.readouterr().err
