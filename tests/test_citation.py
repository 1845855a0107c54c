"""The bibliography entry of the software: what the Citation File Format requires, and what the package says."""

import tomllib
from datetime import date
from pathlib import Path

import yaml

import ablate

ROOT = Path(__file__).parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_it_has_what_the_format_requires_and_nothing_unknown() -> None:
    # https://github.com/citation-file-format/citation-file-format, schema 1.2.0
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert CITATION.keys() <= {
        "abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers", "keywords",
        "license", "license-url", "message", "preferred-citation", "references", "repository", "repository-artifact",
        "repository-code", "title", "type", "url", "version",
    }  # fmt: skip
    assert all(author.keys() == {"name"} for author in CITATION["authors"])  # an entity
    assert len(set(CITATION["keywords"])) == len(CITATION["keywords"])
    for reference in CITATION["references"]:
        assert {"authors", "title", "type"} <= reference.keys()
        assert all({"family-names", "given-names"} == author.keys() for author in reference["authors"])


def test_it_agrees_with_the_package() -> None:
    # The version of pyproject.toml is the package's.
    assert PROJECT["dynamic"] == ["version"]
    assert str(CITATION["version"]) == ablate.__version__
    assert isinstance(CITATION["date-released"], date)  # a bibliography takes its year
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["keywords"] == PROJECT["keywords"]
    assert PROJECT["description"] in CITATION["abstract"]


def test_it_cites_the_paper_that_is_replicated() -> None:
    (paper,) = CITATION["references"]
    assert [author["family-names"] for author in paper["authors"]] == ["Zhang", "Isola", "Efros"]
    assert "1603.08511" in paper["url"]
    assert paper["url"] in (ROOT / "README.md").read_text()
