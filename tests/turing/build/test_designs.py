"""Designs of a bundle, as `build` takes and explains them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ablate.errors import ConfigError
from ablate.turing.build.command import main
from ablate.turing.bundle import Bundle

SMALL = ["side=16", "practice=1", "test=3", "checks=1", "name=made"]


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Bundle]:
    """Build from folders of eight pictures each: the real ones, and those of two systems."""
    for place, folder in enumerate(("photographs", "one", "two")):
        (tmp_path / folder).mkdir()
        for number in range(8):
            pixels = np.random.default_rng(number).integers(0, 216, (4, 4, 3), dtype=np.uint8)
            Image.fromarray(pixels + np.uint8(20 * place)).resize((20, 20), Image.Resampling.BICUBIC).save(
                tmp_path / folder / f"{number}.png"
            )

    def made(*arguments: str, others: tuple[str, ...] = ("one", "two")) -> Bundle:
        given = [f"external.{name}={tmp_path / folder}" for name, folder in zip(others, ("one", "two"), strict=False)]
        main([*SMALL, f"real={tmp_path / 'photographs'}", f"out={tmp_path / 'bundle'}", *given, *arguments])
        return Bundle(tmp_path / "bundle")

    return made


@pytest.mark.slow
def test_a_design_is_in_the_bundle_and_on_the_terminal(
    build: Callable[..., Bundle], capsys: pytest.CaptureFixture[str]
) -> None:
    protocol = build("design=preference", "with_real=true").manifest.protocol
    assert (protocol.design, protocol.with_real) == ("preference", True)
    said = capsys.readouterr().out
    assert "Each participant compares pictures of one, two, real with each other" in said
    assert "Warning: 8 photographs let differences of " in said
    assert "assumed before a pilot" in said


def test_what_does_not_go_together_is_one_clear_error(build: Callable[..., Bundle]) -> None:
    for arguments, others, said in (
        (["design=within"], ("one",), "design=within compares algorithms, and there is 1: give another one"),
        (["design=preference"], ("one",), "design=preference compares algorithms, and there is 1"),
        (["with_real=true"], ("one", "two"), "with_real is for design=preference"),
        (["design=preference", "with_real=true"], ("real", "two"), "external.real is called like the real picture"),
        (["design=both"], ("one", "two"), "design=both"),
    ):
        with pytest.raises(ConfigError, match=said):
            build(*arguments, others=others)


@pytest.mark.slow
def test_one_algorithm_can_be_compared_with_the_real_picture(build: Callable[..., Bundle]) -> None:
    assert build("design=preference", "with_real=true", others=("one",)).manifest.compared == ["one", "real"]
