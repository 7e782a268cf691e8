"""Prompts: the plan of a day, the stages apart, restarts, changes, branching."""

from datetime import UTC, datetime

import pytest

from feltsense.study import When
from feltsense_app.presenters.prompts import Prompt, PromptsPresenter, Stage
from feltsense_app.service.invite import read
from feltsense_app.service.kept import Journal
from feltsense_app.service.safe import Safe

NS = 10**9
MIDNIGHT = int(datetime(2026, 5, 4, tzinfo=UTC).timestamp())
PROMPTS = (
    Prompt("noon", ("a", "b"), When(("12:00",), expires_min=10)),
    Prompt("random", ("a",), When(window=("09:00", "18:00"), count=2)),
)


def following(prompt, answers):
    order = {"noon": ("a", "b"), "random": ("a",), "change": ("a",)}[prompt]
    return order[len(answers)] if len(answers) < len(order) else ""


def at(hours):
    return (MIDNIGHT + int(hours * 3600)) * NS


def presenter(prompts=PROMPTS, past=(), log=None):
    lines = [] if log is None else log
    return PromptsPresenter(prompts, "P1", past, lines.append, following), lines


def stages(lines, key="noon/2026-05-04/0"):
    return [x.stage for x in lines if x.key == key]


def test_scheduled_shown_opened_and_answered_are_logged_apart():
    p, lines = presenter(PROMPTS[:1])
    p.tick(at(11.9))
    assert stages(lines) == [Stage.SCHEDULED]
    assert p.state.waiting is None
    p.open(at(11.95))
    p.answer("x", at(11.95))
    p.tick(at(12))
    p.tick(at(12.01))
    p.open(at(12.02))
    p.open(at(12.02))
    assert p.state.question == "a"
    p.answer("1", at(12.03))
    assert p.state.question == "b"
    p.answer("2" * 5000, at(12.04))
    assert stages(lines) == [Stage.SCHEDULED, Stage.SHOWN, Stage.OPENED, Stage.ANSWERED]
    assert lines[-1].answers[0] == ("a", "1")
    assert len(lines[-1].answers[1][1]) == 2000
    assert p.state.waiting is None


def test_what_is_not_answered_expires_and_what_nobody_saw_was_missed():
    p, lines = presenter(PROMPTS[:1])
    p.tick(at(12))
    p.tick(at(12.2))
    assert stages(lines)[-1] is Stage.EXPIRED
    assert p.state.waiting is None
    late, missed = presenter(PROMPTS[:1])
    late.tick(at(13))
    assert stages(missed) == [Stage.SCHEDULED, Stage.MISSED]


def test_a_restart_asks_nothing_twice_and_forgets_nothing(tmp_path):
    safe = Safe(tmp_path, "secret")
    safe.open("P1")
    journal = Journal(tmp_path / "prompts.jsonl", safe)
    p = PromptsPresenter(PROMPTS[:1], "P1", journal.read(), journal.append, following)
    p.tick(at(12))
    again = PromptsPresenter(PROMPTS[:1], "P1", journal.read(), journal.append, following)
    again.tick(at(12.05))
    assert again.state.waiting is not None
    again.open(at(12.06))
    again.answer("1", at(12.06))
    again.answer("2", at(12.06))
    with (tmp_path / "prompts.jsonl").open("a") as out:
        out.write('{"t_ns": 1, "key": "cut sh')
    last = PromptsPresenter(PROMPTS[:1], "P1", journal.read(), journal.append, following)
    last.tick(at(12.08))
    assert last.state.waiting is None
    assert [x.stage for x in journal.read() if x.key.endswith("05-04/0")] == [
        Stage.SCHEDULED, Stage.SHOWN, Stage.OPENED, Stage.ANSWERED,
    ]  # fmt: skip


def test_a_shown_prompt_that_a_restart_finds_too_late_expired():
    lines = []
    p, _ = presenter(PROMPTS[:1], log=lines)
    p.tick(at(12))
    again, more = presenter(PROMPTS[:1], past=tuple(lines))
    again.tick(at(13))
    assert stages(more) == [Stage.EXPIRED]


def test_a_clock_that_is_set_back_asks_nothing_twice():
    p, lines = presenter(PROMPTS[:1])
    p.tick(at(12))
    p.open(at(12))
    p.answer("1", at(12))
    p.answer("2", at(12))
    p.tick(at(11.5))
    p.tick(at(12))
    assert p.state.waiting is None
    assert stages(lines).count(Stage.SHOWN) == 1


def test_a_change_asks_once_in_its_pause():
    prompt = Prompt("change", ("a",), When(after_change=True, pause_min=30, expires_min=5))
    p, lines = presenter((prompt, PROMPTS[0]))
    p.change(at(8))
    assert p.state.waiting.prompt == "change"
    p.change(at(8.2))
    assert sum(x.stage is Stage.SHOWN for x in lines) == 1
    p.tick(at(8.3))
    p.change(at(8.6))
    assert sum(x.stage is Stage.SHOWN for x in lines) == 2


def test_one_prompt_at_a_time():
    two = tuple(Prompt(name, ("a", "b"), When(("12:00",))) for name in ("noon", "random"))
    p, lines = presenter(two)
    p.tick(at(12))
    first = p.state.waiting
    assert sum(x.stage is Stage.SHOWN for x in lines) == 1
    p.open(at(12))
    while p.state.waiting == first:
        p.answer("1", at(12))
    p.tick(at(12.01))
    assert p.state.waiting.key != first.key


@pytest.mark.parametrize(("busy", "asked"), [("Yes", ["mood", "busy", "strain", "words"]), ("No", ["mood", "busy"])])
def test_answers_branch(busy, asked):
    view = read("demo").study
    given, seen = (), []
    while question := view.following("now", given):
        seen.append(question)
        given = (*given, (question, busy if question == "busy" else "0"))
    assert seen == asked


def test_a_branch_leads_back_into_the_order_and_never_round_it():
    view = read("demo").study
    view.questions["busy"].branch["Yes"] = "words"
    given = (("mood", "0,0"), ("busy", "Yes"), ("words", "x"))
    assert view.following("now", given) == ""
    assert view.following("now", (*given[:2], ("strain", "1"))) == "words"


def test_days_without_the_app_are_missed_days():
    p, lines = presenter(PROMPTS[:1])
    p.tick(at(12))
    later, more = presenter(PROMPTS[:1], past=tuple(lines))
    later.tick(at(12 + 72))
    missed = [x.key for x in more if x.stage is Stage.MISSED]
    assert len(missed) == 2
    assert len(set(missed)) == 2
    assert stages(more) == [Stage.EXPIRED]
    waiting = later.state.waiting
    later.tick(at(12 + 72.01))
    assert later.state.waiting == waiting


def test_what_a_change_asked_before_a_restart_comes_to_its_end():
    prompt = Prompt("change", ("a",), When(after_change=True, expires_min=5))
    p, lines = presenter((prompt,))
    p.change(at(8))
    again, more = presenter((prompt,), past=tuple(lines))
    again.tick(at(8.01))
    assert again.state.waiting is not None
    again.tick(at(8.2))
    assert [x.stage for x in more] == [Stage.EXPIRED]
