"""The audio-text block: padding changes nothing, what is masked cannot influence it, and both together are learned."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense.crossmodal import AGGREGATES, AudioText, Frames, frames
from feltsense.crossmodal.audio_text import HEADS, RECIPE, WIDTH
from feltsense.errors import InputError, ModelDataError

QUICK = replace(RECIPE, steps=6)


def spoken(n=60, seed=0, *, together=True):
    """Utterances of 4 to 9 frames and 2 to 5 words; the label is whether voice and words disagree (or the words alone)."""
    rng = np.random.default_rng(seed)
    voice, words = rng.integers(0, 2, n), rng.integers(0, 2, n)
    audio = [rng.normal(0, 1, (rng.integers(4, 10), 6)) + 2.5 * (v - 0.5) * np.eye(6)[0] for v in voice]
    text = [20 * (rng.normal(0, 1, (rng.integers(2, 6), 5)) + 2.5 * (t - 0.5) * np.eye(5)[1]) for t in words]
    return audio, text, (voice ^ words if together else words).astype(np.int64)


@pytest.fixture(scope="module", params=AGGREGATES)
def block(request):
    audio, text, y = spoken()
    return AudioText.fit(frames(audio), frames(text), y, aggregate=request.param, recipe=QUICK)


def padded(side, extra, junk):
    values = np.concatenate([side.values, np.full((len(side), extra, side.values.shape[2]), junk)], axis=1)
    values[~np.concatenate([side.there, np.zeros((len(side), extra), bool)], axis=1)] = junk
    return Frames(values, np.concatenate([side.there, np.zeros((len(side), extra), bool)], axis=1))


@pytest.mark.parametrize("junk", [0.0, 1e6, np.nan, -np.inf])
def test_padding_changes_nothing(block, junk):
    audio, text, _ = spoken(seed=1)
    plain = block.margins(frames(audio), frames(text))
    more = block.margins(padded(frames(audio), 33, junk), padded(frames(text), 7, junk))
    np.testing.assert_allclose(more, plain, rtol=0, atol=1e-6)
    alone = [block.margins(frames([a]), frames([t]))[0] for a, t in zip(audio, text, strict=True)]
    np.testing.assert_allclose(alone, plain, rtol=0, atol=1e-6)


@pytest.mark.parametrize("gone", ["audio", "text"])
def test_a_masked_modality_cannot_influence_it(block, gone):
    audio, text, _ = spoken(seed=2)
    sides = {"audio": frames(audio), "text": frames(text)}
    answers = []
    for junk in (0.0, 1e3, -7.0):
        hidden = Frames(np.full_like(sides[gone].values, junk), np.zeros_like(sides[gone].there))
        answers.append(block.margins(**(sides | {gone: hidden})))
    absent = frames([None] * len(audio), width=sides[gone].values.shape[2])
    answers.append(block.margins(**(sides | {gone: absent})))
    assert np.isfinite(answers[0]).all()
    for other in answers[1:]:
        np.testing.assert_allclose(other, answers[0], rtol=0, atol=1e-12)
    assert np.any(np.abs(block.margins(**sides) - answers[0]) > 1e-6)


def test_with_neither_there_is_no_answer(block):
    nothing = block.probabilities(frames([None], width=6), frames([None], width=5))
    assert np.isnan(nothing).all()


def test_the_order_of_the_utterances_does_not_matter(block):
    audio, text, _ = spoken(seed=3)
    order = np.random.default_rng(0).permutation(len(audio))
    straight = block.margins(frames(audio), frames(text))
    turned = block.margins(frames([audio[i] for i in order]), frames([text[i] for i in order]))
    np.testing.assert_allclose(turned, straight[order], atol=1e-9)


def test_maps_say_what_was_looked_at(block):
    audio, text, _ = spoken(seed=4)
    a, t = frames(audio), frames(text)
    maps = block.looked_at(a, t)
    assert maps["audio"].shape == (60, HEADS, a.there.shape[1], t.there.shape[1])
    assert maps["cls"].shape == (60, HEADS, 1, a.there.shape[1] + t.there.shape[1])
    for name, there in (("audio", t.there), ("text", a.there), ("cls", np.concatenate([a.there, t.there], axis=1))):
        np.testing.assert_allclose(maps[name].sum(axis=-1), 1.0, atol=1e-9)
        assert np.all(maps[name].transpose(0, 3, 1, 2)[~there] == 0.0)


def test_attention_is_the_textbooks():
    """One frame's answer, key by key."""
    audio, text, y = spoken(n=4)
    y[:2] = [0, 1]
    block = AudioText.fit(frames(audio), frames(text), y, aggregate="mean", recipe=QUICK)
    w, out = block.weights, []

    def norm(v, name):
        return (v - v.mean()) / np.sqrt(v.var() + 1e-5) * w[name][0] + w[name][1]

    sides = {}
    for side, x in (("audio", audio[0]), ("text", text[0])):
        z = (x - w[f"{side}_mean"]) / w[f"{side}_scale"]
        sides[side] = [v @ w[f"{side}_in"] + w[f"{side}_embedding"] for v in z]
    for side, other in (("audio", "text"), ("text", "audio")):
        for query in sides[side]:
            mixed = []
            for part in np.split(np.arange(WIDTH), HEADS):
                q = (norm(query, f"{side}_norm") @ w[f"{side}_query"])[part]
                keys = [(norm(k, f"{side}_norm") @ w[f"{side}_key"])[part] for k in sides[other]]
                values = [(norm(k, f"{side}_norm") @ w[f"{side}_value"])[part] for k in sides[other]]
                e = np.exp(np.array([q @ k for k in keys]) / np.sqrt(len(part)))
                mixed.append((e / e.sum()) @ np.array(values))
            h = query + np.concatenate(mixed) @ w[f"{side}_out"]
            hidden = np.maximum(norm(h, f"{side}_norm_mid") @ w[f"{side}_inner"] + w[f"{side}_inner_bias"], 0)
            out.append(h + hidden @ w[f"{side}_outer"] + w[f"{side}_outer_bias"])
    theirs = norm(np.mean(out, axis=0), "norm_out") @ w["head"] + w["head_bias"]
    np.testing.assert_allclose(block.margins(frames(audio[:1]), frames(text[:1]))[0], theirs, atol=1e-8)


