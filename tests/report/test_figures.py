import io
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Drawing
from PIL import Image

from ablate.report.figures import (
    Figure,
    differences,
    distributions,
    interactions,
    learning_curves,
    pareto_front,
    per_photograph,
    photo_grid,
    quality_against_cost,
)  # fmt: skip
from ablate.report.figures.figure import decimals, name_lines, signed
from ablate.system.images import CELL, GAP, LINE

ODD = "a_$b$ <c> & 50 %^2,d=$\\frac{1}$"
"""A name that must not be read as a formula."""
UNKNOWN = "\U0001f3a8=\tx"
"""A name that the font cannot write."""
NAMED: Any = {"label": "AuC", "unit": "%"}
KINDS = ("given", "truth", "output")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Drawing]:
    """Collect what is drawn; of the files only a small PNG is made."""
    kept: list[Drawing] = []
    save = Drawing.savefig

    def keep(drawing: Drawing, file: io.BytesIO, **options: Any) -> None:
        if options["format"] == "png":
            kept.append(drawing)
            save(drawing, file, **{**options, "dpi": 40})

    monkeypatch.setattr(Drawing, "savefig", keep)
    return kept


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    settings = dict(mpl.rcParams)
    yield
    assert pyplot.get_fignums() == []
    assert dict(mpl.rcParams) == settings


def compared(*rows: tuple[str, float, float, float, str], exploratory: bool = False) -> pd.DataFrame:
    """Make a comparison of (variant, difference, low, high, verdict), of two metrics; the mean is 80 + difference."""
    frame = pd.DataFrame(
        [("baseline", math.nan, math.nan, math.nan, ""), *rows],
        columns=["variant", "difference", "low", "high", "verdict"],
    )
    frame = frame.assign(mean=80 + frame["difference"].fillna(0), sd=0.5, exploratory=exploratory)
    return pd.concat([frame.assign(metric="auc"), frame.assign(metric="other", difference=7.0)], ignore_index=True)


def difference_figure(
    comparison: pd.DataFrame, *, higher_is_better: bool | None = True, **options: Any
) -> Figure | None:
    return differences(
        comparison, metric="auc", higher_is_better=higher_is_better, **{"margin": None, **NAMED, **options}
    )


def names_of(axes: Axes) -> list[str]:
    return [label.get_text().replace("\n", "") for label in axes.get_yticklabels()]


