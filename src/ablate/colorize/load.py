"""Loading of colorizers: from tracked runs, from a file of Keras, and from the package."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.cli.command_line import configured_uri
from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.config import ColorConfig
from ablate.colorize.colorizer import BATCH, Colorizer
from ablate.colorize.keras_file import read_keras_file
from ablate.colorize.packaged import NAME, packaged_colorizer
from ablate.config.paths import results_dir
from ablate.config.schema import validate
from ablate.errors import ConfigError, DataError, TrackingError

if TYPE_CHECKING:
    from ablate.tracking.tracked_model import TrackedModel

TEMPERATURE = 0.38
"""The paper's, for networks that do not say."""
_STEPS = range(4, 51)
_MAX_SIDE = 2048
"""Of a square; one of a file's that is far larger would take all memory."""


def load_colorizer(
    *,
    run: str | None = None,
    study: str | None = None,
    variant: str | None = None,
    model: str | Path | None = None,
    uri: str | None = None,
    temperature: float | None = None,
) -> Colorizer:
    """Load one trained network.

    Args:
        run: A finished run of the store.
        study: A study of the store; the finished run with the lowest seed is taken.
        variant: Which of its variants, where it has several.
        model: A `.keras` file, or `packaged`: the network in the package, which is also taken where nothing is given.
        uri: Of the store; None for the project's.
        temperature: Of the annealed mean; None for the one that the network was configured with.

    Raises:
        ConfigError: The arguments contradict each other, there is no such variant, or the temperature is none.
        DataError: The file or the package's weights cannot be used.
        TrackingError: The run or the study cannot be used.
    """
    variants = () if variant is None else (variant,)
    runs, models = () if run is None else (run,), () if model is None else (Path(model),)
    found = load_colorizers(runs=runs, study=study, variants=variants, models=models, uri=uri, temperature=temperature)
    if len(found) > 1:
        raise ConfigError(f"study {study} has several variants: which one? variant={found[0].name}")
    return found[0]


def load_colorizers(
    *,
    runs: Sequence[str] = (),
    study: str | None = None,
    variants: Sequence[str] = (),
    models: Sequence[Path] = (),
    uri: str | None = None,
    temperature: float | None = None,
    config_options: Sequence[str] = (),
) -> list[Colorizer]:
    """Load trained networks, see `load_colorizer`; of a study without `variants`, one of each variant.

    Args:
        runs: Finished runs of the store.
        study: A study of the store.
        variants: Which of its variants.
        models: `.keras` files, or `packaged`.
        uri: Of the store; None for the project's.
        temperature: Of the annealed mean.
        config_options: Hydra's options that choose the configuration, which may name the store.

    Returns:
        At least one.

    Raises:
        ConfigError, DataError, TrackingError: See `load_colorizer`.
    """
    if variants and study is None:
        raise ConfigError("variant= chooses among those of a study: give study=NAME as well")
    if runs and variants:
        raise ConfigError("run= names a run by itself: leave variant= out")
    found = _of_store(runs, study, variants, uri, config_options) if runs or study is not None else []
    found += [_of_file(file) for file in models]
    found = found or [packaged_colorizer()]
    if temperature is None:
        return found
    return [replace(each, color=_at(temperature, each.color)) for each in found]


def _at(temperature: float, color: ColorConfig) -> ColorConfig:
    return validate(ColorConfig, {**color.model_dump(), "temperature": temperature})


def _of_file(file: Path) -> Colorizer:
    if str(file) == NAME and not file.exists():
        return packaged_colorizer()
    saved = read_keras_file(file)
    color = color_of_outputs(file, saved.model)
    if saved.temperature is not None:
        color = _at(saved.temperature, color)
    return Colorizer(saved.model, color, file.stem, min(BATCH, saved.batch_size))


def color_of_outputs(file: Path, network: Any) -> ColorConfig:
    """Return how a network's outputs are decoded, as far as their number says.

    Raises:
        DataError: It is no network that colours.
    """
    classes = {len(ab_gamut(step)): step for step in reversed(_STEPS)}
    channels = _check_squares(file, network, [len(ab_gamut()), 2], others=classes)
    return ColorConfig(
        grid_step=classes.get(channels, 10), soft_bins=1, soft_sigma=5, prior_sigma=5, temperature=TEMPERATURE
    )


def colorizer_of_run(file: Path, color: ColorConfig, name: str) -> Colorizer:
    """Load the network of a run, which need not be one that this package trained.

    Args:
        file: As Keras saved it.
        color: How the run's configuration says that its outputs are decoded.
        name: What it is called.

    Raises:
        DataError: The file cannot be used, or is no network that colours so.
    """
    saved = read_keras_file(file)
    _check_squares(file, saved.model, [len(ab_gamut(color.grid_step)), 2])
    return Colorizer(saved.model, color, name, min(BATCH, saved.batch_size))


def _check_squares(file: Path, network: Any, channels: Sequence[int], others: Collection[int] = ()) -> int:
    """Check that a network goes from squares of L to squares of ab or of colour classes; return their channels.

    Args:
        file: Where it is from.
        network: The network.
        channels: As many as there are colour classes, and of ab.
        others: As many as there may be as well.

    Raises:
        DataError: It does not.
    """
    ends = [tuple(getattr(network, end, None) or ()) for end in ("input_shape", "output_shape")]
    squares = all(len(shape) == 4 and isinstance(shape[1], int) and shape[1] == shape[2] for shape in ends)
    if not squares or ends[0][-1] != 1 or ends[1][-1] not in (*channels, *others):
        raise DataError(
            f"{file} colours no photographs: a network must go from (side, side, 1), L, to squares with a channel for "
            f"each of the {channels[0]} colour classes, or with two, ab. Received: {ends[0][1:]} to {ends[1][1:]}"
        )
    if (largest := max(ends[0][1], ends[1][1])) > _MAX_SIDE:
        raise DataError(f"{file}: a network's squares must have at most {_MAX_SIDE} pixels on a side, not {largest}")
    return int(ends[1][-1])


def _of_store(
    run_ids: Sequence[str], study: str | None, variants: Sequence[str], uri: str | None, config_options: Sequence[str]
) -> list[Colorizer]:
    from ablate.colorize.tracked_models import distinct_names, names_of, runs_by_id, runs_of_study
    from ablate.tracking.store import open_store, store_uri
    from ablate.tracking.study_record import read_study

    address = store_uri(configured_uri(uri, config_options), results_dir())
    open_store(address, to_read=True)
    if run_ids:
        tracked, names = runs_by_id(run_ids, study=study), {}
    else:
        assert study is not None
        record = read_study(study, address)
        tracked, names = runs_of_study(record, variants, option="variant")[0], names_of(record)
    called = distinct_names([names.get(each.variant, str(each.variant)) for each in tracked], tracked)
    return [_of_run(each, name) for each, name in zip(tracked, called, strict=True)]


def _of_run(tracked: TrackedModel, name: str) -> Colorizer:
    from ablate.tracking.tracked_model import read_config, read_model

    config = read_config(tracked)
    if not {"color", "data"} <= config.keys():
        raise TrackingError(f"run {tracked.run_id} ({tracked}) colours no photographs: its task is another")
    color = validate(ColorConfig, config["color"], prefix="color")
    return read_model(tracked, lambda file: colorizer_of_run(file, color, name))