def test_what_only_both_say_is_learned_and_one_alone_is_still_heard():
    audio, text, y = spoken(240)
    new_audio, new_text, truth = spoken(200, seed=9)
    both = AudioText.fit(frames(audio), frames(text), y, aggregate="mean")
    said = both.probabilities(frames(new_audio), frames(new_text)).argmax(axis=1)
    assert (said == truth).mean() >= 0.95
    hidden = both.probabilities(frames(new_audio), frames([None] * 200, width=5)).argmax(axis=1)
    assert abs((hidden == truth).mean() - 0.5) < 0.15


def test_same_seed_same_block_and_it_survives_its_arrays():
    audio, text, y = spoken(30)
    one, two = (AudioText.fit(frames(audio), frames(text), y, recipe=QUICK) for _ in range(2))
    assert all(np.array_equal(one.weights[k], two.weights[k]) for k in one.weights)
    again = AudioText.from_arrays(one.arrays())
    np.testing.assert_array_equal(again.margins(frames(audio), frames(text)), one.margins(frames(audio), frames(text)))


def test_any_encoder_may_give_the_frames():
    letters = frames(["fine", None, "thanks"], encoder=lambda s: np.eye(26)[[ord(c) - 97 for c in s]])
    assert letters.values.shape == (3, 6, 26)
    assert letters.there.sum(axis=1).tolist() == [4, 0, 6]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, t, y: frames([np.zeros(3)]), r"shapes \(3,\)"),
        (lambda a, t, y: frames([np.zeros((2, 3)), np.zeros((2, 4))]), "widths 3, 4"),
        (lambda a, t, y: frames([None]), "give width"),
        (lambda a, t, y: frames([np.full((2, 3), np.nan)]), "not finite"),
        (lambda a, t, y: Frames(np.zeros((2, 3, 4)), np.ones((2, 2), bool)), "with a mask"),
        (lambda a, t, y: AudioText.fit(frames(a), frames(t[:5]), y), "give None for what is absent"),
        (lambda a, t, y: AudioText.fit(frames(a), frames(t), y, aggregate="sum"), "none of cls, mean"),
    ],
)
def test_bad_input_is_said_in_a_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call(*spoken(10))


def test_what_cannot_be_learned_is_said(block):
    audio, text, y = spoken(10)
    with pytest.raises(ModelDataError, match="at least two"):
        AudioText.fit(frames(audio), frames(text), np.zeros(10, np.int64))
    with pytest.raises(ModelDataError, match="neither audio nor text"):
        AudioText.fit(frames([None, *audio[1:]]), frames([None, *text[1:]]), y)
    with pytest.raises(InputError, match="trained on 6"):
        block.margins(frames([np.zeros((2, 4))]), frames([np.zeros((2, 5))]))
