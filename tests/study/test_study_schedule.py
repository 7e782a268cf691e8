"""When prompts come: fixed, random in a window, after a change; the same after a restart."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

from study_cases import STUDY, study

from feltsense.core.event import EventKind
from feltsense.study import Study, When, after_change, answer_events, due

NS = 10**9
MINUTE = 60 * NS


@dataclass
class Asked:
    id: str
    when: When


def clock(item, zone=UTC):
    return datetime.fromtimestamp(item.t_ns / NS, zone)


def test_prompts_keep_their_distance_and_come_back_the_same():
    prompts = Study.of(STUDY).prompts
    seen = set()
    for day in range(1, 29):
        plan = due(prompts, date(2026, 2, day), "P01", UTC)
        assert plan == due(prompts, date(2026, 2, day), "P01", UTC)
        assert plan == sorted(plan)
        mine = {d.key: d for d in plan if d.prompt == "stress-now"}
        assert sorted(mine) == [f"stress-now/2026-02-{day:02d}/{k}" for k in range(5)]
        assert clock(mine.pop(f"stress-now/2026-02-{day:02d}/0")).time().isoformat() == "09:00:00"
        random = sorted(map(clock, mine.values()))
        assert all(10 <= t.hour < 20 or (t.hour == 20 and t.minute == 0) for t in random)
        assert all((b - a).total_seconds() >= 90 * 60 - 1 for a, b in pairwise(random))
        assert {d.expires_ns - d.t_ns for d in mine.values()} == {20 * MINUTE}
        seen |= {t.time() for t in random}
    assert len(seen) > 90, "times differ from day to day"
    assert due(prompts, date(2026, 2, 1), "P02", UTC) != due(prompts, date(2026, 2, 1), "P01", UTC)


def test_random_times_are_uniform_where_nothing_keeps_them_apart():
    prompt = [Asked("a", When(window=("08:00", "20:00"), count=1))]
    days = [date(2026, 1, 1) + timedelta(days=k) for k in range(600)]
    hours = sorted((due(prompt, day, "P", UTC)[0].t_ns / NS % 86400) / 3600 for day in days)
    furthest = max(abs((h - 8) / 12 - (k + 0.5) / 600) for k, h in enumerate(hours))
    assert furthest < 1.63 / 600**0.5, "Kolmogorov-Smirnov at 1 %"


def test_fixed_times_are_wall_clock_times_on_the_day_the_clocks_change():
    zone = ZoneInfo("Europe/Berlin")
    for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25)):
        nine = datetime(day.year, day.month, day.day, 9, tzinfo=zone)
        assert nine in [clock(d, zone) for d in due(Study.of(STUDY).prompts, day, "P", zone)]


def test_a_change_asks_once_in_its_pause_also_after_a_restart():
    prompts = [Asked("a", When(after_change=True, pause_min=30, expires_min=5)), Asked("b/c", When(after_change=True))]
    t0 = 1_780_000_000 * NS
    first = after_change(prompts, t0, (), UTC)
    assert [(d.prompt, d.t_ns, d.expires_ns) for d in first] == [("a", t0, t0 + 5 * MINUTE), ("b/c", t0, t0 + 30 * MINUTE)]
    log = [d.key for d in first] + ["a/2026-05-28/0", "noise", "a/change"]
    assert not after_change(prompts, t0 + 29 * MINUTE, log, UTC)
    assert [d.prompt for d in after_change(prompts, t0 + 30 * MINUTE, log, UTC)] == ["a"]
    assert [d.prompt for d in after_change(prompts, t0 + 60 * MINUTE, log, UTC)] == ["a", "b/c"]


def test_a_change_asks_only_in_the_window_of_local_time():
    prompts = Study.of(study(prompts=[
        {**STUDY["prompts"][0], "after_change": True, "count": 0, "times": []}, STUDY["prompts"][1],
    ])).prompts  # fmt: skip
    east = timezone(timedelta(hours=5))
    at = {h: int(datetime(2026, 5, 4, h, 30, tzinfo=east).timestamp()) * NS for h in (9, 10, 19, 20)}
    assert {h: len(after_change(prompts, t, (), east)) for h, t in at.items()} == {9: 0, 10: 1, 19: 1, 20: 0}
    assert [d.prompt for d in due(prompts, date(2026, 5, 4), "P", east)] == ["where"]


def test_answers_are_events_where_they_are_numbers():
    given = [("tense", "40"), ("mood", "0.5,-0.25"), ("busy", "Yes"), ("words", "1,2,3"), ("odd", "nan"), ("empty", "")]
    events = answer_events(7, given)
    assert {e.kind for e in events} == {EventKind.ANSWER}
    assert [(e.t_ns, e.text, e.value) for e in events] == [
        (7, "tense", 40.0), (7, "mood.valence", 0.5), (7, "mood.arousal", -0.25),
    ]  # fmt: skip