def texts_of(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def shown_axes(drawing: Drawing) -> list[Axes]:
    return [axes for axes in drawing.axes if axes.get_visible()]


def marks_of(axes: Axes) -> list[tuple[float, str]]:
    """Return the difference and the marker of each row's mark."""
    lines = [line for line in axes.lines if line.get_linestyle() == "None"]
    return [(float(np.asarray(line.get_xdata())[0]), str(line.get_marker())) for line in lines]


def intervals_of(axes: Axes) -> list[tuple[float, ...]]:
    return [tuple(np.asarray(line.get_xdata()).tolist()) for line in axes.lines if line.get_marker() == "|"]


@pytest.mark.parametrize(
    ("higher_is_better", "order"), [(True, ["c", "b", "a"]), (None, ["c", "b", "a"]), (False, ["a", "b", "c"])]
)
def test_differences_stand_with_the_best_on_top(
    drawn: list[Drawing], higher_is_better: bool | None, order: list[str]
) -> None:
    comparison = compared(
        ("a", -3.0, -4.0, -2.0, "worse"), ("b", 0.5, -1.0, 2.0, "no difference found"), ("c", 2.0, 1.5, 2.5, "better")
    )
    figure = difference_figure(comparison, higher_is_better=higher_is_better, margin=0.75)
    axes = drawn[0].axes[0]
    assert figure is not None
    assert names_of(axes) == order
    assert axes.yaxis_inverted()
    expected = {"a": (-3.0, "v"), "b": (0.5, "o"), "c": (2.0, "^")}
    assert marks_of(axes) == [expected[name] for name in order]
    limits = {"a": (-4.0, -2.0), "b": (-1.0, 2.0), "c": (1.5, 2.5)}
    assert intervals_of(axes) == [limits[name] for name in order]
    assert "+2.00 [+1.50, +2.50]" in texts_of(axes)
    assert "baseline" in texts_of(axes)
    assert [
        patch.get_extents().transformed(axes.transData.inverted()).intervalx.tolist() for patch in axes.patches
    ] == [pytest.approx([-0.75, 0.75])]
    assert "c +2.00 [+1.50, +2.50]" in figure.alt
    assert "1 better" in figure.alt
    assert "±0.75 %" in figure.caption


def test_a_difference_without_interval_is_a_mark_alone(drawn: list[Drawing]) -> None:
    comparison = compared(("a", 1.0, math.nan, math.nan, "not comparable"), ("b", math.inf, 0.0, 1.0, "better"))
    figure = difference_figure(comparison)
    axes = drawn[0].axes[0]
    assert figure is not None
    assert marks_of(axes) == [(1.0, "d")]
    assert intervals_of(axes) == []
    assert "not drawn: 1 (b)" in figure.caption
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["not comparable (1)"]


def test_exploratory_differences_are_hollow(drawn: list[Drawing]) -> None:
    figure = difference_figure(compared(("a", 1.0, 0.5, 1.5, "better"), exploratory=True))
    assert figure is not None
    assert "exploratory" in figure.caption
    assert drawn[0].axes[0].lines[-1].get_markerfacecolor() == "white"


def test_of_many_variants_the_outermost_are_drawn(drawn: list[Drawing]) -> None:
    rows = [(f"v={place}", place - 50.0, place - 51.0, place - 49.0, "better") for place in range(100)]
    figure = difference_figure(compared(*rows))
    names = names_of(drawn[0].axes[0])
    assert figure is not None
    assert names == [
        *(f"v={place}" for place in range(99, 69, -1)),
        "… 40 more …",
        *(f"v={n}" for n in range(29, -1, -1)),
    ]
    assert "30 best and the 30 worst" in figure.caption
    assert drawn[0].get_size_inches()[1] > 15


def test_without_variants_there_are_no_differences() -> None:
    assert difference_figure(compared()) is None
    assert difference_figure(compared(("a", math.nan, math.nan, math.nan, "not comparable"))) is None


@pytest.mark.parametrize("name", [ODD, UNKNOWN, "x" * 200, ",", "e=[1,2]"])
def test_any_name_is_drawn_as_it_is(drawn: list[Drawing], name: str) -> None:
    figure = difference_figure(compared((name, 1.0, 0.0, 2.0, "better")))
    per_photograph(pd.DataFrame({"variant": [name], "example": ["e"], "difference": [1.0]}), order=[name], **NAMED)
    learning_curves(losses(name), order=[name])
    quality_against_cost(
        compared((name, 1.0, 0.0, 2.0, "better")), costs(baseline=2.0, **{name: 1.0}), metric="auc",
        higher_is_better=True, **NAMED,
    )  # fmt: skip
    distributions(counts(name), order=[name])
    assert figure is not None
    assert name in figure.alt
    if name == ODD:
        assert names_of(drawn[0].axes[0]) == [ODD]
        assert drawn[0].axes[0].get_yticklabels()[0].get_parse_math() is False
    assert all("\U0001f3a8" not in names_of(axes) for axes in drawn[0].axes)


def losses(*variants: str, seeds: int = 2, bad: float | None = None, scale: float = 1.0) -> pd.DataFrame:
    """Make curves of two parts and three steps; seeds differ by one; `bad` is the last loss of seed 0."""
    rows = [
        (
            variant,
            seed,
            part,
            step,
            bad if bad is not None and seed == 0 and step == 2000 else scale * (9 - step / 1000 + seed),
        )
        for variant in variants
        for seed in range(seeds)
        for part in ("training", "evaluation photographs")
        for step in (0, 1000, 2000)
    ]
    return pd.DataFrame(rows, columns=["variant", "seed", "part", "step", "loss"])


def test_each_variant_has_a_panel_with_the_baseline_behind(drawn: list[Drawing]) -> None:
    figure = learning_curves(losses("baseline", "a=1"), order=["baseline", "a=1"])
    first, second = shown_axes(drawn[0])
    assert [axes.get_title() for axes in (first, second)] == ["baseline", "a=1"]
    assert [(line.get_linestyle(), np.asarray(line.get_ydata()).tolist()) for line in first.lines] == [
        ("-", [9.5, 8.5, 7.5]), ("--", [9.5, 8.5, 7.5]),
    ]  # fmt: skip
    assert len(second.lines) == 4
    band = first.collections[0].get_paths()[0].vertices
    assert (np.asarray(band)[:, 1].min(), np.asarray(band)[:, 1].max()) == (7.0, 10.0)
    assert "not ranked" in figure.caption
    assert "from 9.5 to 7.5" in figure.alt


def test_a_baseline_of_another_scale_does_not_flatten_a_curve(drawn: list[Drawing]) -> None:
    curves = pd.concat([losses("baseline"), losses("loss=regression", scale=0.001)])
    learning_curves(curves, order=["baseline", "loss=regression"])
    second = shown_axes(drawn[0])[1]
    assert second.get_ylim()[1] < 0.02
    assert texts_of(second) == ["baseline off this axis"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.7e308])
