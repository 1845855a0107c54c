"""The output of native code."""

import logging
import os

import pytest

from ablate.system.native_log import native_log


def test_native_messages_go_to_the_debug_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), native_log():
        os.write(2, b"no GPU here\n")
    assert "no GPU here" in caplog.messages
    assert capfd.readouterr().err == ""


def test_native_messages_are_shown_where_something_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        os.write(2, b"the driver is too old\n")
        raise ImportError

    with pytest.raises(ImportError), native_log():
        fail()
    assert "the driver is too old" in capfd.readouterr().err


@pytest.mark.parametrize(("module", "shown"), [("logging", ""), ("no_such_module", "from somebody else\n")])
def test_what_another_module_prints_is_shown(module: str, shown: str, capfd: pytest.CaptureFixture[str]) -> None:
    with native_log(of=module):
        os.write(2, b"from somebody else\n")
    assert capfd.readouterr().err == shown
