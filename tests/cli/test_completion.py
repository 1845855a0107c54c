"""Completion in shells: what may follow, in bash itself too."""

import subprocess
import sys
from pathlib import Path

import pytest

from ablate.cli.completion import SCRIPTS, candidates, main
from ablate.cli.main import COMMANDS

OPTIMIZERS = ["optimizer=adadelta", "optimizer=adam", "optimizer=adamw", "optimizer=sgd"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a level and a study of its own."""
    (tmp_path / "conf" / "optimizer").mkdir(parents=True)
    (tmp_path / "conf" / "optimizer" / "mine.yaml").write_text("name: mine\n")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "depths.yaml").write_text("")
    (tmp_path / "pyproject.toml").write_text("[tool.ablate]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ablate ", list(COMMANDS)),
        ("ablate re", ["report"]),
        ("ablate turing s", ["serve"]),
        ("ablate archive ", ["export", "import"]),
        ("ablate colorize s", ["serve"]),
        ("ablate colorize ", []),
        ("ablate report ", []),
        ("ablate nonsense ", []),
        ("ablate plan --config-d", ["--config-dir"]),
        ("ablate run optimizer=ad", OPTIMIZERS[:3]),
        ("ablate run -m seed=0,1 optimizer=", OPTIMIZERS),
        ("ablate run -m optimizer=sgd,ada", [f"optimizer=sgd,{name}" for name in ("adadelta", "adam", "adamw")]),
        ("ablate plan optimizer=sgd optimizer.mom", ["optimizer.momentum="]),
        ("ablate run nonsense=[ optimizer=s", []),
        ("ablate run --config-dir nowhere optimizer=s", []),
        ("ablate plan experiment=orig", ["experiment=original_study"]),
        ("ablate doctor scale=la", ["scale=laptop"]),
    ],
)
def test_what_may_follow(line: str, expected: list[str]) -> None:
    assert candidates(line) == expected


def test_levels_and_studies_of_one_s_project_are_among_them(project: Path) -> None:
    assert candidates("ablate run optimizer=m") == ["optimizer=mine"]
    assert "experiment=depths" in candidates("ablate plan experiment=")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "breaks", "expected"),
    [
        ("ablate pla", "=:", "plan"),
        ("ablate run depth=sh", " ", "depth=shallow"),
        ("ablate run -m depth=full,sh seed=3", " =:", "full,shallow"),
    ],
)
def test_bash_completes_with_it(line: str, breaks: str, expected: str) -> None:
    point = len(line.partition(" seed")[0])
    script = f"""
        ablate() {{ {sys.executable} -m ablate "$@"; }}
        compopt() {{ :; }}
        {SCRIPTS["bash"]}
        COMP_LINE='{line}' COMP_POINT={point} COMP_CWORD=2 COMP_WORDBREAKS='{breaks}'
        _ablate && printf '%s\\n' "${{COMPREPLY[@]}}"; complete -p ablate
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [expected, "complete -o default -o nospace -F _ablate ablate"]
    assert done.stderr == ""


def test_a_shell_that_it_does_not_know_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ablate", "tcsh"])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert capsys.readouterr().err.startswith("Error: the shell must be one of bash, zsh, fish. Received: tcsh. See ")
    monkeypatch.setattr(sys, "argv", ["ablate", "bash"])
    main()
    assert capsys.readouterr().out == SCRIPTS["bash"]
