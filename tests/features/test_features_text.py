"""Words as numbers: counts, other languages, speakers, windows, and that no word is kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense import Pipeline
from feltsense.core.chunk import Chunk
from feltsense.core.text_row import TEXT_CHANNELS
from feltsense.core.timeline import NS
from feltsense.core.vector import Reason
from feltsense.dsp.text import TextFrontEnd
from feltsense.dsp.text.counts import count, words
from feltsense.dsp.text.front import vader
from feltsense.errors import InputError

T0 = 1_700_000_000 * NS
TALK = (
    (2, "therapist", "How have you been this week? You looked so sad and tired."),
    (9, "self", "Fine, thanks. Nothing to say, really."),
    (20, "therapist", "I heard about your dog. That is terrible."),
    (31, "self", "I don't want to talk about it. I never sleep, everything is awful!"),
    (70, "self", "We had a good day, I am happy."),
)


def windows_of(turns, window=30.0, hop=30.0, **front):
    """Windows of a conversation, driven as a session drives it."""
    end = TextFrontEnd(**front)
    pipeline = Pipeline({end.info.id: end.info}, window=window, hop=hop, modalities=["text"], start_ns=T0)
    out = pipeline.push(end.start(T0))
    for t, speaker, text in turns:
        chunk, done = end.turn(T0 + int(t * NS), text, speaker=speaker, seconds=3.0)
        out += pipeline.push(chunk) + pipeline.push(done)
    out += pipeline.finish()
    return [v for _, v in out]


def one(text, **front):
    (v, *_) = windows_of([(1, "self", text), (31, "self", "end")], **front)
    return v


def test_counts_are_those_of_a_text_counted_by_hand():
    c = count("I don’t know. I never, NEVER sleep - um, do you?")
    assert words("I don’t know") == ["i", "don't", "know"]
    assert (c["words"], c["types"], c["sentences"]) == (10, 8, 2)
    assert (c["first_person"], c["negations"], c["absolutes"], c["fillers"], c["questions"]) == (2, 3, 2, 1, 1)


def test_own_turns_make_the_features_and_the_others_the_context():
    first, second, third = windows_of([*TALK, (95, "therapist", "bye")], sentiment=vader())
    assert first["text.n_turns"] == 1
    assert first["text.n_words"] == 6
    assert first["text.valence"] > 0.3, "fine, thanks"
    assert first["text.valence_others"] < -0.3
    assert first["text.valence_reply"] > 0.8, "an answer that does not fit"
    assert first["text.turn_share"] == pytest.approx(6 / 26)
    assert first["text.delay"] == 7.0
    assert first["text.words_s"] == 2.0
    assert second["text.valence"] < -0.3
    assert second["text.valence_shift"] < -0.8
    assert second["text.absolutist_rate"] == pytest.approx(2 / 13)
    assert third["text.valence"] > 0.3


def test_the_same_words_mean_something_else_from_another_speaker():
    mine, theirs = (windows_of([(5, who, "I am so sad.")], sentiment=vader()) for who in ("self", "B"))
    assert mine == theirs == []  # 30 s are not over
    mine, theirs = (windows_of([(5, who, "I am so sad."), (40, "self", "Yes.")], sentiment=vader()) for who in ("self", "B"))
    assert mine[0]["text.valence"] < 0
    assert theirs[0].quality_reasons == (Reason.NO_SIGNAL,)


def test_without_a_sentiment_or_vectors_those_features_are_missing():
    v = one("Today was a good day for me and for you.")
    assert v.reason("text.valence") is Reason.NONE_FOUND
    assert v.reason("text.likeness") is Reason.NONE_FOUND
    assert v["text.fps_rate"] == pytest.approx(0.1)
    assert v["quality.text"] == 1.0


def test_any_embedder_will_do():
    def embed(text):
        return [text.count("dog"), text.count("cat"), 1.0]

    talk = [(1, "B", "the dog"), (2, "self", "a dog"), (31, "self", "my cat"), (61, "self", "x")]
    first, second = windows_of(talk, embed=embed)
    assert first["text.likeness"] == pytest.approx(1.0)
    assert second["text.likeness"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "reason", "quality"),
    [
        ("", Reason.NONE_FOUND, 0.0),
        ("   \n!!! 123 :)", Reason.NONE_FOUND, 0.0),
        ("Fine, thanks.", Reason.TOO_SHORT, 0.5),
        ("Heute war kein guter Tag, weil ich wieder nicht schlafen konnte.", Reason.NOT_SUPPORTED, 0.3),
        ("Сегодня был очень плохой день и я устал.", Reason.NOT_SUPPORTED, 0.3),
        ("今日はとても疲れました。何もしたくないです。", Reason.NOT_SUPPORTED, 0.3),
        ("It was a hard day but I am glad that it is over now.", Reason.OK, 1.0),
    ],
)
def test_quality_says_what_the_words_are_worth(text, reason, quality):
    v = one(text, sentiment=vader())
    assert v.quality_reasons == (reason,)
    assert v["quality.text"] == quality
    if reason is Reason.NOT_SUPPORTED:
        assert np.isnan(v["text.valence"]), "an English lexicon does not rate other languages"
        assert np.isnan(v["text.fps_rate"])
        assert v["text.n_turns"] == 1


def test_bad_turns_are_refused_in_one_sentence():
    end = TextFrontEnd()
    with pytest.raises(InputError, match="split it into turns"):
        end.turn(T0, "a " * 60_000)
    with pytest.raises(InputError, match="not bytes"):
        end.turn(T0, b"a")
    end.turn(T0, "a " * 40_000)
    with pytest.raises(InputError, match="in order"):
        end.turn(T0 - 1, "a")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=80), st.booleans()), min_size=1, max_size=6))
def test_any_text_gives_a_row_and_well_formed_windows(turns):
    talk = [(i * 7 + 1, "self" if own else "B", text) for i, (text, own) in enumerate(turns)]
    for v in windows_of([*talk, (60, "self", "end")], window=20.0, hop=10.0, sentiment=lambda _: (float("nan"), 0, 0, 1)):
        assert 0.0 <= v["quality.text"] <= 1.0


def test_no_word_is_kept():
    end = TextFrontEnd(sentiment=vader())
    chunk, _ = end.turn(T0, "Xylophones are my secret.")
    assert isinstance(chunk, Chunk)
    assert chunk.values.shape == (1, len(TEXT_CHANNELS))
    assert "ylophone" not in repr({k: v for k, v in vars(end).items() if k != "_sentiment"})
