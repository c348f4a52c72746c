from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.unit.world.perceived import digits, spoken

from ecumene_models.classifier import FusedClassifier, load_classifier
from ecumene_models.classifier_training import ClassifierTraining
from ecumene_models.errors import WeightsError
from ecumene_models.metrics import Row
from ecumene_world.learning import fusing
from ecumene_world.learning.fusing import EXPERTS, MODEL, NOISE, SUBSETS, Sizes, explanations, noisier, train_all
from ecumene_world.learning.perceiving import Difficulty, examples, split

TRAINING = ClassifierTraining(steps=2, forming=2, fusing=2, batch=16)
SIZES = Sizes(1, 1, 1, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, tuple[Row, ...], list[tuple[int, int, float]]]:
    folder = tmp_path_factory.mktemp("fusion")
    heard: list[tuple[int, int, float]] = []
    weights, rows = train_all(
        digits(), spoken(), TRAINING, folder, sizes=SIZES, seeds=2, progress=lambda *told: heard.append(told)
    )
    return folder, weights, rows, heard


Made = tuple[Path, Path, tuple[Row, ...], list[tuple[int, int, float]]]


def test_every_method_is_measured_on_every_subset(made: Made) -> None:
    found = {(row.model, row.metric) for row in made[2]}
    for name in (MODEL, "product_of_experts", "calibrated_product", "textbook", "textbook_with_dropout"):
        assert {(name, f"accuracy_{letters}") for letters in SUBSETS} <= found
    assert ("vision_expert", "accuracy_vt") in found
    assert ("vision_expert", "accuracy_at") not in found
    assert {row.model for row in made[2] if not row.baseline} == {MODEL}
    assert {row.seeds for row in made[2]} == {2}


def test_a_single_sense_is_as_good_as_its_expert(made: Made) -> None:
    values = {(row.model, row.metric): row.value for row in made[2]}
    for letters, senses in SUBSETS.items():
        if len(senses) == 1:
            metric = f"accuracy_{letters}"
            assert values[MODEL, metric] == values[EXPERTS[senses[0]], metric]


def test_steps_are_counted_to_the_end(made: Made) -> None:
    assert [told[0] for told in made[3]] == list(range(1, 2 * 10 + 1))
    assert {told[1] for told in made[3]} == {20}


def test_the_weights_are_those_of_the_first_seed(made: Made) -> None:
    assert made[1].name == "fusion-0.safetensors"
    assert load_classifier(made[1]).config.experts


def test_an_interrupted_run_goes_on_with_what_is_there(made: Made) -> None:
    assert train_all(digits(), spoken(), TRAINING, made[0], sizes=SIZES, seeds=2)[1] == made[2]
    with pytest.raises(WeightsError, match="another folder"):
        train_all(digits(), spoken(), replace(TRAINING, steps=3), made[0], sizes=SIZES, seeds=1)


def test_noise_changes_one_sense_alone() -> None:
    part = split(digits(), spoken(), 0)[0]
    plain = examples(part, Difficulty(), 1, 0)[0]
    for sense, name in (("vision", "image"), ("touch", "glimpses"), ("hearing", "frames")):
        noisy = examples(part, noisier(Difficulty(), sense, NOISE[sense][-1]), 1, 0)[0]
        changed = [
            field
            for field in ("image", "frames", "glimpses")
            if not torch.equal(getattr(plain, field), getattr(noisy, field))
        ]
        assert changed == [name]


def test_explanations_of_an_untrained_network_are_exact() -> None:
    percepts = examples(split(digits(), spoken(), 0)[0], Difficulty(), 1, 0)[0]
    network = FusedClassifier()
    assert explanations(network, percepts)["contribution_order"] == 1.0
    with torch.no_grad():
        network.residual.weight.normal_(std=3.0, generator=torch.Generator().manual_seed(0))
    assert explanations(network, percepts)["contribution_order"] < 1.0


def test_a_version_without_figures_says_how_to_make_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusing, "SHIPPED", tmp_path / "none.json")
    with pytest.raises(WeightsError, match="--fresh"):
        fusing.shipped_results()
