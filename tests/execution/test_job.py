"""What a Hydra job says of its run."""

from pathlib import Path

import pytest

from ablate.cli.command_line import CommandLine
from ablate.config.interpolation import current_hydra_job
from ablate.config.validation import validate_config
from ablate.execution.job import variant_of


def named(*arguments: str) -> str:
    config = CommandLine(arguments).compose()
    with current_hydra_job(config):
        return variant_of(validate_config(config))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["optimizer={learning_rate:0.01}"], "optimizer.learning_rate=0.01"),
        (["optimizer=sgd", "optimizer={learning_rate:0.02}"], "optimizer=sgd,optimizer.learning_rate=0.02"),
        (["+optimizer.amsgrad=true"], "optimizer.amsgrad=True"),
        (["~optimizer.beta_2"], "optimizer.beta_2=absent"),
        (["dropout=light", "dropout.rate=0.3"], "dropout=light,dropout.rate=0.3"),
        (["training={learning_rate_drops:[[5,0.1]]}"], "training.learning_rate_drops=[[5, 0.1]]"),
        (["study.variant='mine'", "depth=shallow"], "mine"),
        (["study.variant=2024"], "2024"),
        (["data=sample", "scale=smoke", "seed=3", "hardware.threads=1"], "baseline"),
    ],
)
def test_a_variant_is_called_by_what_differs(arguments: list[str], name: str) -> None:
    assert named(*arguments) == name


def test_several_levels_of_one_group_are_a_difference(tmp_path: Path) -> None:
    files = {
        "mine": "defaults: [config, {augment: [flip]}, _self_]\n",
        "augment/flip": "# @package _global_\ntraining: {epochs: 2}\n",
        "augment/crop": "# @package _global_\ntraining: {batch_size: 4}\n",
    }
    for file, text in files.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / f"{file}.yaml").write_text(text)
    folder = ["--config-dir", str(tmp_path), "--config-name", "mine"]
    assert named(*folder) == "baseline"
    assert named(*folder, "augment=[flip,crop]") == "augment=['flip', 'crop']"
    assert named(*folder, "augment=[crop]") == "augment=['crop']"