@pytest.mark.parametrize("seeds", [1, 2])
def test_losses_that_are_not_finite_are_left_out(drawn: list[Drawing], bad: float, seeds: int) -> None:
    figure = learning_curves(losses("baseline", "a=1", seeds=seeds, bad=bad), order=["baseline", "a=1"])
    last = float(np.asarray(shown_axes(drawn[0])[0].lines[0].get_ydata())[-1])
    assert math.isnan(last) if seeds == 1 else last == 8.0
    assert "not finite" in figure.caption
    assert max(abs(limit) for limit in shown_axes(drawn[0])[0].get_ylim()) < 20


def test_a_variant_without_finite_losses_keeps_its_panel(drawn: list[Drawing]) -> None:
    learning_curves(losses("a=1").assign(loss=math.nan), order=["a=1"])
    assert texts_of(shown_axes(drawn[0])[0]) == ["no finite loss"]


def test_a_single_step_is_a_dot(drawn: list[Drawing]) -> None:
    curves = losses("baseline", seeds=1)
    learning_curves(curves[curves["step"] == 0], order=["baseline"])
    assert {str(line.get_marker()) for line in shown_axes(drawn[0])[0].lines} == {"o"}


def test_at_most_24_variants_have_a_panel(drawn: list[Drawing]) -> None:
    names = ["baseline", *(f"v={place}" for place in range(30))]
    figure = learning_curves(losses(*names, seeds=1), order=names)
    assert [axes.get_title() for axes in shown_axes(drawn[0])] == names[:24]
    assert "The first 24 of 31 variants" in figure.caption
    assert learning_curves(losses(), order=[]).alt.startswith("Loss over training steps of 0 variants")


@pytest.mark.parametrize(
    ("cost", "quality", "higher", "front"),
    [
        ([1, 2, 3], [1, 2, 3], True, ["a", "b", "c"]),
        ([1, 2, 3], [1, 2, 3], False, ["a"]),
        ([1, 2, 3], [3, 1, 2], False, ["a", "b"]),
        ([3, 2, 1], [3, 3, 1], True, ["c", "b"]),
        ([1, 1, 2], [5, 5, 5], True, ["a", "b"]),
        ([1, 1, 1], [1, 2, 2], True, ["b", "c"]),
        ([1, math.nan, 2], [1, 9, math.nan], True, ["a"]),
        ([1, 2, math.inf], [math.inf, 2, 9], True, ["b"]),
        ([math.nan] * 3, [1, 2, 3], True, []),
        ([0, -1, 2], [0, -1, -2], True, ["b", "a"]),
    ],
)
def test_no_variant_of_the_front_is_beaten(
    cost: list[float], quality: list[float], higher: bool, front: list[str]
) -> None:
    names = list("abc")
    assert pareto_front(pd.Series(cost, names), pd.Series(quality, names), higher) == front


@pytest.mark.parametrize("higher", [True, False])
def test_the_front_is_what_its_definition_says(higher: bool) -> None:
    points = np.random.default_rng(0).integers(0, 8, (60, 2))
    names = [f"v{place:02}" for place in range(len(points))]
    sign = 1 if higher else -1
    beaten = [
        any(other[0] <= own[0] and sign * other[1] >= sign * own[1] and tuple(other) != tuple(own) for other in points)
        for own in points
    ]
    expected = {name for name, is_beaten in zip(names, beaten, strict=True) if not is_beaten}
    found = pareto_front(pd.Series(points[:, 0], names), pd.Series(points[:, 1], names), higher)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_the_front_compares_variants_by_name() -> None:
    assert pareto_front(pd.Series({"a": 1, "b": 2, "c": 3}), pd.Series({"b": 5, "a": 4, "d": 9}), True) == ["a", "b"]
    assert pareto_front(pd.Series(dtype=float), pd.Series(dtype=float), True) == []


