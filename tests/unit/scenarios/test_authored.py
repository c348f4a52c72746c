"""YAML scenarios: what they may say, and the sentence for everything they may not."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from ecumene_scenarios.contract import check
from ecumene_scenarios.errors import DocumentError
from ecumene_scenarios.packs.arena import add_place, ground
from ecumene_scenarios.packs.authored import Authored, checked, read
from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.session import Session
from ecumene_world.state import Emote, Verb

DAY = {
    "title": "a short day",
    "describe": "Five people cross a square.",
    "world": {"file": "square.json"},
    "population": 5,
    "minds": "none",
    "ticks": 60,
    "commands": [
        {"at": 3, "do": "gesture", "who": "all", "emote": "wave"},
        {"at": 5, "every": 10, "until": 26, "do": "say", "who": "npc:2", "text": "Fresh bread!"},
        {"at": 6, "do": "intent", "who": ["npc:0", "npc:1"], "verb": "go", "place": "east"},
        {"at": 7, "do": "intent", "who": "npc:3", "verb": "gather", "place": "park"},
        {"at": 8, "do": "despawn", "who": "npc:4"},
    ],
    "metrics": ["people", "spoken", "walked_m"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    graph = ground(16.0, 1, "square")
    add_place(graph, "east", (5.0, 0.0))
    add_place(graph, "garden", (-5.0, 0.0), role="park")
    graph.save(tmp_path / "square.json")
    return tmp_path


def authored(folder: Path, **changes: object) -> Authored:
    path = folder / "day.yaml"
    path.write_text(yaml.safe_dump({**DAY, **changes}))
    return read(path)


def test_cues_happen_when_they_should(folder: Path) -> None:
    session = Session(authored(folder), seed=1)
    said = []
    for tick in range(40):
        frame = session.tick()
        said += [tick for event in frame.events if event.name == "said"]
        state = session.world.state
        if tick == 3:
            assert (state.emote[0, :5] == Emote.WAVE).all()
        assert not [event for event in frame.events if event.name == "rejected"]
    assert said == [5, 15, 25]
    assert session.world.state.verb[0, :4].tolist() == [Verb.GO, Verb.GO, Verb.WAIT, Verb.GATHER]
    assert session.world.layout.names[int(session.world.layout.place_row[session.world.state.place[0, 3]])] == "garden"
    assert frame.metrics["people"].tolist() == [4.0]
    assert frame.metrics.keys() == {"people", "spoken", "walked_m"}
    assert frame.metrics["spoken"].tolist() == [3.0]


def test_it_keeps_the_contract(folder: Path) -> None:
    check(lambda: authored(folder, commands=[]), worlds=1)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ({"empty": True}, None),
        ({"gathered": {"place": "east", "share": 0.0}}, 1),
        ({"above": {"metric": "agent_minutes", "value": 0.1}}, 25),
        ({}, None),
    ],
)
def test_endings(folder: Path, end: dict[str, object], expected: int | None) -> None:
    session = Session(authored(folder, end=end, commands=[]), seed=1)
    done = next((tick for tick in range(1, 31) if bool(session.tick().done.all())), None)
    assert done == expected


def test_an_empty_world_ends_when_asked(folder: Path) -> None:
    everybody_goes = [{"at": 2, "do": "despawn", "who": "all"}]
    session = Session(authored(folder, end={"empty": True}, commands=everybody_goes), seed=1)
    assert [bool(session.tick().done.all()) for _ in range(4)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"popultion": 3}, "unknown key 'popultion'; did you mean 'population'?"),
        ({"world": {"generate": "plaza", "sede": 3}}, "unknown key 'sede'; did you mean 'seed'?"),
        ({"world": {"seed": 3}}, "needs exactly one of 'generate' and 'file'"),
        ({"world": {"generate": "plaza", "file": "a.json"}}, "needs exactly one of"),
        ({"world": "plaza"}, "a mapping such as 'generate: plaza'"),
        ({"world": {"file": "../secret.json"}}, "must lie beside or below"),
        ({"world": {"file": "/etc/passwd"}}, "must lie beside or below"),
        ({"world": {"generate": "plaza", "size_m": 1e9}}, "size_m is 1000000000.0"),
        ({"world": {"generate": "plaza", "tags": "old"}}, "tags is 'old'"),
        ({"world": {"generate": "plazza"}}, "world: generate: 'plazza' can't be generated, but apartment, "),
        ({"world": {"generate": "plaza", "tags": ["cozzy"]}}, "world: generate: "),
        ({"world": {"generate": "plaza", "size_m": 8}}, "generate: a size of 8 m is not within 56 and 100 m for plaza"),
        ({"population": -1}, "population is -1; a whole number from 0 to 5000"),
        ({"population": True}, "population is True"),
        ({"minds": "fuzion"}, "minds is 'fuzion'; did you mean 'fusion'?"),
        ({"ticks": 0}, "ticks is 0"),
        ({"title": ""}, "title is ''"),
        ({"commands": {}}, "commands is {}; a list"),
        ({"commands": [{"at": 1}]}, "do is None"),
        ({"commands": [{"do": "sey", "who": "all", "text": "a"}]}, "'sey'; did you mean 'say'?"),
        ({"commands": [{"do": "say", "text": "a"}]}, "lacks the key 'who'"),
        ({"commands": [{"do": "say", "who": "all"}]}, "lacks the key 'text', which 'say' needs"),
        ({"commands": [{"do": "say", "who": "all", "text": ""}]}, "nothing to say"),
        ({"commands": [{"do": "say", "who": 3, "text": "a"}]}, "who is 3"),
        ({"commands": [{"do": "say", "who": "all", "text": "a", "tekst": "b"}]}, "unknown key 'tekst'"),
        ({"commands": [{"do": "gesture", "who": "all", "emote": "wav"}]}, "'wav'; did you mean 'wave'?"),
        ({"commands": [{"do": "thing", "thing": "bell", "state": 999}]}, "state 999"),
        ({"commands": [{"do": "thing", "who": "all", "thing": "bell", "state": 1}]}, "unknown key 'who'"),
        ({"commands": [{"at": 1e3, "do": "recompile"}]}, "at is 1000.0"),
        ({"metrics": ["walked"]}, "'walked'; did you mean 'walked_m'?"),
        ({"metrics": "walked_m"}, "a list of metric names"),
        ({"end": {"empt": True}}, "unknown key 'empt'; did you mean 'empty'?"),
        ({"end": {"empty": 1}}, "empty is 1"),
        ({"end": {"above": {"metric": "walked_m"}}}, "value is None"),
        ({"end": {"gathered": {"place": "east", "share": "all"}}}, "share is 'all'"),
    ],
)
def test_refusals_name_the_key(change: dict[str, object], words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        checked({**DAY, **change}, "day.yaml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("day.yaml")
    assert "\n" not in str(caught.value)


WRONG = """\
title: Wrong
world:
  generate: {kind}
  seed: 3
