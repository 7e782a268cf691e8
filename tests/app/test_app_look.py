"""Contrast, words in every language, and the way a signal, a rest and a result are shown."""

import re
from fractions import Fraction

import numpy as np
import pytest

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.prediction import Prediction
from feltsense.core.signals import spec
from feltsense.core.timeline import TimeMap
from feltsense_app import theme
from feltsense_app.presenters.live import AHEAD, COLUMNS, LEVELS, SPANS_S, LivePresenter
from feltsense_app.presenters.results import BINS, ResultsPresenter
from feltsense_app.presenters.wizard import Phase, RestWindow, WizardPresenter
from feltsense_app.words import LANGUAGES, Words

NS = 10**9


@pytest.mark.parametrize("high", [False, True])
@pytest.mark.parametrize("dark", [False, True])
def test_text_is_readable_on_everything_it_stands_on(dark, high):
    colours = theme.palette(dark=dark, high_contrast=high)
    least = 7.0 if high else 4.5
    for text, ground in theme.PAIRS:
        ratio = theme.contrast(getattr(colours, text), getattr(colours, ground))
        assert ratio >= least, f"{text} on {ground}: {ratio:.2f}"


def test_contrast_is_the_one_of_the_guideline():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)
    assert set(theme.tokens()) >= {name for pair in theme.PAIRS for name in pair}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_places(language):
    english, other = Words("en"), Words(language)
    assert other.keys == english.keys
    for key, sentence in other.sentences.items():
        assert sorted(re.findall(r"\{(.*?)\}", sentence)) == sorted(re.findall(r"\{(.*?)\}", english.sentences[key])), key
    assert other.language == language


def test_a_language_that_is_not_there_is_english_and_regions_do_not_matter():
    assert Words("fi").language == "en"
    assert Words("de_AT").language == "de"
    assert Words("es-MX")("level.good") == "Bien"
    with pytest.raises(KeyError):
        Words("en")("no such key")


def test_numbers_are_written_as_people_write_them():
    assert Words("en")("live.range", low=-257.3, high=1204.0, unit="") == "\N{MINUS SIGN}257 to 1200 "
    assert Words("de")("live.range", low=4.744, high=4.88, unit="µS") == "4,74 bis 4,88 µS"
    assert Words("es")("live.range", low=1.2e-5, high=0.0, unit="") == "de 0,000012 a 0 "
    assert Words("de")("home.space", gigabytes=12.34) == "12,3 GB frei"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_claims_to_diagnose(language):
    for key, sentence in Words(language).sentences.items():
        # "not a diagnosis" is the only place where the word may stand.
        if key != "results.not":
            assert not re.search(r"diagn|disease|krank|enferm|patholog|therap", sentence.lower()), key


def chunk(signal="ecg", rate=130, start=0, values=None, segment=0, t0=0):
    info = StreamInfo(f"x.{signal}", spec(signal, Fraction(rate)))
    data = np.asarray(values if values is not None else np.arange(rate), dtype=float)[:, None]
    time = TimeMap.uniform(t0, Fraction(rate))
    return Chunk(info, segment, start, np.broadcast_to(data, (len(data), info.spec.width)).copy(), time)


def test_a_hidden_screen_is_told_of_streams_and_of_nothing_else():
    p = LivePresenter()
    p.push(chunk())
    before = p.state.drawn
    p.push(chunk(start=130))
    p.push(chunk("acc", 25))
    assert p.state.drawn == before
    assert [s for _, s, _ in p.state.streams] == ["ecg"]
    p.show(visible=True)
    p.push(chunk(start=260))
    assert p.state.drawn == before + 2


def there(picture):
    """Where a picture has a curve."""
    return picture.levels[:, 0] <= picture.levels[:, 1]


def test_a_picture_keeps_every_beat_and_no_more_than_its_seconds():
    p = LivePresenter()
    for k in range(30):
        values = np.zeros(130)
        values[64] = 1.0 + k
        p.push(chunk(start=130 * k, values=values))
    picture, _ = p.seen("x.ecg", 30 * NS)
    assert len(p._chunks["x.ecg"]) <= SPANS_S["ecg"] + 4
    assert (picture.low, picture.high) == (0.0, 30.0)
    tops = np.round(picture.levels[:, 1] / LEVELS * 30)
    assert set(tops[there(picture) & (tops > 0)]) == {25, 26, 27, 28, 29, 30}
    earlier, _ = p.seen("x.ecg", 29 * NS)
    assert earlier.high == 29.0
    assert there(earlier).all()