def costs(**parameters: float) -> pd.DataFrame:
    names = ["cost/parameters", "cost/wall_seconds"]
    return pd.DataFrame(
        {names[0]: {name: 1e6 * value for name, value in parameters.items()},
         names[1]: {name: 3600 * value for name, value in parameters.items()}}
    )  # fmt: skip


def test_quality_stands_against_each_cost_that_is_known(drawn: list[Drawing]) -> None:
    comparison = compared(
        ("cheap", -5.0, -6.0, -4.0, "worse"), ("dear", -1.0, -2.0, 0.0, "worse"), ("lost", math.nan, 0, 1, "better")
    )
    comparison.loc[comparison["variant"] == "lost", "mean"] = math.nan
    comparison.loc[comparison["variant"] == "dear", "sd"] = math.nan
    figure = quality_against_cost(
        comparison, costs(baseline=2.0, cheap=1.0, dear=4.0, lost=3.0), metric="auc", higher_is_better=True, **NAMED
    )
    assert figure is not None
    first, second = drawn[0].axes
    assert [axes.get_xlabel() for axes in (first, second)] == ["parameters", "training time, h"]
    assert all(axes.get_xscale() == "log" for axes in (first, second))
    assert "2 M" in [label.get_text() for label in first.get_xticklabels()]
    assert "2" in [label.get_text() for label in second.get_xticklabels()]
    # One seed has no deviation, so its mark has no bar.
    bars = [collection for collection in first.collections if isinstance(collection, LineCollection)]
    assert [segment[:, 1].tolist() for segment in bars[0].get_segments()] == [[79.5, 80.5], [74.5, 75.5]]
    assert sorted(texts_of(first)) == ["baseline", "cheap"]
    front = next(line for line in first.lines if line.get_drawstyle() == "steps-post")
    assert np.asarray(front.get_ydata()).tolist() == [75, 80, 80]
    assert "parameters: cheap, baseline" in figure.alt
    assert "left out" in figure.caption


@pytest.mark.parametrize("count", [1, 2, 100])
def test_names_beside_points_neither_overlap_nor_leave_the_panel(drawn: list[Drawing], count: int) -> None:
    rng = np.random.default_rng(count)
    names = [f"optimizer=adadelta,v={place}" for place in range(count)]
    comparison = compared(*((name, float(rng.normal()), -1.0, 1.0, "better") for name in names))
    known = costs(baseline=1.5, **{name: float(rng.uniform(1, 3)) for name in names})
    assert quality_against_cost(comparison, known, metric="auc", higher_is_better=True, **NAMED) is not None
    drawn[0].draw_without_rendering()
    for axes in drawn[0].axes:
        inside = axes.get_window_extent()
        boxes = [mpl.text.Text.get_window_extent(text) for text in axes.texts]
        assert len(boxes) >= 1
        assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)
        assert not any(box.overlaps(other) for place, box in enumerate(boxes) for other in boxes[:place])


@pytest.mark.parametrize("seconds", [0.0, math.nan, -1.0])
def test_without_a_cost_that_a_log_scale_can_show_there_is_no_figure(seconds: float) -> None:
    known = costs(baseline=1.0).assign(**{"cost/parameters": seconds, "cost/wall_seconds": math.nan})
    assert quality_against_cost(compared(), known, metric="auc", higher_is_better=True, **NAMED) is None
    assert quality_against_cost(compared(), costs(), metric="auc", higher_is_better=True, **NAMED) is None


def test_a_metric_without_direction_has_no_front(drawn: list[Drawing]) -> None:
    figure = quality_against_cost(compared(), costs(baseline=1.0), metric="auc", higher_is_better=None, **NAMED)
    assert figure is not None
    assert "beats" not in figure.caption
    assert [line for line in drawn[0].axes[0].lines if line.get_drawstyle() == "steps-post"] == []


def effects(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["effect", "kind", "estimate", "p_corrected"])
    return frame.assign(low=frame["estimate"] - 1, high=frame["estimate"] + 1)


