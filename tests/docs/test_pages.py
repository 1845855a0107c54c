"""Pages: programs in them can be read by what runs them, and messages that name a page name one that is there."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from ablate import errors
from ablate.config.schema import validate
from ablate.study.definition import StudyFile

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "```" in page.read_text(encoding="utf-8"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_programs_and_studies_can_be_read(page: Path) -> None:
    for program in blocks(page, "python"):
        ast.parse(program)
    study = {
        "question": "Which?",
        "design": "one_at_a_time",
        "seeds": [0],
        "metric": {"name": "any", "direction": "maximize"},
    }
    study |= {"factors": {"optimizer": ["adam", "adadelta"]}, "baseline": {"optimizer": "adam"}}
    for text in blocks(page, "yaml"):
        values = yaml.safe_load(text)
        if "question" in values:
            study = values
        if "question" in values or "tune" in values:
            validate(StudyFile, {"name": "any", **study, **values})


def test_the_study_is_that_of_a_new_project() -> None:
    template = DOCS.parent / "src" / "ablate" / "new" / "template" / "experiments" / "parts.yaml.in"
    own = yaml.safe_load(template.read_text(encoding="utf-8"))
    for page in (DOCS / "coming-from").glob("*.md"):
        for text in blocks(page, "yaml"):
            if "dropout: [none, half]" in text:
                assert yaml.safe_load(text) == own, page.name


def test_messages_name_sections_that_are_there() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.AblateError)]
    for name, _, place in (kind.page.partition("#") for kind in kinds if kind.page):
        titles = re.findall(r"^#+ (.*)$", (DOCS.parent / name).read_text(encoding="utf-8"), re.M)
        assert place in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
