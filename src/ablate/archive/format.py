"""The format of an archive: a zip of a manifest, a study, its runs, their metrics, tables and files.

docs/archive.md describes it for other programs.
"""

import re
from typing import Annotated

from pydantic import Field

from ablate.config.schema import Schema
from ablate.tracking.run_copy import RunCopy

FORMAT, VERSION = "ablate archive", 1
"""What the manifest says. A program reads archives of its own version and of those before."""
MANIFEST, STUDY, RUNS, METRICS = "manifest.json", "study.json", "runs.json", "metrics.parquet"
FILES, TABLES = "files", "tables"
RUN_COLUMN = "ablate.run"
"""The column of tables and metrics that says whose a row is."""
MEMBER = re.compile(
    rf"{re.escape(MANIFEST)}|{re.escape(STUDY)}|{re.escape(RUNS)}|{re.escape(METRICS)}"
    rf"|{FILES}/[0-9a-f]{{64}}|{TABLES}/[a-z0-9_]+(-[0-9]+)?\.parquet"
)
"""What a member may be called: no name leads out of a folder."""
PLACE = re.compile(r"[A-Za-z0-9_][\w.=,+-]*(/[A-Za-z0-9_][\w.=,+-]*)*", re.ASCII)
"""What the path of an artifact may be."""
TABLE = ".parquet"
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp")
WEIGHTS = (".h5", ".keras")

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Member(Schema):
    """What the manifest says of a member.

    Attributes:
        sha256: Of its contents.
        size: Bytes.
    """

    sha256: Digest
    size: int = Field(ge=0)


class Manifest(Schema):
    """The first member, which says what the others are.

    Attributes:
        format: `FORMAT`.
        version: Of the format.
        made_by: The program.
        study: Name of the study.
        runs: How many there are.
        samples: Whether it has the pictures of the runs.
        models: Whether it has their models.
        members: All other members, by name.
    """

    format: str
    version: int
    made_by: str
    study: str
    runs: int
    samples: bool
    models: bool
    members: dict[str, Member]


class ArchivedRun(Schema):
    """A run and where its artifacts are.

    Attributes:
        run: The run.
        files: By the path of an artifact, the digest of its contents: the member `files/DIGEST`.
        tables: By the path of a table, the member that has its rows, among those of other runs.
    """

    run: RunCopy
    files: dict[str, Digest]
    tables: dict[str, str]


class Runs(Schema):
    """The member `RUNS`: the oldest first."""

    runs: list[ArchivedRun]
