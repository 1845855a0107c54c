"""The memory of evaluation: numbers are kept of a photograph, its pixels are not."""

import dataclasses
import gc
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from ablate.colorization import evaluation, evaluation_set
from ablate.colorization.config import ColorConfig, EvaluationConfig
from ablate.colorization.data.photographs import Photograph
from ablate.colorization.data.squares import Squares
from ablate.colorization.evaluation_set import Rows, describe_evaluation_set, means
from ablate.colorization.metrics import METRICS
from ablate.colorization.model.backbone import build_backbone
from tests.support.levels import variant_layers

FEW, MANY, SIDE, BATCH = 140, 700, 32, 40
NUMBERS = 1024
"""Bytes that may be kept of a photograph. Its pixels are 3,072; counts of its colours and frames are 30,000."""


@pytest.fixture
def of_photographs(sample, noise, monkeypatch):
    """Return a data set of so many photographs, none of which is kept."""
    # Each is measured alone, as photographs of 128x128 and more are.
    monkeypatch.setattr(evaluation_set, "BLOCK_PIXELS", 1)
    for module in (evaluation, evaluation_set):
        monkeypatch.setattr(module, "CHUNK_PIXELS", BATCH * SIDE**2)

    def make(place):
        pixels = noise(place, SIDE, SIDE)
        return pixels, pixels

    def build(count):
        photographs = tuple(Photograph(str(place), str(place)) for place in range(count))
        return dataclasses.replace(sample, evaluation=photographs, squares=Squares(range(count), make, memory=0))

    return build


def peak(function, *arguments):
    """Return the most bytes that Python and NumPy held while a function ran, beside those before.

    Cycles are collected once they are a quarter of what lives: what other tests have left would keep them for long.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    tracemalloc.start()
    try:
        function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def coloring():
    """Return a function that evaluates a small network on a data set."""
    model = build_backbone(variant_layers(width=1 / 64), side=SIDE)
    color = ColorConfig(grid_step=10, soft_bins=5, soft_sigma=5, prior_sigma=5, temperature=0.38)

    def color_all(data, samples=1):
        options = EvaluationConfig(side=SIDE, batch_size=BATCH, samples=samples)
        return evaluation.evaluate(model, data, color=color, evaluation=options)

    return color_all


@pytest.mark.slow
def test_describing_an_evaluation_set_keeps_numbers_of_a_photograph(of_photographs):
    def describe(count):
        describe_evaluation_set(of_photographs(count), grid_step=10, threads=2)

    describe(20)
    few, many = (peak(describe, count) for count in (FEW, MANY))
    assert many - few < (MANY - FEW) * NUMBERS


@pytest.mark.slow
def test_an_evaluation_keeps_numbers_of_a_photograph(of_photographs, coloring):
    coloring(of_photographs(20))
    few, many = (peak(coloring, of_photographs(count)) for count in (FEW, MANY))
    assert many - few < (MANY - FEW) * NUMBERS


@pytest.mark.slow
def test_sample_pictures_are_made_one_after_the_other(of_photographs, coloring):
    data, pictures = of_photographs(2 * BATCH), 2 * BATCH
    few, many = (peak(coloring, data, samples) for samples in (1, pictures))
    # Less than their ab takes. What Pillow holds is not counted: it is what is asked for.
    assert many - few < pictures * SIDE**2 * 8


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("count", [1, 300])
def test_rows_are_those_of_one_concatenation_and_their_means_the_same_bits(rows, count):
    random = np.random.default_rng(0)
    frames = [pd.DataFrame({metric.name: random.random(rows) for metric in METRICS}) for _ in range(count)]
    collected = Rows()
    for frame in frames:
        collected.add(frame)
    expected = pd.concat(frames, ignore_index=True)
    pd.testing.assert_frame_equal(collected.table(), expected, check_exact=True)
    assert means(collected.table()) == means(expected)
