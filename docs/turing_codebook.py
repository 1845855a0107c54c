"""The codebook of a human evaluation's data: writes docs/turing_codebook.md.

python docs/turing_codebook.py    # after a change of the exported columns; a test says when
"""

from importlib.resources import files
from pathlib import Path

from ablate.turing.export.codebook import tables_in_words

PAGE = Path(__file__).with_suffix(".md")
HEAD = """\
# The codebook of a human evaluation

The tables that `python -m ablate.turing export` and the experimenter's page write
([the human evaluation](turing.md#the-data)); that of devices only where they are recorded, and one of own questions,
whose columns the file of questions names. `codebook.json`, beside them, says the same to programs; its levels of
`algorithm` and `exclusion` are the experiment's. Times are in UTC, in whole seconds: `2026-01-31T14:05:09Z`. The rules
below have the numbers that they have where `build` is told no others.
"""


def page() -> str:
    """Return the page."""
    reading = (files("ablate.turing.export") / "reading.md").read_text(encoding="utf-8")
    return "\n".join([HEAD, tables_in_words(), reading])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