def test_main_effects_stand_above_interactions(drawn: list[Drawing]) -> None:
    figure = interactions(
        effects(
            ("a=1 × b=$2$", "interaction", 5.0, 0.01), ("a=1", "main", -3.0, 0.2), ("b=$2$", "main", 1.0, math.nan)
        ),
        **NAMED,
    )
    axes = drawn[0].axes[0]
    assert figure is not None
    assert names_of(axes) == ["main effects", "b=$2$", "a=1", "interactions", "a=1 × b=$2$"]
    assert [value for value, _ in marks_of(axes)] == [1.0, -3.0, 5.0]
    assert intervals_of(axes) == [(0.0, 2.0), (-4.0, -2.0), (4.0, 6.0)]
    marks = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert [mark.get_markerfacecolor() == "white" for mark in marks] == [True, True, False]
    assert "1 of 3 have a corrected p below 0.05; the strongest is a=1 × b=$2$ +5.00" in figure.alt


def test_of_many_effects_the_strongest_are_drawn(drawn: list[Drawing]) -> None:
    figure = interactions(effects(*((f"e={n}", "interaction", float(n), 1.0) for n in range(-50, 51))), **NAMED)
    assert figure is not None
    assert names_of(drawn[0].axes[0])[1] == "e=50"
    assert len(marks_of(drawn[0].axes[0])) == 60
    assert min(abs(value) for value, _ in marks_of(drawn[0].axes[0])) >= 20


def test_without_effects_there_is_no_figure() -> None:
    assert interactions(effects(), **NAMED) is None
    assert interactions(effects(("a", "main", math.nan, 1.0)), **NAMED) is None


def counts(*variants: str, columns: tuple[str, str] = ("a", "b")) -> pd.DataFrame:
    """Make a grid of 5 x 4 cells around zero: all truth in two cells, the output of the n-th variant in one."""
    first, second = (axis.ravel() for axis in np.meshgrid([-10, -5, 0, 5, 10], [-5, 0, 5, 10], indexing="ij"))
    frames = []
    for variant in variants:
        frame = pd.DataFrame({"variant": variant, columns[0]: first, columns[1]: second, "truth": 0, "output": 0})
        frame.loc[(first == 5) & (second == 0), ["truth", "output"]] = [90, 7]
        frame.loc[(first == 0) & (second == 5), "truth"] = 10
        frames.append(frame)
    return pd.concat(frames)


def test_the_truth_stands_before_the_variants_on_one_scale(drawn: list[Drawing]) -> None:
    figure = distributions(counts("a=1", "baseline"), order=["baseline", "a=1"])
    assert figure is not None
    panels = [axes for axes in shown_axes(drawn[0]) if axes.images]
    assert [axes.get_title() for axes in panels] == ["truth", "baseline", "a=1"]
    image = panels[0].images[0]
    shares = 10 ** np.ma.filled(image.get_array(), -np.inf)
    assert shares.max() == pytest.approx(0.9)
    # Cells are cropped to those that hold anything and one more: a = -5..10, b = -5..10; the commonest is a 5, b 0.
    assert image.get_extent() == [-7.5, 12.5, -7.5, 12.5]
    assert np.unravel_index(shares.argmax(), shares.shape) == (1, 2)
    assert int(np.ma.count_masked(image.get_array())) == 14
    assert len({(axes.images[0].norm.vmin, axes.images[0].norm.vmax) for axes in panels}) == 1
    assert [axes.get_xlabel() for axes in panels] == ["a*"] * 3
    assert [axes.get_ylabel() for axes in panels] == ["b*", "", ""]
    assert "truth 2, baseline 1" in figure.alt


def test_coordinates_are_what_the_frame_calls_them(drawn: list[Drawing]) -> None:
    figure = distributions(counts("baseline", columns=("$x$", "y")), order=["baseline"])
    assert figure is not None
    assert drawn[0].axes[0].get_xlabel() == "$x$"
    assert figure.title == "Distribution of $x$ and y"


def test_without_counts_there_is_no_distribution() -> None:
    assert distributions(counts("a").iloc[:0], order=[]) is None
    assert distributions(counts("a").assign(truth=0, output=0), order=["a"]) is None


