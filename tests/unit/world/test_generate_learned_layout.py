from __future__ import annotations

from math import pi
from pathlib import Path

import pytest
import torch
from tests.unit.world.kitchens import kitchen

from ecumene_models.errors import WeightsError
from ecumene_models.layout_gan import LayoutConfig, LayoutGan
from ecumene_models.layout_training import learn_typical
from ecumene_models.layouts import FLOOR
from ecumene_world.generate import learned_layout
from ecumene_world.generate.fitting import fitted
from ecumene_world.generate.learned_layout import KNOWN, LearnedLayout, drawn_of
from ecumene_world.generate.proposer import Brief, Doorway, Proposal
from ecumene_world.learning.arrangements import MOST, NAMES, ROLES, TAGS, layouts_of

CONFIG = LayoutConfig(len(NAMES), len(ROLES), len(TAGS), MOST, width=16, heads=2, layers=1, sizes=2)


def brief(role: str, seed: int = 1, wide: float = 4.0, tags: tuple[str, ...] = ()) -> Brief:
    corners = ((-2.0, -1.5), (wide - 2.0, -1.5), (wide - 2.0, 2.5), (-2.0, 2.5))
    return Brief(role, corners, 2.6, (Doorway(-2.0, 0.5, 0.0, 0.9),), ("left",), tags=tags, seed=seed)


@pytest.fixture(scope="module")
def proposer() -> LearnedLayout:
    """A network that has learned no more than what is typical of one kitchen."""
    torch.manual_seed(0)
    network = LayoutGan(CONFIG)
    learn_typical(network.generator, layouts_of([kitchen()]), torch.Generator().manual_seed(0))
    return LearnedLayout(network.eval())


def things(proposer: LearnedLayout, asked: Brief) -> list[Proposal]:
    found = proposer.propose(asked)
    assert found is not None
    return list(found)


@pytest.mark.parametrize("role", KNOWN)
def test_whatever_is_drawn_fits_the_room(proposer: LearnedLayout, role: str) -> None:
    asked = brief(role)
    proposed = things(proposer, asked)
    assert all(thing.support < index for index, thing in enumerate(proposed))
    kept = fitted(asked, proposed, 1)
    assert kept.moved == 0, "nothing overlaps, blocks a door or sticks out"


def test_the_same_brief_gives_the_same_room(proposer: LearnedLayout) -> None:
    assert things(proposer, brief("kitchen")) == things(proposer, brief("kitchen"))
    assert things(proposer, brief("kitchen")) != things(proposer, brief("kitchen", seed=2))


def test_other_roles_are_left_to_the_rules(proposer: LearnedLayout) -> None:
    assert proposer.propose(brief("meeting_room")) is None


def test_a_sink_parts_the_counter_that_it_is_let_into() -> None:
    made = layouts_of([kitchen()])
    asked = Brief("kitchen", ((0.0, 0.0), (4.0, 0.0), (4.0, 3.5), (0.0, 3.5)), 2.6, seed=1)
    furnisher, worth = learned_layout.furnished(asked, drawn_of(made, 0, asked))
    kinds = [item.kind for item in furnisher.items]
    assert kinds.count("counter") == 2
    assert kinds.count("sink") == 1
    sink = furnisher.items[kinds.index("sink")]
    assert sink.yaw == pytest.approx(pi / 2), "it looks as the counter does"
    assert worth > 1.0


def test_what_stands_on_something_stands_on_what_was_built_of_it() -> None:
    made = layouts_of([kitchen()])
    asked = Brief("kitchen", ((0.0, 0.0), (4.0, 0.0), (4.0, 3.5), (0.0, 3.5)), 2.6, seed=1)
    furnisher, _ = learned_layout.furnished(asked, drawn_of(made, 0, asked))
    (cup,) = (item for item in furnisher.items if item.kind == "cup")
    assert cup.support != FLOOR
    assert furnisher.items[cup.support].kind == "table"


def test_a_chair_is_drawn_back_from_the_table_and_faces_it() -> None:
    made = layouts_of([kitchen()])
    asked = Brief("kitchen", ((0.0, 0.0), (4.0, 0.0), (4.0, 3.5), (0.0, 3.5)), 2.6, seed=1)
    furnisher, _ = learned_layout.furnished(asked, drawn_of(made, 0, asked))
    (chair,) = (item for item in furnisher.items if item.kind == "chair")
    assert furnisher.items[chair.faces].kind == "table"


def test_missing_weights_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned_layout, "WEIGHTS", tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match="no weights"):
        LearnedLayout.shipped()