commands:
  - {{do: gesture, who: all, emote: wave}}
  - do: gesture
    who: all
    emote: {emote}
end:
  above: {{metric: walked_m, value: {value}}}
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "plazza"}, "wrong.yaml line 3: world: generate: 'plazza' can't be generated, but apartment, "),
        ({"emote": "wav"}, "wrong.yaml line 9: commands[1]: emote is 'wav'; did you mean 'wave'?"),
        ({"value": "'far'"}, "wrong.yaml line 11: end: above: value is 'far'"),
    ],
)
@pytest.mark.parametrize("reader", [read, load_scenario])
def test_refusals_name_the_line_of_a_file(
    tmp_path: Path, change: dict[str, str], words: str, reader: Callable[[Path], object]
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG.format(**({"kind": "plaza", "emote": "wave", "value": "1"} | change)))
    with pytest.raises(DocumentError) as caught:
        reader(path)
    assert str(caught.value).startswith(words)


def test_what_is_wrong_with_all_of_a_file_has_no_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("world: {generate: plaza}\nworlds: 3\n")
    with pytest.raises(DocumentError, match=r"^wrong\.yaml has the unknown key 'worlds'"):
        read(path)


def test_the_seed_draws_other_people(folder: Path) -> None:
    first, second = (Session(authored(folder, commands=[]), seed=seed).world.state for seed in (1, 2))
    assert not torch.equal(first.look, second.look)