def test_an_output_without_counts_is_an_empty_panel(drawn: list[Drawing]) -> None:
    names = [f"v={place}" for place in range(30)]
    figure = distributions(counts(*names).assign(output=0), order=names)
    assert figure is not None
    assert len([axes for axes in shown_axes(drawn[0]) if axes.images]) == 25
    assert "The first 24 of 30" in figure.caption


def spread(**values: Sequence[float]) -> pd.DataFrame:
    rows = [(name, f"e{place}", value) for name, own in values.items() for place, value in enumerate(own)]
    return pd.DataFrame(rows, columns=["variant", "example", "difference"])


def test_boxes_hold_the_middle_half_of_the_photographs(drawn: list[Drawing]) -> None:
    frame = spread(baseline=[0.0] * 5, b=np.arange(101.0) - 30, a=[1.0, math.nan, math.inf])
    figure = per_photograph(frame, order=["baseline", "b", "a"], **NAMED)
    axes = drawn[0].axes[0]
    assert figure is not None
    assert names_of(axes) == ["b", "a"]
    box = axes.patches[0].get_bbox()
    assert (box.x0, box.x1) == (-5.0, 45.0)
    segments = [s.tolist() for c in axes.collections if isinstance(c, LineCollection) for s in c.get_segments()]
    assert [-25.0, 65.0] in [[start[0], end[0]] for start, end in segments]
    assert "+20.0   69 %" in texts_of(axes)
    assert "+1.0   100 %" in texts_of(axes)
    assert "Each dot is a photograph" in figure.caption


def test_many_photographs_are_boxes_alone(drawn: list[Drawing]) -> None:
    figure = per_photograph(spread(a=[*np.linspace(-1, 1, 600), 1e6]), order=["a"], **NAMED)
    assert figure is not None
    assert [line for line in drawn[0].axes[0].lines if line.get_marker() == "."] == []
    assert drawn[0].axes[0].get_xlim()[1] < 3
    assert "1 of 601 differences lie beyond the axis" in figure.caption


def test_at_most_40_variants_have_a_box(drawn: list[Drawing]) -> None:
    names = [f"v={place}" for place in range(50)]
    figure = per_photograph(spread(**{name: [1.0, 2.0] for name in names}), order=names, **NAMED)
    assert figure is not None
    assert names_of(drawn[0].axes[0]) == names[:40]
    assert "The first 40 of 50" in figure.caption


def test_without_differences_of_photographs_there_is_no_figure() -> None:
    assert per_photograph(spread(), order=[], **NAMED) is None
    assert per_photograph(spread(baseline=[0.0], a=[math.nan]), order=["baseline", "a"], **NAMED) is None


def test_constant_differences_can_be_drawn(drawn: list[Drawing]) -> None:
    assert per_photograph(spread(a=[0.0, 0.0]), order=["a"], **NAMED) is not None
    assert difference_figure(compared(("a", 0.0, 0.0, 0.0, "equivalent"))) is not None


def samples(*variants: str, examples: int = 2, left_out: tuple[str, str] = ("", "")) -> pd.DataFrame:
    """Make pictures of one colour: input grey, truth white, output red of 10 times the variant's place."""

    def picture(variant: str, kind: str) -> bytes:
        file = io.BytesIO()
        color = {"given": (99, 99, 99), "truth": (1, 2, 3)}.get(kind, (10 * variants.index(variant), 0, 0))
        Image.new("RGB", (4, 4), color).save(file, format="PNG")
        return file.getvalue()

    rows = [
        (variant, kind, f"e{place}", picture(variant, kind))
        for variant in variants
        for kind in KINDS
        for place in range(examples)
        if (variant, f"e{place}") != left_out
    ]
    return pd.DataFrame(rows, columns=["variant", "kind", "example", "picture"])


