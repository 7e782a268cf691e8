"""An hour with every fault, against the virtual sensors' own counters; ``benchmarks/bench_app.py --day`` lives a day."""

import day_of_faults as days

from feltsense_app.presenters.prompts import Stage


async def test_an_hour_of_faults_loses_nothing_silently(tmp_path):
    day = days.usual(1.0, 3)
    await days.live(day, tmp_path, 250.0)
    assert day.killed == 3
    assert set(day.counted) == set(days.OWN.values())
    assert all(stored for stored, _, _ in day.counted.values())
    assert days.unaccounted(day) == {}
    assert day.unended == []
    assert {"home.no_space", "home.away", "home.good"} <= day.said
    stages = {x.stage for x in day.stages}
    assert {Stage.SHOWN, Stage.ANSWERED, Stage.MISSED} <= stages
