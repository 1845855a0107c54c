import pytest

from ablate.colorization.config import ColorizationConfig
from ablate.config.schema import validate
from ablate.errors import ConfigError
from tests.support.levels import level


def problem(values):
    with pytest.raises(ConfigError) as caught:
        validate(ColorizationConfig, values)
    return str(caught.value)


def test_the_defaults_are_valid(task_values):
    config = validate(ColorizationConfig, task_values())
    assert config.model_dump(mode="json", exclude_unset=True) == task_values()


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("data.name", "imagenet", "'sample', 'folder', 'prepared' or 'tfds'"),
        ("data.image_size", 0, "greater than 0"),
        ("data.image_size", "large", "integer"),
        ("data.image_size", 32.5, "integer"),
        ("data.max_zoom", 0.5, "greater than or equal to 1"),
        ("data.max_zoom", float("inf"), "finite"),
        ("data.repeats", 0, "greater than 0"),
        ("data.eval_fraction", 0, "greater than 0"),
        ("data.eval_fraction", 1, "less than 1"),
        ("data.max_bad_fraction", -0.1, "greater than or equal to 0"),
        ("data.max_bad_fraction", 1.5, "less than or equal to 1"),
        ("data.memory_gib", -1, "greater than or equal to 0"),
        ("backbone.width", 0, "greater than 0"),
        ("backbone.width", 4.1, "less than or equal to 4"),
        ("backbone.width", float("nan"), "finite"),
        ("backbone.batch_norm", "yes", "'affine', 'plain' or 'none'"),
        ("regularizer.l2", -1e-3, "greater than or equal to 0"),
        ("depth.blocks", 3, "tuple"),
        ("dropout.rate", 1.0, "less than 1"),
        ("dropout.rate", -0.5, "greater than or equal to 0"),
        ("output_res.output_stride", 0, "greater than 0"),
        ("output_res.output_stride", 2.5, "integer"),
        ("loss.name", "l2", "'rebalanced', 'unweighted' or 'regression'"),
        ("loss.mix", 1.1, "less than or equal to 1"),
        ("loss.pixel_reduction", "median", "'mean' or 'sum'"),
        ("loss.mask_grey", "perhaps", "boolean"),
        ("color.grid_step", 3, "greater than or equal to 4"),
        ("color.grid_step", 51, "less than or equal to 50"),
        ("color.soft_bins", 0, "greater than 0"),
        ("color.soft_sigma", 0, "greater than 0"),
        ("color.prior_sigma", -1, "greater than 0"),
        ("color.temperature", 0, "greater than 0"),
        ("evaluation.side", 7, "greater than or equal to 8"),
        ("evaluation.batch_size", 0, "greater than 0"),
        ("evaluation.samples", 0, "greater than 0"),
    ],
)
def test_an_impossible_value_is_named_with_what_came_and_what_is_allowed(task_values, key, value, allowed):
    values = task_values()
    section, name = key.split(".")
    values[section][name] = value
    message = problem(values)
    assert message.startswith(f"{key}={value}: ")
    assert allowed in message
    assert "\n" not in message


def test_every_problem_has_its_line(task_values):
    values = task_values()
    values["backbone"]["width"] = 0
    values["dropout"]["rate"] = 2
    assert [line.split("=")[0] for line in problem(values).splitlines()] == ["backbone.width", "dropout.rate"]


@pytest.mark.parametrize(("section", "key"), [("data", "repeats"), ("backbone", "width"), ("evaluation", "side")])
def test_a_missing_key_is_named(task_values, section, key):
    values = task_values()
    del values[section][key]
    assert problem(values) == f"missing key: {section}.{key}"


def test_a_missing_section_is_named(task_values):
    values = task_values()
    del values["color"]
    assert problem(values) == "missing key: color"


def test_an_unknown_key_is_named_with_those_that_exist(task_values):
    values = task_values()
    values["color"]["temprature"] = 1
    message = problem(values)
    assert message.startswith("unknown key: color.temprature. Allowed")
    for name in ("grid_step", "soft_bins", "soft_sigma", "prior_sigma", "temperature"):
        assert name in message
    assert "Did you mean color.temperature?" in message


def test_a_folder_needs_a_root(task_values):
    values = task_values()
    values["data"]["name"] = "folder"
    assert problem(values).startswith("data: data=folder needs data.root=DIR")


def test_a_folder_with_a_root_is_valid(task_values, tmp_path):
    values = task_values()
    values["data"].update(name="folder", root=str(tmp_path))
    assert validate(ColorizationConfig, values).data.root == str(tmp_path)


@pytest.mark.parametrize(
    ("output_res", "side", "divisor", "nearest"), [("full", 33, 8, 32), ("half", 4, 8, 8), ("quarter", 24, 16, 32)]
)
def test_a_side_that_does_not_divide_is_named_with_the_nearest(task_values, output_res, side, divisor, nearest):
    values = task_values()
    values["data"]["image_size"] = side
    values["output_res"] = dict(level("output_res", output_res))
    message = problem(values)
    assert message.startswith(f"data.image_size={side}: ")
    assert f"a multiple of {divisor} for depth=full and output_res={output_res}." in message
    assert message.endswith(f"the nearest is {nearest}")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ((2, "filters"), 0, "depth.blocks.2.filters=0: input should be greater than 0"),
        ((2, "stride"), "two", "depth.blocks.2.stride=two: input should be a valid integer"),
        ((2, "dilation"), 2, "depth.blocks.2: a block has a stride or a dilation. Received: 2 and 2"),
        ((2, "number"), 2, "depth: the numbers of depth.blocks must ascend. Received: [1, 2, 2, 4, 5, 6, 7, 8]"),
        ((7, "stride"), 2, "depth: the last of depth.blocks has no stride and no dilation"),
        (
            (2, "filtres"),
            5,
            "unknown key: depth.blocks.2.filtres. Allowed: depth.blocks.2.convolutions, depth.blocks.2.dilation, "
            "depth.blocks.2.filters, depth.blocks.2.number, depth.blocks.2.stride. Did you mean "
            "depth.blocks.2.filters?",
        ),
    ],
)
def test_an_impossible_block_is_named(task_values, place, value, said):
    values = task_values()
    number, key = place
    values["depth"]["blocks"][number][key] = value
    assert problem(values).startswith(said)


def test_an_output_stride_that_does_not_divide_is_named(task_values):
    values = task_values()
    values["output_res"] = {"name": "third", "output_stride": 12}
    assert problem(values) == (
        "output_res.output_stride=12: must divide the stride of the blocks, 8, or be a multiple of it"
    )


def test_more_soft_bins_than_classes_are_refused(task_values):
    values = task_values()
    values["color"].update(grid_step=50, soft_bins=40)
    assert "color.soft_bins=40 exceeds the 13 classes of color.grid_step=50" in problem(values)


def test_all_classes_may_be_soft_bins(task_values):
    values = task_values()
    values["color"]["soft_bins"] = 313
    assert validate(ColorizationConfig, values).color.soft_bins == 313


def test_a_configuration_cannot_be_changed(task_values):
    config = validate(ColorizationConfig, task_values())
    with pytest.raises(ValueError, match="frozen"):
        config.backbone.width = 1.0
