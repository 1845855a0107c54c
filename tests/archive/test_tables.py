"""Tables of many runs as one file: split again, each is what it was."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablate.archive import tables
from ablate.archive.tables import joined, parquet, schema, split

COLUMNS = st.fixed_dictionaries(
    {},
    optional={
        "example": st.just(st.text(max_size=5)),
        "auc": st.just(st.floats(width=64)),
        "half": st.just(st.floats(width=32)),
        "right": st.just(st.booleans()),
        "count": st.just(st.integers(-(2**63), 2**63 - 1)),
        "picture": st.just(st.binary(max_size=9) | st.none()),
    },
)
TYPES = {"example": "str", "auc": "float64", "half": "float32", "right": "bool", "count": "int64", "picture": object}


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_split_is_the_inverse_of_joined(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    columns = {"number": st.integers(0, 9), **data.draw(COLUMNS)}
    frames = {}
    for run in data.draw(st.lists(st.text("abc", min_size=1), unique=True, min_size=1, max_size=4)):
        count = data.draw(st.integers(0, 5))
        drawn = {name: data.draw(st.lists(each, min_size=count, max_size=count)) for name, each in columns.items()}
        frames[run] = pd.DataFrame(drawn).astype({name: TYPES.get(name, "int64") for name in columns})
    types = pa.Table.from_pandas(next(iter(frames.values())), preserve_index=False).schema
    if "picture" in columns:
        types = types.set(types.get_field_index("picture"), pa.field("picture", pa.binary()))
    given_tables = {
        run: pa.Table.from_pandas(frame, schema=types, preserve_index=False) for run, frame in frames.items()
    }
    file = tmp_path_factory.mktemp("tables") / "a.parquet"
    file.write_bytes(parquet(joined(given_tables)))
    assert file.read_bytes() == parquet(joined(given_tables))
    found = split(file)
    assert list(found) == [run for run, table in given_tables.items() if len(table)]
    for run, table in given_tables.items():
        again = found.get(run, schema(file).empty_table())
        assert again.schema.equals(table.schema, check_metadata=True)
        written, before = io.BytesIO(), io.BytesIO()
        pq.write_table(again, written)
        pq.write_table(table, before)
        pd.testing.assert_frame_equal(pd.read_parquet(written), pd.read_parquet(before), check_exact=True)


def test_a_table_that_claims_more_than_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_LARGEST", 2**20)
    rows = 50_000
    same = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array(["x"]))
    wide = pa.table({"ablate.run": same, "a": same, "b": same})
    pq.write_table(wide, tmp_path / "wide.parquet", compression="zstd")
    assert (tmp_path / "wide.parquet").stat().st_size < 2**14
    with pytest.raises(ValueError, match=r"wide.parquet claims 1,200,000 bytes"):
        split(tmp_path / "wide.parquet")
    long = pa.table({"ablate.run": ["x"] * 5_000, "text": ["x" * 1000] * 5_000})
    pq.write_table(long, tmp_path / "long.parquet", compression="zstd")
    assert (tmp_path / "long.parquet").stat().st_size < 2**14
    with pytest.raises(ValueError, match=r"the texts of long.parquet have 5,005,000"):
        split(tmp_path / "long.parquet")