def colors(figure: Figure, top: int, labelled: bool = True) -> list[tuple[int, ...]]:
    """Return the colours in the middle of a row of cells."""
    page = Image.open(io.BytesIO(figure.files["png"]))
    left = GAP + (LINE + GAP if labelled else 0) + CELL // 2
    return [page.getpixel((x, top + CELL // 2)) for x in range(left, page.width, CELL + GAP)]  # type: ignore[misc]


def test_input_and_truth_stand_before_every_block_of_outputs() -> None:
    names = ["baseline", *(f"v={place}" for place in range(1, 8))]
    figure = photo_grid(samples(*names), order=names, rows=[("e1", "random"), ("e0", "best")])
    given, truth, white = (99, 99, 99), (1, 2, 3), (255, 255, 255)
    header, row = LINE + GAP, CELL + GAP
    assert list(figure.files) == ["png"]
    assert colors(figure, header) == [given, truth, (0, 0, 0), (10, 0, 0), (20, 0, 0), (30, 0, 0)]
    assert colors(figure, 2 * header + 2 * row) == [given, truth, (40, 0, 0), (50, 0, 0), (60, 0, 0), (70, 0, 0)]
    assert white not in colors(figure, header + row)
    assert "random, best" in figure.alt


def test_a_missing_picture_leaves_its_cell_empty() -> None:
    figure = photo_grid(
        samples("baseline", "a", left_out=("a", "e1")), order=["a", "baseline"], rows=[("e0", ""), ("e1", "")]
    )
    header = LINE + GAP
    assert colors(figure, header, labelled=False)[2:] == [(10, 0, 0), (0, 0, 0)]
    assert colors(figure, header + CELL + GAP, labelled=False)[1:] == [(1, 2, 3), (238, 238, 238), (0, 0, 0)]


def test_at_most_24_variants_have_a_column() -> None:
    names = [f"v={place}" for place in range(25)]
    figure = photo_grid(samples(*names, examples=1), order=names, rows=[("e0", "")])
    assert colors(figure, 4 * (LINE + GAP) + 3 * (CELL + GAP), labelled=False)[-1] == (230, 0, 0)
    assert "The first 24 of 25 variants" in figure.caption


def test_no_heading_is_taller_than_a_picture() -> None:
    long = "training.learning_rate_drops=" + str([[100 * step, 0.9**step] for step in range(60)])
    factors = ",".join(f"a_factor_{place}=a_level_{place}" for place in range(12))
    names = ["baseline", long, f"depth=reduced,{long}", factors, "x" * 400]
    figure = photo_grid(samples(*names), order=names, rows=[("e0", "")])
    with Image.open(io.BytesIO(figure.files["png"])) as picture:
        assert picture.height - (CELL + GAP) < CELL
    assert len(name_lines(long, 22)) <= 5
    assert "0.9" not in figure.alt


@pytest.mark.parametrize(
    "draw",
    [
        lambda: difference_figure(compared((ODD, 1.0, 0.0, 2.0, "better")), margin=1.0),
        lambda: learning_curves(losses("baseline", ODD), order=["baseline", ODD]),
        lambda: quality_against_cost(compared(), costs(baseline=1.0), metric="auc", higher_is_better=True, **NAMED),
        lambda: interactions(effects((ODD, "main", 1.0, 0.1)), **NAMED),
        lambda: distributions(counts(ODD), order=[ODD]),
        lambda: per_photograph(spread(a=[1.0, 2.0]), order=["a"], **NAMED),
    ],
)
def test_figures_are_png_and_pdf_with_the_same_bytes_each_time(draw: Callable[[], Figure | None]) -> None:
    first, second = draw(), draw()
    assert first is not None
    assert first == second
    assert first.files["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in first.files["pdf"]
    with Image.open(io.BytesIO(first.files["png"])) as picture:
        assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert picture.width < 2300
    assert Path(first.name).name == first.name
    assert first.caption.endswith(".")
    assert first.alt.endswith(".")


@pytest.mark.parametrize(
    ("name", "width", "lines"),
    [
        ("a=1", 9, ["a=1"]),
        ("a=1,b=2,c=3", 9, ["a=1,b=2,", "c=3"]),
        ("a=1 × b=2", 6, ["a=1 ×", "b=2"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("", 3, [""]),
        (" \n", 3, [""]),
        ("$x$\ty", 9, ["$x$ y"]),
    ],
)
def test_names_break_after_commas(name: str, width: int, lines: list[str]) -> None:
    assert name_lines(name, width) == lines


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (decimals([0.0, math.nan]), 0),
        (decimals([-23.14, math.inf]), 1),
        (decimals([0.00123]), 5),
        (decimals([12345.0]), 0),
        (signed(-1.25, 2), "−1.25"),
        (signed(1234.0, 0), "+1,234"),
    ],
)
def test_numbers_read_well(found: object, expected: object) -> None:
    assert found == expected
