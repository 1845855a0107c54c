"""docs/your-own-model.md: its files and commands, as they stand, build examples/digits; its other code can be used."""

import re
import runpy
import shlex
from pathlib import Path

import pandas as pd
import pytest

from ablate.task import Servable, trains_itself
from ablate.tracking.served_model import signature_of
from tests.examples.test_examples import EXAMPLES
from tests.support.commands import Command

TEXT = (EXAMPLES.parent / "docs" / "your-own-model.md").read_text(encoding="utf-8")
SHORT = "training.epochs=1"
"""The text's own override for a quick look."""
CONFIG = {
    "activation": {"name": "relu"},
    "augmentation": {"name": "none", "pixels": 0},
    "dropout": {"name": "none", "rate": 0.0},
}


def blocks() -> list[tuple[str, str, str]]:
    """Return the text's blocks of code: the file that a line above names, the language, the code."""
    found = re.findall(r"(?:^`([\w./-]+)`\n\n)?^```(\w+)\n(.*?)^```$", TEXT, re.M | re.S)
    assert len(found) == TEXT.count("\n```") / 2
    return found


def test_its_files_are_those_of_the_example() -> None:
    written = {name: code for name, _, code in blocks() if name}
    folder = EXAMPLES / "digits"
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    others = r"experiments/(looks|optimizers).yaml"
    own = {name for name in files if not re.search(rf"^results/|README|__pycache__|{others}", name)}
    assert own == set(written)
    for name, code in written.items():
        assert files[name].read_text(encoding="utf-8") == code, name


def test_its_commands_work(home: Path, forked_m: Command) -> None:
    (home / "mlflow.db").unlink()
    for name, language, code in blocks():
        if name:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(code.replace("seeds: [0, 1, 2]", "seeds: [0]"))
        for line in code.splitlines() if language == "console" else ():
            program, *arguments = shlex.split(line)
            if line == "ablate run -m experiment=digits":
                arguments.append(SHORT)
            done = forked_m(program, *arguments, env={"MLFLOW_TRACKING_URI": ""}, timeout=500)
            assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    report = home / "results" / "reports" / "digits"
    assert len(pd.read_csv(report / "comparison.csv")["variant"].unique()) == 5
    assert (report / "report.html").is_file()


@pytest.mark.slow
def test_its_other_code_makes_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES / "digits")
    from digits import Digits

    names = {"__name__": "page", "Digits": Digits}
    for name, language, code in blocks():
        if language == "python" and not name:
            exec(code, names)
    own = {name: each for name, each in names.items() if getattr(each, "__module__", "") == "page"}
    tasks = {name: each(**CONFIG) for name, each in own.items() if hasattr(each, "measures")}
    assert len(tasks) == 10
    assert isinstance(tasks["Served"], Servable)
    assert signature_of(tasks["Served"].served_model()).params
    assert trains_itself(names["Wine"])
    assert tasks["Regression"].find_data().examples_per_epoch == 100
    assert "root" not in own["Declared"](**CONFIG, data={"root": "here"}).result_config()["data"]
    model = tasks["WithF1"].build_model(0)
    assert list(tasks["WithF1"].evaluate(model).metrics) == ["accuracy", "nll", "macro_f1"]
    prices = tasks["Prices"].build_model(0)
    prices.compile("sgd", tasks["Prices"].build_loss())
    prices.fit(
        tasks["Prices"].training_batches(seed=0, batch_size=32, first_step=0, steps=1), shuffle=False, verbose=0
    )
    assert len(tasks["Prices"].evaluate(prices).per_example) == 100
    assert {len(pictures) for pictures in tasks["WithPictures"].evaluate(model).samples.values()} == {32}


def test_the_comparison_counts_what_is_there() -> None:
    counted = runpy.run_path(str(EXAMPLES.parent / "benchmarks" / "lines" / "count.py"))
    assert counted["PAGE"].read_text(encoding="utf-8") == counted["page"]()
