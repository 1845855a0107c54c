"""The code of a result: all that a task imports, by what it means, and nothing else."""

import importlib
import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ablate
from ablate.colorization.task import ColorizationTask
from ablate.errors import ConfigError
from ablate.execution import code_version as code
from ablate.execution.code_version import (
    IRRELEVANT,
    TRAINING,
    Code,
    code_of,
    code_of_classes,
    differences,
    import_closure,
    meaning,
)

LAB = {
    "lab/__init__.py": "",
    "lab/tasks/__init__.py": "",
    "lab/tasks/digits.py": (
        "from typing import TYPE_CHECKING\nfrom lab.nets.cnn import build\nfrom ..data import load\n"
        "import lab.losses as L\n"
        "if TYPE_CHECKING:\n    from lab.kinds import Kind\n"
        "class Digits:\n    def evaluate(self):\n        from lab.scores import accuracy\n        return accuracy\n"
    ),
    "lab/nets/cnn.py": "from .blocks import *\n__import__('lab.nets.heads')\n",
    "lab/nets/blocks.py": "WIDTH = 1\n",
    "lab/nets/heads.py": "CLASSES = 10\n",
    "lab/data.py": "try:\n    import numpy as np\nexcept ImportError:\n    np = None\n",
    "lab/losses.py": "import not_installed_here\n",
    "lab/scores.py": "def accuracy(): ...\n",
    "lab/kinds.py": "Kind = int\n",
    "lab/plots.py": "import lab.tasks.digits\n",
}
"""A project of a task whose network and data lie in other packages; `nets` has no `__init__.py`."""
COUNTS = {
    *("lab", "lab.tasks", "lab.tasks.digits", "lab.nets.cnn", "lab.nets.blocks", "lab.nets.heads"),
    *("lab.data", "lab.losses", "lab.scores"),
}


