import torch
from tests.unit.world.scenes import compiled, field

from ecumene_world import Node, Pose, SceneGraph, State
from ecumene_world.swap import carried_over


def scene(*names: str, at: dict[str, Pose] | None = None) -> SceneGraph:
    graph = field()
    for index, name in enumerate(names):
        graph.add(Node(name, "ball", (at or {}).get(name, Pose.at(index, 0))))
        graph.add(Node(f"{name} place", "place", Pose.at(index, 5)))
    return graph


def swapped(state: State, before: SceneGraph, after: SceneGraph) -> State:
    return carried_over(state, compiled(before), compiled(after))


def test_things_keep_their_state_by_name() -> None:
    before, after = scene("a", "b", "c"), scene("new", "c", "a")
    layout = compiled(before)
    state = State.empty(1, 2, layout)
    state.thing_state[0] = torch.tensor([11, 22, 33])
    state.thing_timer[0] = torch.tensor([1.0, 2.0, 3.0])
    fresh = swapped(state, before, after)
    index = compiled(after).thing_index
    assert {name: int(fresh.thing_state[0, i]) for name, i in index.items()} == {"new": 0, "c": 33, "a": 11}
    assert fresh.thing_timer[0, index["c"]] == 3.0


def test_a_thing_that_became_another_kind_starts_afresh() -> None:
    before, after = scene("a", "b"), scene("a", "b")
    after.replace(Node("a", "cup"))
    state = State.empty(1, 2, compiled(before))
    state.thing_state[0] = torch.tensor([11, 22])
    state.held[0] = torch.tensor([0, 1])
    fresh = swapped(state, before, after)
    assert fresh.thing_state[0].tolist() == [0, 22]
    assert fresh.held[0].tolist() == [-1, 1]


def test_what_lies_at_rest_follows_an_edit_and_what_was_moved_stays() -> None:
    before = scene("a", "b", "c")
    after = scene("a", "b", "c", at={name: Pose.at(-3, -3) for name in "abc"})
    state = State.empty(1, 2, compiled(before))
    state.thing_position[0, 1] = torch.tensor([7.0, 7.0, 0.0])
    state.thing_holder[0, 2] = 1
    fresh = swapped(state, before, after)
    assert fresh.thing_position[0, :, 0].tolist() == [-3, 7, 2]
    assert fresh.thing_holder[0].tolist() == [-1, -1, 1]


def test_what_two_carry_they_go_on_carrying_and_what_they_left_lies_as_it_did() -> None:
    before = scene("a", "b", "c")
    after = scene("b", "c", "a", at={name: Pose.at(-3, -3, yaw=1.0) for name in "abc"})
    state = State.empty(1, 2, compiled(before))
    state.thing_holder[0, 1], state.thing_partner[0, 1], state.thing_span[0, 1] = 0, 1, 2.5
    state.thing_yaw[0, 1:] = 0.5
    state.thing_position[0, 2] = torch.tensor([7.0, 7.0, 0.0])
    fresh = swapped(state, before, after)
    assert fresh.thing_partner[0].tolist() == [1, -1, -1]
    assert fresh.thing_span[0].tolist() == [2.5, 0, 0]
    assert fresh.thing_yaw[0].tolist() == [0.5, 0.5, 1.0]


def test_references_to_things_and_places_are_renumbered_or_dropped() -> None:
    before, after = scene("a", "b", "c"), scene("c", "b")
    state = State.empty(1, 5, compiled(before))
    state.held[0] = torch.tensor([0, 1, 2, -1, -1])
    state.interact[0] = torch.tensor([2, 3, 4, 1, 0])
    state.place[0] = torch.tensor([0, 1, 2, -1, -7])
    fresh = swapped(state, before, after)
    assert fresh.held[0].tolist() == [-1, 1, 0, -1, -1]
    assert fresh.interact[0].tolist() == [0, 3, 2, 1, 0]
    assert fresh.place[0].tolist() == [-1, 1, 0, -1, -7], "a sort of thing that is sought stays it"


def test_everything_about_avatars_is_kept() -> None:
    before, after = scene("a"), scene("a", "b")
    state = State.empty(2, 3, compiled(before))
    generator = torch.Generator().manual_seed(0)
    for name in ("position", "velocity", "yaw", "needs", "contact", "waypoint"):
        column = getattr(state, name)
        column.copy_(torch.rand(column.shape, generator=generator))
    state.serial += 4
    state.tick += 99
    fresh = swapped(state, before, after)
    for name, tensor in state.fields().items():
        if not name.startswith("thing_"):
            assert torch.equal(getattr(fresh, name), tensor), name


def test_who_stood_on_a_storey_that_is_gone_is_on_the_highest_left() -> None:
    before, after = scene("a"), scene("a")
    deck: list[object] = [[-3, -3], [3, -3], [3, 3], [-3, 3]]
    before.add(Node("deck", "floor", Pose.at(0, 0, 3), attributes={"polygon": deck, "level": 1}))  # type: ignore[dict-item]
    state = State.empty(1, 1, compiled(before))
    state.level += 1
    state.goal_level += 1
    fresh = swapped(state, before, after)
    assert (int(fresh.level), int(fresh.goal_level)) == (0, 0)


def test_swapping_to_the_same_layout_changes_nothing() -> None:
    graph = scene("a", "b")
    state = State.empty(1, 4, compiled(graph))
    state.held[0] = torch.tensor([0, 1, -1, -1])
    fresh = swapped(state, graph, graph)
    for name, tensor in state.fields().items():
        assert torch.equal(getattr(fresh, name), tensor), name
