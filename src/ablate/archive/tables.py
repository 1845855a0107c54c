"""Tables of many runs as one: the rows of each, one after the other, as they are."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ablate.archive.format import RUN_COLUMN

POINTS = pa.schema({"key": pa.string(), "timestamp": pa.int64(), "step": pa.int64(), "value": pa.float64()})
"""The columns of a run's metrics, a row a point."""
_LEVEL = 9
_DICTIONARY = 2**28
"""Bytes of different texts and pictures in a column up to which each is stored once."""


_LARGEST = 2**32
"""Bytes of one table of all runs."""


def parquet(table: pa.Table) -> bytes:
    """Return a table as a Parquet file, small and the same whenever it is written."""
    fields = [(field.name, field.type) for field in table.schema]
    numbers = [name for name, kind in fields if pa.types.is_floating(kind) or pa.types.is_integer(kind)]
    numbers = [name for name in numbers if table.schema.field(name).type.bit_width in (32, 64)]
    file = io.BytesIO()
    pq.write_table(
        table,
        file,
        compression="zstd",
        compression_level=_LEVEL,
        row_group_size=max(len(table), 1),
        use_dictionary=[name for name, _ in fields if name not in numbers],
        # The bytes of many numbers resemble each other by their place.
        use_byte_stream_split=numbers,
        dictionary_pagesize_limit=_DICTIONARY,
        write_statistics=False,
    )
    return file.getvalue()


def without_pictures(table: pa.Table) -> pa.Table:
    """Return a table without its rows where they hold pictures."""
    pictures = any(pa.types.is_binary(each) or pa.types.is_large_binary(each) for each in table.schema.types)
    return table.slice(0, 0) if pictures else table


def joined(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Return tables of one schema, by run, as one: the first column says whose a row is."""
    runs = pa.DictionaryArray.from_arrays(
        np.repeat(np.arange(len(tables), dtype=np.int32), [len(table) for table in tables.values()]),
        pa.array(list(tables), pa.string()),
    )
    whole = pa.concat_tables(list(tables.values()))
    named = whole.add_column(0, RUN_COLUMN, runs.cast(pa.string()))
    return named.replace_schema_metadata(whole.schema.metadata)


def split(file: Path) -> dict[str, pa.Table]:
    """Return the tables of a file by run, of those that have rows.

    Raises:
        ValueError: It is damaged, or has no column that says whose a row is.
    """
    whole = _read(file)
    place = whole.schema.get_field_index(RUN_COLUMN)  # -1 where there are two as well
    if place < 0 or not _is_text(whole.schema.field(place).type) or whole.column(place).null_count:
        raise ValueError(f"it has no column {RUN_COLUMN} that says whose a row is")
    return dict(_parts(whole))


def points(table: pa.Table) -> pa.Table:
    """Return a run's metrics with the types of `POINTS`.

    Raises:
        ValueError: They have others that cannot be made so, or one but the value is missing.
    """
    if table.column_names != POINTS.names:
        raise ValueError(f"metrics have the columns {', '.join(table.column_names)[:80]}")
    found = table.cast(POINTS)
    # pandas writes NaN as a value that is missing.
    if any(found.column(name).null_count for name in POINTS.names if name != "value"):
        raise ValueError("a point of a metric lacks its name, time or step")
    return found


def _read(file: Path) -> pa.Table:
    """Read a table that may claim to be larger than memory: texts are looked at before they are repeated."""
    declared, kept = pq.read_metadata(file), pq.read_schema(file)
    size = sum(declared.row_group(place).total_byte_size for place in range(declared.num_row_groups))
    size = max(size, 8 * declared.num_rows * declared.num_columns)
    if size > _LARGEST:
        raise ValueError(f"{file.name} claims {size:,} bytes")
    texts = [field.name for field in kept if _is_text(field.type)]
    table = pq.read_table(file, partitioning=None, read_dictionary=texts)
    repeated = sum(_length(chunk) for name in texts for chunk in table.column(name).chunks)
    if repeated > _LARGEST:
        raise ValueError(f"the texts of {file.name} have {repeated:,} bytes")
    return table.cast(kept)


def _is_text(kind: Any) -> bool:
    large = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    return bool(large or pa.types.is_string(kind) or pa.types.is_binary(kind))


def _length(chunk: Any) -> int:
    """Return how many bytes a column has whose values are repeated."""
    if not pa.types.is_dictionary(chunk.type):
        return int(chunk.nbytes)
    lengths = pc.fill_null(pc.binary_length(chunk.dictionary), 0)
    return int(pc.sum(lengths.take(chunk.indices.drop_null())).as_py() or 0)


def _parts(whole: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    encoded: Any = pc.dictionary_encode(whole.column(RUN_COLUMN).combine_chunks())
    codes, names = encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()
    borders = [0, *(np.flatnonzero(np.diff(codes)) + 1), len(codes)] if len(codes) else [0]
    if len(borders) - 1 != len(names):
        raise ValueError("the rows of a run are apart")
    table = whole.drop_columns([RUN_COLUMN])
    for name, start, end in zip(names, borders, borders[1:], strict=False):
        yield name, table.slice(start, end - start)


def schema(file: Path) -> pa.Schema:
    """Return the schema of a run's table in a file."""
    whole = pq.read_schema(file)
    return whole.remove(whole.get_field_index(RUN_COLUMN)).with_metadata(whole.metadata)
