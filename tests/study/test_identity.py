"""What must change a run's identity, and what must not."""

from pathlib import Path

import pytest
from tests.test_config import checked

from ablate.study.identity import code_version, identity, normalized_source, setting

DATA = "f" * 64


def hash_of(*overrides: str, data: str = DATA) -> str:
    return identity(checked(*overrides), data)


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
        "training.learning_rate_drops=[[5,0.1]]",
        "data.image_size=72",
        "data.max_zoom=2.0",
        "backbone.width=0.5",
        "backbone.batch_norm=plain",
        "color.soft_bins=10",
        "color.temperature=0.4",
        "evaluation.side=32",
        "hardware.precision=mixed_bfloat16",
        "scale=smoke",
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
        "tracking.uri=sqlite:///elsewhere.db",
        "tracking.model=false",
        "hardware.threads=1",
        "evaluation.samples=2",
        "data.memory_gib=0",
        "training.log_points=7",
    ],
)
def test_where_and_how_it_is_recorded_does_not(override: str) -> None:
    assert hash_of(override) == hash_of()


def test_paths_and_the_order_of_overrides_do_not() -> None:
    assert hash_of("data=folder", "data.root=a") == hash_of("data=folder", "data.root=b")
    assert hash_of("depth=reduced", "dropout=heavy") == hash_of("dropout=heavy", "depth=reduced")


def test_runs_of_one_setting_are_those_that_can_be_compared() -> None:
    def setting_of(*overrides: str) -> str:
        return setting(checked(*overrides), DATA)

    assert setting_of("seed=1", "optimizer=sgd", "output_res=quarter", "loss=regression") == setting_of()
    assert setting_of("evaluation.side=32") != setting_of()
    assert setting_of("scale=smoke") != setting_of()
    assert setting(checked(), "e" * 64) != setting_of()


def test_comments_and_docstrings_are_no_new_code(tmp_path: Path) -> None:
    one = '"""Says."""\n\ndef f(x):\n    """Adds."""\n    return x + 1  # one\n'
    other = "def f(x):\n\n    return (x + 1)\n"
    assert normalized_source(one) == normalized_source(other)
    assert normalized_source(one) != normalized_source(other.replace("1", "2"))


def test_the_code_version_covers_what_computes_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "computes"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "model.py").write_text("WIDTH = 1\n")
    monkeypatch.syspath_prepend(tmp_path)

    def version() -> str:
        code_version.cache_clear()
        return code_version(("computes",))

    before = version()
    (package / "model.py").write_text("WIDTH = 1  # narrow\n")
    assert version() == before
    (package / "model.py").write_text("WIDTH = 2\n")
    assert version() != before
    code_version.cache_clear()
