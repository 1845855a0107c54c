import errno
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from ablate.cli import errors
from ablate.cli.errors import explain_error, handle_errors
from ablate.cli.main import COMMANDS
from ablate.config.paths import conf_dir
from ablate.errors import AblateError, DataError, EmptyStore, TrackingError

ROOT = Path(__file__).parents[2]


def explained(*overrides: str) -> str:
    with (
        pytest.raises((HydraException, OmegaConfBaseException)) as error,
        initialize_config_dir(str(conf_dir()), version_base="1.3"),
    ):
        compose("config", list(overrides))
    return explain_error(error.value, overrides)


def test_an_unknown_level_names_the_group_s_levels() -> None:
    message = explained("hydra/launcher=basik")
    assert message.startswith("unknown level: hydra/launcher=basik. Allowed: hydra/launcher=auto, hydra/")
    assert message.endswith("Did you mean hydra/launcher=basic?")


@pytest.mark.slow
def test_an_unknown_key_names_its_neighbours() -> None:
    message = explained("backbone.widht=1")
    assert message == (
        "unknown key: backbone.widht. Allowed: backbone.batch_norm, backbone.width. Did you mean backbone.width?"
    )


@pytest.mark.slow
def test_the_neighbours_are_those_of_the_chosen_level() -> None:
    assert "optimizer.momentum" in explained("optimizer=sgd", "optimizer.rh=1", "seed=1")


def test_what_cannot_be_parsed_is_named() -> None:
    assert explained("nonsense").startswith("nonsense is no override: ")


def test_other_errors_keep_their_words_on_one_line() -> None:
    message = explained("~data.nothing")
    assert "data.nothing" in message
    assert "\n" not in message


def test_a_full_disk_leads_to_the_doctor() -> None:
    full = explain_error(OSError(errno.ENOSPC, "No space left on device"), [])
    assert full == "No space left on device. `python -m ablate.doctor` looks at the disks that runs write to"
    named = explain_error(OSError(errno.EROFS, "Read-only file system", "outputs"), [])
    assert named.startswith("Read-only file system (outputs). ")


def test_a_command_ends_with_the_error_s_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit, match="1"), handle_errors("docs/runs.md"):
        raise DataError("no photographs")
    assert capsys.readouterr().err == "Error: no photographs. See docs/runs.md\n"


def test_an_error_of_several_lines_has_its_page_below_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit, match="1"), handle_errors("docs/runs.md"):
        raise DataError("baseline: no photographs.\nseed=1: none")
    assert capsys.readouterr().err == "Error: baseline: no photographs.\nseed=1: none\nSee docs/runs.md\n"


def test_no_page_explains_what_is_wrong_with_the_machine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit, match="1"), handle_errors("docs/runs.md"):
        raise OSError("No space left on device")
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "See" not in said


def test_an_error_of_a_kind_with_a_page_ends_with_that(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit, match="1"), handle_errors("docs/runs.md"):
        raise EmptyStore("there are no runs yet")
    assert capsys.readouterr().err == "Error: there are no runs yet. See docs/runs.md#stores\n"


def test_no_error_names_the_password_of_a_store(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), handle_errors("docs/runs.md"):
        raise TrackingError(
            "postgresql://me:secret@host:1/x is down, and http://me@host; mail a@b.org, sqlite:////a@b/c.db; "
            "postgresql://host/x?user=me&password=secret&port=1"
        )
    said = (
        "Error: postgresql://host:1/x is down, and http://host; mail a@b.org, sqlite:////a@b/c.db; "
        "postgresql://host/x?user=me&password=&port=1. See docs"
    )
    assert capsys.readouterr().err.startswith(said)


def kinds(error: type[AblateError] = AblateError) -> Iterator[type[AblateError]]:
    yield error
    for kind in error.__subclasses__():
        yield from kinds(kind)


def test_each_page_of_an_error_and_its_section_exist() -> None:
    code = "".join(file.read_text() for file in (ROOT / "src" / "ablate").rglob("*.py"))
    of_commands = re.findall(r'(?:with handle_errors\(|^_PAGE = )"(.*)"', code, re.MULTILINE)
    assert len(of_commands) == len(COMMANDS)
    pages = {*of_commands, *(kind.page for kind in kinds() if kind.page)}
    assert "docs/check.md#what-it-says" in pages
    for page in pages:
        file, _, section = page.partition("#")
        headings = re.findall(r"^#+ (.*)$", (ROOT / file).read_text(), re.MULTILINE)
        known = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert not section or section in known, page


def test_ctrl_c_ends_a_command_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit, match="130"), handle_errors("docs/runs.md"):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "Interrupted\n"


def test_a_bug_keeps_its_stack_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    # Of this package:
    bug = compile("with handle_errors('docs/runs.md'):\n    raise ZeroDivisionError", errors.__file__, "exec")
    with pytest.raises(ZeroDivisionError):
        exec(bug, {"handle_errors": handle_errors})


def test_a_name_that_the_encoding_does_not_have_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), handle_errors("docs/runs.md"):
        quote("/Photos \udcc3\udca4")
    said = capsys.readouterr().err
    assert "is no name in" in said
    assert "set LANG=C.UTF-8 or PYTHONUTF8=1, or rename it" in said
    with pytest.raises(UnicodeEncodeError), handle_errors("docs/runs.md"):
        "ä".encode("ascii")
