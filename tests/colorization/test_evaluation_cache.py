import dataclasses
import json
import logging
import resource

import numpy as np
import pytest

from ablate.colorization.evaluation_cache import cached_evaluation_set
from ablate.colorization.evaluation_set import describe_evaluation_set


class Described:
    """Evaluation sets that are described, and how often one was computed."""

    def __init__(self, folder):
        self.folder, self.computed = folder, 0

    def __call__(self, data, *, grid_step=10):
        def compute():
            self.computed += 1
            return describe_evaluation_set(data, grid_step=grid_step, threads=1)

        return cached_evaluation_set(data, grid_step=grid_step, folder=self.folder, compute=compute)

    @property
    def file(self):
        (file,) = self.folder.iterdir()
        return file


@pytest.fixture
def described(tmp_path):
    return Described(tmp_path / "results" / "evaluation_sets")


def assert_same(one, other):
    for name, value in vars(one).items():
        np.testing.assert_equal(getattr(other, name), value)


def test_it_is_computed_once_and_the_same_bits_when_it_is_read(described, sample):
    first, second = described(sample), described(sample)
    assert described.computed == 1
    assert_same(first, second)
    assert set(first.references) == {"grey", "mean_color"}


def test_nothing_is_cached_where_no_folder_is_given(sample):
    described = Described(None)
    assert_same(described(sample), described(sample))
    assert described.computed == 2


CHANGES = {
    "contents": {"fingerprint": "another"},
    "mean ab": {"bin_counts": np.arange(313)},
    "photographs that can be decoded": {"evaluation": ()},
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_another_data_set_has_is_not_taken(described, sample, change):
    described(sample)
    described(dataclasses.replace(sample, **CHANGES[change]))
    assert described.computed == 2


def test_another_grid_or_side_is_another_evaluation_set(described, sample):
    described(sample)
    described(sample, grid_step=20)
    other = dataclasses.replace(sample.preprocessing, evaluation_side=24)
    described(dataclasses.replace(sample, preprocessing=other))
    assert described.computed == 3
    assert len(list(described.folder.iterdir())) == 3


def test_another_version_of_the_code_computes_anew(described, sample, monkeypatch):
    described(sample)
    versions = type("Code", (), {"version": "another"})
    monkeypatch.setattr("ablate.colorization.evaluation_cache.import_closure", lambda *names: versions)
    described(sample)
    assert described.computed == 2


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "no object", "deeply nested", "no text", "a folder"])
def test_a_damaged_file_is_made_anew(described, sample, caplog, damage):
    first, file = described(sample), described.file
    content = file.read_text()
    if damage == "a folder":
        file.unlink()
        file.mkdir()
    elif damage == "changed":
        found = json.loads(content)
        found["values"]["references"]["grey"]["auc_raw"] += 1
        file.write_text(json.dumps(found))
    else:
        damaged = {"empty": "", "cut": content[:100], "no object": "3", "deeply nested": "[" * 10**6}
        file.write_bytes(damaged[damage].encode() if damage in damaged else b"\xff")
    assert_same(described(sample), first)
    assert "made anew" in caplog.text
    if damage != "a folder":
        assert file.read_text() == content
        assert_same(described(sample), first)
        assert described.computed == 2


def test_where_it_cannot_be_written_it_is_computed_each_time(described, sample, caplog, tmp_path):
    caplog.set_level(logging.INFO)
    (tmp_path / "results").write_text("a file, no folder")
    assert_same(described(sample), described(sample))
    assert described.computed == 2
    assert "not cached" in caplog.text


def test_a_full_disk_leaves_nothing_and_costs_no_result(described, sample, caplog):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        first = described(sample)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "not cached: [Errno 27] File too large" in caplog.text
    assert list(described.folder.iterdir()) == []
    assert_same(described(sample), first)
    assert described.computed == 2
    assert described.file.stat().st_size > 1000


def test_the_same_bits_for_any_number_of_threads(sample):
    one, several = (describe_evaluation_set(sample, grid_step=10, threads=number) for number in (1, 3))
    assert_same(one, several)
