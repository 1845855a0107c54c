"""Identity: it changes with all that determines a result, and with nothing else."""

import hashlib
import shutil
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from ablate.config.paths import conf_dir
from ablate.config.validation import validate_config
from ablate.execution.code_version import import_closure, meaning
from ablate.execution.identity import configuration, identity, setting
from tests.support.configs import valid_config

DATA = "f" * 64


@cache
def hash_of(*overrides: str, data: str = DATA) -> str:
    return identity(valid_config(*overrides), data)


@pytest.mark.slow
@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "optimizer=adadelta",
        "optimizer.learning_rate=2e-3",
        "regularizer=l2",
        "depth=reduced",
        "dropout=light",
        "output_res=half",
        "loss=unweighted",
        "loss.mix=0.4",
        "training.epochs=11",
        "training.batch_size=31",
        "training.deterministic=false",
        "schedule=cosine",
        "data.image_size=72",
        "data.max_zoom=2.0",
        "backbone.width=0.5",
        "backbone.batch_norm=plain",
        "color.soft_bins=10",
        "color.temperature=0.4",
        "evaluation.side=32",
        "hardware.precision=mixed_bfloat16",
        "scale=smoke",
        "validation_fraction=0.1",
    ],
)
def test_what_determines_the_result_changes_it(override: str) -> None:
    assert hash_of(override) != hash_of()


def test_other_data_changes_it() -> None:
    assert hash_of(data="e" * 64) != hash_of()


@pytest.mark.parametrize(
    "override",
    [
        "study.name=other",
        "study.variant=renamed",
        "tracking.uri=sqlite:///elsewhere.db",
        "checkpoint.dir=elsewhere",
        "checkpoint.minutes=1",
        "rerun=all",
        "hydra/launcher=joblib",
        "hardware.onednn=false",
        "tracking.model=false",
        "hardware.threads=1",
        "hardware.devices=cpu:2",
        "hardware.compile=graph",
        "tracking.system_metrics=false",
        "evaluation.samples=2",
        "evaluation.samples_from=sample",
        "data.memory_gib=0",
        "data.max_bad_fraction=0.5",
        "optimizer.beta_1=0.9",
        "+optimizer.amsgrad=false",
        "training.log_points=7",
    ],
)
def test_where_and_how_it_is_recorded_does_not(override: str) -> None:
    assert hash_of(override) == hash_of()


@pytest.mark.slow
def test_paths_and_the_order_of_overrides_do_not() -> None:
    assert hash_of("data=folder", "data.root=a") == hash_of("data=folder", "data.root=b")
    assert hash_of("depth=reduced", "dropout=heavy") == hash_of("dropout=heavy", "depth=reduced")


@pytest.mark.slow
def test_another_default_of_a_level_that_is_not_used_does_not(tmp_path: Path) -> None:
    def hash_in(folder: Path) -> str:
        with initialize_config_dir(str(folder), version_base="1.3"):
            return identity(validate_config(compose("config", ["optimizer=adamw"])), DATA)

    changed = tmp_path / "conf"
    shutil.copytree(conf_dir(), changed)
    (changed / "optimizer" / "sgd.yaml").write_text(
        (changed / "optimizer" / "sgd.yaml").read_text() + "momentum: 0.5\n"
    )
    config = changed / "base.yaml"
    config.write_text(config.read_text().replace("- optimizer: adam\n", "- optimizer: sgd\n"))
    assert "- optimizer: sgd\n" in config.read_text()
    assert hash_in(changed) == hash_in(conf_dir())
    (changed / "optimizer" / "adamw.yaml").write_text(
        (changed / "optimizer" / "adamw.yaml").read_text() + "epsilon: 0.5\n"
    )
    assert hash_in(changed) != hash_in(conf_dir())


@pytest.mark.slow
def test_one_changed_photograph_changes_it(photographs: Path) -> None:
    def found() -> str:
        run = valid_config("data=folder", f"data.root={photographs}")
        return identity(run, run.task.find_data().fingerprint)

    before = found()
    (photographs / "0.png").rename(photographs / "zero.png")
    assert found() == before
    content = (photographs / "1.png").read_bytes()
    (photographs / "1.png").write_bytes(content + b"0")
    assert found() != before
    (photographs / "1.png").write_bytes(content)
    assert found() == before


@pytest.mark.slow
def test_runs_of_one_setting_are_those_that_can_be_compared() -> None:
    def setting_of(*overrides: str) -> str:
        return setting(valid_config(*overrides), DATA)

    assert setting_of("seed=1", "optimizer=sgd", "output_res=quarter", "loss=regression") == setting_of()
    assert setting_of("evaluation.side=32") != setting_of()
    assert setting_of("scale=smoke") != setting_of()
    assert setting(valid_config(), "e" * 64) != setting_of()


def test_what_code_means_is_the_same_in_every_version_of_python() -> None:
    # What 3.11, 3.12 and 3.13 give for this: each knows other fields of a function, and writes f-strings otherwise.
    function = "@d\ndef f(x: int, *, y=1.5, **z) -> str:\n    return f'{x!r:>9} \\'{z}\\'' + b'1'.decode()\n"
    source = f"{function}\nclass C(B): ...\n"
    assert hashlib.sha256(meaning(source).encode()).hexdigest()[:16] == "89430f9008cc4e09"


@pytest.mark.slow
def test_repetitions_differ_in_the_seed_alone() -> None:
    def configuration_of(*overrides: str) -> str:
        return configuration(valid_config(*overrides), DATA)

    assert configuration_of("seed=1") == configuration_of()
    assert configuration_of("optimizer.learning_rate=0.1") != configuration_of()


def test_a_level_is_what_it_sets_and_not_its_name() -> None:
    assert hash_of("dropout=light") == hash_of("dropout.rate=0.2")


@pytest.mark.slow
def test_the_code_of_an_optimizer_of_ones_own_counts_and_variants_of_it_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_optimizer.py").write_text("class Mine: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    mine = valid_config("optimizer._target_=own_optimizer.Mine")
    before, common = configuration(mine, DATA), setting(mine, DATA)
    assert common == setting(valid_config(), DATA)
    (tmp_path / "own_optimizer.py").write_text("class Mine:\n    fast = True\n")
    import_closure.cache_clear()
    assert configuration(mine, DATA) != before
    assert setting(mine, DATA) == common
    import_closure.cache_clear()
