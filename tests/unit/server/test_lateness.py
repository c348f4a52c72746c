from __future__ import annotations

import pytest
import torch
from prometheus_client.parser import text_string_to_metric_families

from ecumene_server.lateness import WINDOW, Lateness
from ecumene_server.metrics import Reading, Spread, exposition


@pytest.fixture
def late() -> Lateness:
    """Returns what comes of batches asked for in ticks 1, 2 and 3 that are applied in ticks 1, 3 and 13."""
    late = Lateness(4, soonest=1)
    for tick, asked in ((1, 1), (3, 2), (13, 3)):
        late.tick = tick
        late.came(asked, torch.tensor([asked]))
    return late


def test_batches_are_on_time_or_late_by_their_age(late: Lateness) -> None:
    assert (late.on_time, late.late) == (2, 1)
    assert dict(late.ages) == {0: 1, 1: 1, 10: 1}
    assert (late.oldest(0.5), late.oldest(0.99), late.ticks()) == (1, 10, 11)


def test_nothing_is_late_before_the_first(late: Lateness) -> None:
    assert (Lateness(1, soonest=0).oldest(0.99), late.age(0), late.age(2)) == (0, None, 11)


def test_ages_are_a_histogram_for_prometheus(late: Lateness) -> None:
    text = exposition(
        lambda: [Spread("age_ticks", "Ticks.", late.buckets(), late.ticks()), Reading("one", "One.", 1)]
    )()
    families = {each.name: each for each in text_string_to_metric_families(text.content.decode())}
    rows = {(row.name, row.labels.get("le")): row.value for row in families["ecumene_age_ticks"].samples}
    assert rows["ecumene_age_ticks_bucket", "0"] == 1
    assert rows["ecumene_age_ticks_bucket", "8"] == 2
    assert rows["ecumene_age_ticks_bucket", "+Inf"] == rows["ecumene_age_ticks_count", None] == 3
    assert rows["ecumene_age_ticks_sum", None] == 11
    assert families["ecumene_one"].samples[0].value == 1


def test_decisions_are_counted_by_slot_and_lately_by_tick() -> None:
    late = Lateness(4, soonest=1)
    assert late.per_tick() == 0.0
    for tick in range(8):
        late.begin()
        if tick % 2:
            late.came(late.tick, torch.arange(3))
    assert (late.tick, late.decided, late.per_tick()) == (8, 12, 1.5)
    for _ in range(WINDOW - 8):
        late.begin()
    assert late.per_tick() == 12 / WINDOW
    for _ in range(WINDOW):
        late.begin()
    assert (late.decided, late.per_tick()) == (12, 0.0), "the total stays, the rate is of late"


def test_the_share_of_turns_in_which_a_decision_came_is_of_late() -> None:
    late = Lateness(4, soonest=1)
    assert late.served() == 1.0
    for tick in range(8):
        late.begin()
        late.turned(torch.arange(4))
        if tick % 2:
            late.came(late.tick, torch.arange(3))
    assert (late.turns, late.served()) == (32, 12 / 32)
    for _ in range(WINDOW):
        late.begin()
    assert (late.turns, late.served()) == (32, 1.0)