def clear() -> None:
    importlib.invalidate_caches()
    import_closure.cache_clear()
    code._is_library.cache_clear()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project, importable."""
    for name, source in LAB.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    clear()
    yield tmp_path / "lab"
    clear()


def closure() -> Code:
    clear()
    return import_closure(("lab.tasks.digits",))


@pytest.mark.slow
def test_the_import_closure_is_followed_without_importing_anything(lab: Path) -> None:
    # An empty package has no code of its own.
    assert set(closure().modules) == COUNTS - {"lab", "lab.tasks"}
    assert closure().libraries == {
        "numpy": importlib.metadata.version("numpy"),
        "not_installed_here": "not installed",
    }
    assert "lab" not in sys.modules


@pytest.mark.parametrize("name", LAB)
def test_an_edit_counts_where_it_can_influence_a_result(name: str, lab: Path) -> None:
    before = closure()
    path = lab.parent / name
    path.write_text(f"{path.read_text()}\nEDITED = 1\n")
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert (closure().version != before.version) == (module in COUNTS)
    if module in COUNTS:
        assert module in differences(before, closure())


def test_comments_docstrings_and_where_a_module_lies_do_not_count(lab: Path) -> None:
    before = closure().version
    (lab / "scores.py").write_text('"""Scores."""\n\n\ndef accuracy():  # of digits\n    """Return it."""\n    ...\n')
    assert closure().version == before
    (lab / "scores.py").rename(lab / "measures.py")
    task = lab / "tasks" / "digits.py"
    task.write_text(task.read_text().replace("lab.scores", "lab.measures"))
    (lab / "nets" / "blocks.py").rename(lab / "nets" / "parts.py")
    cnn = lab / "nets" / "cnn.py"
    cnn.write_text(cnn.read_text().replace(".blocks", ".parts"))
    assert closure().version == before


def test_another_import_counts_even_if_both_modules_are_there(lab: Path) -> None:
    (lab / "nets" / "blocks.py").write_text("def build(): return 1\n")
    (lab / "nets" / "heads.py").write_text("def build(): return 2\n")
    (lab / "data.py").write_text("from lab.nets.blocks import build\n")
    before = closure().version
    (lab / "data.py").write_text("from lab.nets.heads import build\n")
    assert closure().version != before


def test_a_renamed_function_and_another_constant_count(lab: Path) -> None:
    before = closure().version
    task = lab / "tasks" / "digits.py"
    task.write_text(task.read_text().replace("import build", "import construct as build"))
    assert closure().version != before


def test_cycles_end(lab: Path) -> None:
    (lab / "data.py").write_text("import lab.tasks.digits\n")
    assert "lab.data" in closure().modules


@pytest.mark.slow
def test_another_version_of_a_library_counts(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = closure()
    code._library.cache_clear()
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.9" if name == "numpy" else real(name))
    after = closure()
    code._library.cache_clear()
    assert after.version != before.version
    assert differences(before, after) == [f"numpy {before.libraries['numpy']} and 9.9"]


@pytest.mark.slow
def test_what_is_installed_counts_by_its_version_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "plugin.py").write_text("import lab_of_nobody\n")
    (tmp_path / "mine.py").write_text("import plugin\n")
    monkeypatch.syspath_prepend(installed)
    monkeypatch.syspath_prepend(tmp_path)
    clear()
    found = import_closure(("mine",))
    assert (set(found.modules), found.libraries) == ({"mine"}, {"plugin": "not installed"})
    # A task's own package counts by its contents wherever it lies.
    assert set(import_closure(("mine",), (), ("plugin", "mine")).modules) == {"mine", "plugin"}
    clear()


@pytest.mark.parametrize(
    ("name", "source", "match"),
    [
        ("absent", None, "the code of absent is not found"),
        ("broken", "def f(:\n", "broken.py, on which results depend"),
    ],
)
def test_code_that_cannot_be_read_is_an_error(
    name: str, source: str | None, match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    if source:
        (tmp_path / f"{name}.py").write_text(source)
    clear()
    with pytest.raises(ConfigError, match=match):
        import_closure((name,), (), (name,))
    clear()


def test_code_that_a_task_inherits_counts_and_what_it_declares_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_base.py").write_text("class Base:\n    pass\n")
    (tmp_path / "own_plots.py").write_text("")
    (tmp_path / "own_task.py").write_text(
        "import own_base, own_plots\nclass Mine(own_base.Base):\n    irrelevant_code = ('own_plots',)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    clear()
    task = importlib.import_module("own_task").Mine()
    before = code_of(task)
    assert {"own_base", "own_task", TRAINING, "ablate.config.training"} <= set(before.modules)
    (tmp_path / "own_plots.py").write_text("DPI = 2\n")
    clear()
    assert code_of(task) == before
    (tmp_path / "own_base.py").write_text("class Base:\n    width = 2\n")
    clear()
    assert differences(code_of(task), before) == ["own_base"]
    clear()


def test_the_code_of_a_class_that_the_configuration_names_counts(lab: Path) -> None:
    before = code_of_classes(["lab.data.Mine", "keras.optimizers.Adam"])
    assert (set(before.modules), set(before.libraries)) == ({"lab.data"}, {"keras", "numpy"})
    (lab / "data.py").write_text("FAST = 1\n")
    clear()
    assert code_of_classes(["lab.data.Mine", "keras.optimizers.Adam"]).version != before.version


INFLUENCE = {
    *(
        "ablate.colorization",
        "ablate.colorization.color",
        "ablate.colorization.data",
        "ablate.colorization.data.prepared",
        "ablate.colorization.data.sources",
        "ablate.colorization.model",
        "ablate.config",
        "ablate.system",
        "ablate.training",
    ),
    *(
        f"ablate.colorization.{name}"
        for name in (
            "classifier",
            "config",
            "evaluation",
            "evaluation_cache",
            "evaluation_set",
            "metrics",
            "similarity",
            "task",
        )
    ),
    *(
        f"ablate.colorization.color.{name}"
        for name in ("class_counts", "class_rebalancing", "difference", "gamut", "lab", "soft_encoding")
    ),
    *(
        f"ablate.colorization.data.{name}"
        for name in ("batches", "dataset", "decode", "files", "listing", "local", "photographs", "preprocessing")
    ),
    "ablate.colorization.data.squares",
    "ablate.colorization.data.storage",
    *(f"ablate.colorization.data.sources.{name}" for name in ("folder", "prepared", "registry", "sample", "source")),
    *(f"ablate.colorization.data.prepared.{name}" for name in ("manifest", "read", "tfrecord")),
    *(f"ablate.colorization.model.{name}" for name in ("architecture", "backbone", "decoding", "loss")),
    *(f"ablate.config.{name}" for name in ("environment", "optimizers", "schedules", "training")),
    *(
        f"ablate.training.{name}"
        for name in (
            "averaging",
            "callbacks",
            "checkpoint",
            "devices",
            "fit",
            "hardware",
            "optimizer",
            "own_callbacks",
        )
    ),
}
"""The modules of this package that can influence a result of the colourisation task."""


@pytest.mark.slow
def test_of_this_package_just_what_can_influence_a_result_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "ablate"
    shutil.copytree(Path(ablate.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(tmp_path)
    files = {
        ".".join(path.relative_to(tmp_path).with_suffix("").parts).removesuffix(".__init__"): path
        for path in copied.rglob("*.py")
    }

    def version() -> str:
        clear()
        return import_closure(
            (ColorizationTask.__module__, TRAINING), (*IRRELEVANT, *ColorizationTask.irrelevant_code), ("ablate",)
        ).version

    def edit(path: Path) -> Callable[[], int]:
        source = path.read_text()
        path.write_text(f"{source}\nEDITED = 1\n")
        return lambda: path.write_text(source)

    before = version()
    assert files.keys() >= INFLUENCE
    for name in files.keys() - INFLUENCE:
        edit(files[name])
    assert version() == before
    for name in sorted(INFLUENCE):
        restore = edit(files[name])
        assert version() != before, name
        restore()
    clear()


def test_what_code_means() -> None:
    one = '"""Says."""\n\ndef f(x):\n    """Adds."""\n    return x + 1  # one\n'
    other = "def f(x):\n\n    return (x + 1)\n"
    assert meaning(one) == meaning(other)
    assert meaning(one) != meaning(other.replace("1", "2"))


HOLDS_OUT = "    def hold_out(self, fraction):\n        import lab.plots\n        return self\n"
TASK = "class Task:\n    def data(self):\n        return 1\n"


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        (TASK + HOLDS_OUT, False),
        (TASK + HOLDS_OUT.replace("fraction", "x"), True),
        (TASK.replace("return 1", "return self.hold_out(0.1)") + HOLDS_OUT, True),
        ("def hold_out(self, fraction):\n    pass\n" + TASK, True),
    ],
)
def test_the_method_that_holds_out_examples_counts_where_they_are_held_out(
    lab: Path, source: str, counts: bool
) -> None:
    (lab / "data.py").write_text(TASK)
    before = closure().version
    (lab / "data.py").write_text(source)
    assert (closure().version != before) == counts
    held = import_closure(("lab.tasks.digits",), held_out=True)
    assert held.version != before
    assert ("lab.plots" in held.modules) == ("lab.plots" in source)


def test_the_methods_that_describe_a_model_count_nowhere_unless_they_are_called(lab: Path) -> None:
    (lab / "data.py").write_text(TASK)
    before, held = closure().version, import_closure(("lab.tasks.digits",), held_out=True).version
    describing = (
        "    def served_model(self):\n        import lab.plots\n    def limitations(self):\n        return []\n"
    )
    (lab / "data.py").write_text(TASK + describing)
    assert closure().version == before
    assert import_closure(("lab.tasks.digits",), held_out=True).version == held
    (lab / "data.py").write_text(TASK.replace("return 1", "return self.limitations()") + describing)
    after = closure()
    assert after.version != before
    assert "lab.plots" not in after.modules
