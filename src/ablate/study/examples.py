"""Examples matched between runs: the same are those of the same contents, whatever they are called.

Pure functions on frames.
"""

import hashlib
import unicodedata

import pandas as pd


def by_contents(table: pd.DataFrame) -> pd.DataFrame:
    """Return a run's table of examples, indexed by what tells them apart.

    That is the digest of their contents, or the name where a task knows none, and a number for those that share it:
    which of several equal ones is which makes no difference.

    Args:
        table: Columns example, digest (it may be missing) and one a metric; see `task.Evaluation.per_example`.

    Returns:
        The same with the index `key`, sorted by it; `example` has one spelling, Unicode's NFC.
    """
    names = _spelled(table["example"])
    known = "digest" in table and table["digest"].notna().all()
    key = (table["digest"].astype(str) if known else names).rename("key")
    if not key.is_unique:
        number = key.groupby(key).cumcount()
        key = key.where(number == 0, key + "/" + number.astype(str))
    return table.assign(example=names).set_index(key).sort_index(kind="stable")


def fingerprint(table: pd.DataFrame) -> str:
    """Return the SHA-256 of which examples a table has, see `by_contents`."""
    return hashlib.sha256("\n".join(table.index).encode()).hexdigest()


def labels_of(table: pd.DataFrame) -> "pd.Series[str]":
    """Return what a report calls the examples: their names, and a number where a name is there before.

    Args:
        table: See `by_contents`.

    Returns:
        Index `key`; no two are equal.
    """
    taken, labels = set[str](), list[str]()
    for name in table["example"]:
        label, number = name, 1
        while label in taken:
            number += 1
            label = f"{name} ({number})"
        taken.add(label)
        labels.append(label)
    return pd.Series(labels, index=table.index)


def relabelled(samples: pd.DataFrame, table: pd.DataFrame, labels: "pd.Series[str]") -> pd.DataFrame:
    """Call the examples of a run's sample pictures as the report does.

    Args:
        samples: Column `example`: names as the run has them.
        table: The run's own, see `by_contents`.
        labels: See `labels_of`.

    Returns:
        The pictures. Where the run was not evaluated on some of them, none of them evaluates: they are only shown, and
        keep their names, those of examples that evaluate with a remark.
    """
    own = table.reset_index().drop_duplicates("example").set_index("example")["key"]
    names = _spelled(samples["example"])
    if not names.isin(own.index).all():
        return samples.assign(example=names.where(~names.isin(labels), names + " (only shown)"))
    named = samples.assign(example=names.map(own).map(labels))
    return named[named["example"].notna()]


def _spelled(names: "pd.Series[str]") -> "pd.Series[str]":
    return names.astype(str).map(lambda name: unicodedata.normalize("NFC", name))