def test_a_gap_breaks_the_line_and_a_slow_stream_does_not():
    p = LivePresenter()
    p.push(chunk(values=np.ones(130)))
    p.push(chunk(values=np.ones(130), segment=1, t0=3 * NS))
    picture, _ = p.seen("x.ecg", 4 * NS)
    seconds = there(picture)[-picture.left :][:160].reshape(4, -1)
    assert seconds.all(axis=1).tolist() == [True, False, False, True]
    assert seconds.any(axis=1).tolist() == [True, False, False, True]
    slow = LivePresenter()
    slow.push(chunk("eda", 4, values=np.ones(240)))
    # A column of the screen is a quarter of a second: until it is full the picture stands still.
    assert {slow.seen("x.eda", t * NS // 100) for t in range(5000, 5025)} == {slow.seen("x.eda", 50 * NS)}
    assert slow.seen("x.eda", 5025 * NS // 100) == (slow.seen("x.eda", 50 * NS)[0], 1.0)
    assert there(slow.seen("x.eda", 60 * NS)[0])[:COLUMNS].all()
    slower = LivePresenter()
    slower.push(chunk("eda", 1, values=np.arange(60.0)))
    assert there(slower.seen("x.eda", 60 * NS)[0])[:COLUMNS].all(), "one sample in four columns is no gap"


def test_a_picture_is_glided_over_and_made_anew_only_at_its_end_or_for_new_samples():
    p = LivePresenter()
    values = np.random.default_rng(0).normal(size=130 * 12)
    p.push(chunk(values=values))
    first, shift = p.seen("x.ecg", 8 * NS + 7)
    assert shift == pytest.approx(7 / 25e6)
    column = NS // 40
    made, shifts = zip(*(p.seen("x.ecg", 8 * NS + k * column // 2) for k in range(2 * AHEAD)), strict=True)
    assert {id(x) for x in made} == {id(first)}
    assert shifts == tuple(np.arange(2 * AHEAD) / 2)
    after, shift = p.seen("x.ecg", 8 * NS + AHEAD * column)
    assert after is not first
    assert (after.left, shift) == (first.left + AHEAD, 0.0)
    # Where both have a column it is of the same samples, by each one's own scale.
    ends = [x.low + x.levels / 255 * (x.high - x.low) for x in (first, after)]
    assert ends[0][AHEAD + 1 :] == pytest.approx(ends[1][1:-AHEAD], abs=0.05)
    p.push(chunk(values=np.ones(13), start=130 * 12))
    assert p.seen("x.ecg", 8 * NS + AHEAD * column)[0] is not after
    assert p.seen("x.ecg", 0)[0].left == -COLUMNS, "an earlier place is another picture"


def test_levels_are_those_of_the_samples_and_touch_their_neighbours_but_not_over_a_gap():
    p = LivePresenter()
    p.push(chunk(values=np.repeat([0.0, 10.0], 65)))
    p.push(chunk(values=np.full(130, 5.0), segment=1, t0=2 * NS))
    picture, _ = p.seen("x.ecg", 3 * NS)
    start = -picture.left
    assert there(picture)[start : start + 40].all()
    assert not there(picture)[:start].any()
    assert not there(picture)[start + 40 : start + 80].any()
    levels = picture.levels[start : start + 40].tolist()
    assert levels[:19] == [[0, 0]] * 19
    assert [0, LEVELS] in levels, "the step is one upright bar"
    assert levels[-19:] == [[LEVELS, LEVELS]] * 19
    assert picture.levels[start + 81].tolist() == [round(LEVELS / 2)] * 2
    flat = LivePresenter()
    flat.push(chunk(values=np.ones(130)))
    one = flat.seen("x.ecg", NS)[0]
    assert set(one.levels[-one.left : -one.left + 40].ravel()) == {round(LEVELS / 2)}, "in the middle, not on the floor"
    flat.push(chunk(values=np.full(13, np.nan), segment=1, t0=100 * NS))
    assert np.isnan(flat.seen("x.ecg", 110 * NS)[0].low)


class Clock:
    def __init__(self):
        self.now = 100 * NS

    def __call__(self):
        return self.now


def wizard(rest_s=100.0):
    clock, learned, closed = Clock(), [], []
    p = WizardPresenter(clock, lambda a, b: learned.append((a, b)), lambda: closed.append(1), rest_s)
    return p, clock, learned, closed


def rest(p, clock, windows):
    for k, window in enumerate(windows):
        clock.now = 100 * NS + (k + 1) * 100 * NS // len(windows)
        p.measured(RestWindow(clock.now, *window))
        p.tick()


def test_a_good_rest_is_learned_once():
    p, clock, learned, closed = wizard()
    p.tick()
    p.measured(RestWindow(clock.now, 1.0))
    p.interrupted()
    assert p.state.phase is Phase.INTRO
    p.begin()
    p.measured(RestWindow(clock.now, 0.0))
    assert p.state.feedback == "wizard.settle"
    rest(p, clock, [(0.9,)] * 10)
    assert learned == [(100 * NS, 200 * NS)]
    assert p.state.phase is Phase.LEARNING
    assert not p.close()
    p.learned()
    assert p.close()
    assert closed == [1]


@pytest.mark.parametrize(
    ("windows", "reason", "feedback"),
    [
        ([(0.2, False, "noise")] * 10, "wizard.again.signal", "wizard.signal"),
        ([(0.9, True)] * 10, "wizard.again.move", "wizard.move"),
        ([], "wizard.again.signal", "wizard.settle"),
    ],
)
def test_what_was_no_rest_is_said_and_tried_again(windows, reason, feedback):
    p, clock, learned, _ = wizard()
    p.begin()
    rest(p, clock, windows)
    clock.now = 200 * NS
    p.tick()
    assert (p.state.phase, p.state.reason, p.state.feedback) == (Phase.AGAIN, reason, feedback)
    assert learned == []
    clock.now = 100 * NS
    p.begin()
    assert p.state.phase is Phase.RESTING


def test_a_lost_sensor_and_a_failed_learning_ask_again():
    p, clock, _, _ = wizard()
    p.begin()
    p.interrupted()
    assert p.state.reason == "wizard.again.lost"
    p.begin()
    rest(p, clock, [(0.9,)] * 10)
    p.learned("no usable window")
    assert p.state.reason == "wizard.again.learn"


def prediction(p=0.8, label="stress", minute=0, **changes):
    both = {"rest": 1 - p, "stress": p}
    given = {
        "contributions": {"base": 0.1, "ppg": 1.2, "eda": -0.3, "voice": 0.05, "joint": 0.5},
        "set": ("stress",), "abstained": False, "reason": "",
    } | changes  # fmt: skip
    stop = (minute * 60 + 10) * NS
    return Prediction(
        "stress", stop - 60 * NS, stop, both, label, given["set"], given["abstained"], given["reason"], 0.9,
        {"rest": 0.0, "stress": 1.0}, given["contributions"], "m",
    )  # fmt: skip


def test_nothing_is_shown_before_the_rest_is_known():
    p = ResultsPresenter()
    p.push(prediction())
    assert p.state.sentence == "results.none"
    p.calibrated()
    p.push(prediction(reason="calibration", label="", abstained=True))
    assert p.state.sentence == "results.wait"
    p.inference(on=True)
    assert p.state.inference


def test_a_result_says_what_how_sure_and_why():
    p = ResultsPresenter()
    p.calibrated()
    p.push(prediction())
    assert (p.state.sentence, p.state.sure, p.state.probability) == ("results.named", True, 0.8)
    assert [(w.modality, w.towards, w.strong) for w in p.state.why] == [("ppg", True, True), ("eda", False, False)]
    p.push(prediction(0.2, "rest", set=("rest", "stress")))
    assert (p.state.sentence, p.state.sure) == ("results.other", False)
    p.push(prediction(label="", abstained=True, reason="ppg:noise", set=()))
    assert p.state.sentence == "results.silent"
    assert p.state.why == ()
    only = p.state.day[0]
    assert (only.named, only.other, only.silent) == (1, 1, 1)


def test_nothing_is_left_of_results_that_were_erased():
    p = ResultsPresenter()
    p.calibrated()
    p.push(prediction())
    p.forget()
    assert p.state == ResultsPresenter().state


def test_the_day_is_bounded():
    p = ResultsPresenter()
    p.calibrated()
    for minute in range(0, 60 * 30, 5):
        p.push(prediction(minute=minute))
    assert len(p.state.day) == BINS
    assert [b.start_s for b in p.state.day] == sorted(b.start_s for b in p.state.day)
