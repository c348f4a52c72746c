from __future__ import annotations

from tests.unit.server.crowds import crowd

from ecumene_server.codec import FLAG_FAR, Cell, decode_frames, encode_cells
from ecumene_server.interest import FAR_EVERY, Interest


def frames(cells: dict[Cell, int], tick: int = 0) -> dict[Cell, bytes]:
    return encode_cells(crowd(cells), epoch=1, tick=tick)


def seen(interest: Interest, cell: Cell) -> dict[Cell, int]:
    return {frame.cell: frame.flags for frame in decode_frames(interest.message(cell))}


def test_the_nine_cells_around_come_every_tick() -> None:
    interest, near = Interest(), {(x, y): 2 for x in (-1, 0, 1) for y in (-1, 0, 1)}
    for tick in range(3):
        interest.begin(frames(near, tick), tick)
        assert set(seen(interest, (0, 0))) == set(near)


def test_the_ring_comes_four_times_a_second_and_says_so() -> None:
    interest = Interest()
    ticks = []
    for tick in range(20):
        interest.begin(frames({(0, 0): 1, (2, 1): 1}, tick), tick)
        if (2, 1) in (found := seen(interest, (0, 0))):
            ticks.append(tick)
            assert found[2, 1] == FLAG_FAR
            assert found[0, 0] == 0
    assert ticks == list(range(0, 20, FAR_EVERY))


def test_cells_beyond_the_ring_never_come() -> None:
    interest = Interest()
    interest.begin(frames({(3, 0): 1, (0, 0): 1}), 0)
    assert set(seen(interest, (0, 0))) == {(0, 0)}


def test_clients_of_one_cell_share_one_message() -> None:
    interest = Interest()
    interest.begin(frames({(0, 0): 3}), 0)
    assert interest.message((0, 0)) is interest.message((0, 0))


def test_an_empty_neighbourhood_has_nothing_to_say() -> None:
    interest = Interest()
    interest.begin({}, 0)
    assert interest.message((5, 5)) == b""


def test_a_crowd_stays_within_the_budget_and_nobody_starves() -> None:
    interest = Interest(budget_bytes=4000)
    cells = {(x, y): 100 for x in (-1, 0, 1) for y in (-1, 0, 1)}
    sent, last = 0, dict.fromkeys(cells, 0)
    longest = dict.fromkeys(cells, 0)
    for tick in range(100):
        interest.begin(frames(cells, tick), tick)
        sent += len(interest.message((0, 0)))
        for cell in seen(interest, (0, 0)):
            longest[cell] = max(longest[cell], tick - last[cell])
            last[cell] = tick
    assert sent / 100 <= 4000 * 1.05
    assert longest[0, 0] <= 2, "the own cell comes first"
    assert max(longest.values()) <= 20, "every cell gets its turn within the second after which it is forgotten"


def test_a_cell_larger_than_the_budget_comes_less_often_but_comes() -> None:
    interest = Interest(budget_bytes=1000)
    came = 0
    for tick in range(60):
        interest.begin(frames({(0, 0): 300}, tick), tick)
        came += bool(interest.message((0, 0)))
    assert 8 <= came <= 16
