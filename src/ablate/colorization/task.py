"""The colourisation task, assembled from its configuration. TensorFlow is imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablate.colorization.classifier import CLASSIFIER_ACCURACY, Classifier, find_classifier
from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.config import ColorizationConfig
from ablate.colorization.data.dataset import load_data, open_data
from ablate.colorization.data.preprocessing import Preprocessing, preprocessing_of
from ablate.colorization.data.sources.registry import source_of
from ablate.colorization.data.split import EVALUATION, TRAIN
from ablate.colorization.metrics import METRICS
from ablate.colorization.model.architecture import Layer, layer_costs, network_layers
from ablate.config.paths import results_dir
from ablate.config.schema import validate
from ablate.task import DataSummary, Evaluation, FoundData

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from ablate.colorization.data.photographs import ColorData
    from ablate.colorization.data.squares import Square
    from ablate.task import ServedModel


class ColorizationTask:
    """Colourise photographs from their L channel; see `ablate.task.Task` for the methods."""

    irrelevant_code = (
        "ablate.colorization.data.file_names",
        "ablate.colorization.data.prepared.write",
        "ablate.colorization.data.shown",
        "ablate.colorization.data.split",
        "ablate.execution",
        "ablate.execution.code_version",
        "ablate.keras_files",
        "ablate.keras_files.read",
        *(f"ablate.colorization.data.sources.{name}" for name in ("archives", "tfds", "url")),
    )
    """Names, pictures, what splits and prepares data (its fingerprint tells the splits), the hash of code, and what
    refuses files."""
    no_result_keys = (
        *("data.root", "data.memory_gib", "data.max_bad_fraction"),
        *("evaluation.samples", "evaluation.samples_from", "evaluation.batch_size"),
    )
    example = "photograph"
    describes_without_tensorflow = True

    def __init__(self, **config: Any):
        self.config = validate(ColorizationConfig, config)

    @property
    def metrics(self) -> Any:
        """The metrics of `Evaluation.metrics`."""
        return METRICS if self.config.evaluation.classifier is None else (*METRICS, CLASSIFIER_ACCURACY)

    @property
    def side(self) -> int:
        """Side of the network's input."""
        return self.config.data.image_size

    @cached_property
    def layers(self) -> list[Layer]:
        """The network's layers."""
        config = self.config
        return network_layers(
            config.depth.blocks,
            output_stride=config.output_res.output_stride,
            outputs=2 if config.loss.name == "regression" else len(ab_gamut(config.color.grid_step)),
            width=config.backbone.width,
            dropout=config.dropout.rate,
            batch_norm=config.backbone.batch_norm,
        )

    def result_config(self) -> Mapping[str, Any]:
        """Return what determines a result: all but where photographs are, and how they are kept and shown."""
        unrelated = {
            "data": {"name", "root", "dataset", "memory_gib", "max_bad_fraction"},
            "evaluation": {"samples", "samples_from", "batch_size", "classifier"},
            "regularizer": {"name"},
            "depth": {"name"},
            "dropout": {"name"},
            "output_res": {"name"},
        }
        config = self.config.model_dump(mode="json", exclude=unrelated)
        return {**config, "evaluation": {**config["evaluation"], **self._classifier_config()}}

    def comparison_config(self) -> Mapping[str, Any]:
        """Return how photographs are evaluated: decoded at which side, and in which classes they are weighted."""
        config = self.config
        return {"side": config.evaluation.side, "grid_step": config.color.grid_step, **self._classifier_config()}

    def _classifier_config(self) -> Mapping[str, Any]:
        return {} if self.classifier is None else {"classifier": self.classifier.version}

    @cached_property
    def classifier(self) -> Classifier | None:
        """The classifier that judges coloured photographs, if any."""
        name = self.config.evaluation.classifier
        return None if name is None else find_classifier(name)

    def layer_table(self) -> pd.DataFrame:
        """Return the network's layers: kind, output shape, parameters, FLOPs and receptive field."""
        rows = []
        for cost in layer_costs(self.layers, self.side):
            layer = cost.layer
            kernel = f"{layer.kernel}x{layer.kernel}" if layer.kind in ("conv", "transposed") else ""
            details = [kernel, f"stride {layer.stride}" * (layer.stride > 1)]
            details += [
                f"dilation {layer.dilation}" * (layer.dilation > 1),
                f"rate {layer.rate}" * bool(layer.rate),
            ]
            rows.append(
                {
                    "layer": layer.name,
                    "kind": " ".join([layer.kind, *filter(None, details)]),
                    "output": f"{cost.side}x{cost.side}x{cost.channels}",
                    "parameters": cost.parameters,
                    "MFLOPs": cost.flops / 1e6,
                    "receptive field": cost.receptive_field,
                }
            )
        return pd.DataFrame(rows)

    def cost(self) -> Mapping[str, float]:
        """Return trainable parameters and the FLOPs of a photograph's forward pass, see `architecture.layer_costs`."""
        costs = layer_costs(self.layers, self.side)
        return {
            "parameters": sum(cost.parameters for cost in costs),
            "flops_per_example": sum(cost.flops for cost in costs),
        }

    def data_config(self) -> Mapping[str, Any]:
        """Return how photographs are found."""
        return self.config.data.model_dump(mode="json")

    def find_data(self) -> FoundData:
        """Find the photographs, as files or as records."""
        photographs = open_data(self.config.data, self.preprocessing)
        return FoundData(photographs.fingerprint, photographs.num_train * self.config.data.repeats)

    def served_model(self) -> ServedModel:
        """Return how a network is served: pictures in, coloured ones out."""
        from ablate.colorization.model_use import served_model

        return served_model(self.config.color)

    def limitations(self) -> list[str]:
        """Return what whoever uses a network should know."""
        from ablate.colorization.model_use import limitations

        return limitations(self.side)

    def hold_out(self, fraction: float) -> ColorizationTask:
        """Return this task with a share of the training photographs as those that evaluate."""
        from ablate.colorization.held_out import holding_out

        return holding_out(self, fraction)

    @property
    def preprocessing(self) -> Preprocessing:
        """How photographs become pixels."""
        return preprocessing_of(
            self.config.data,
            evaluation_side=self.config.evaluation.side,
            grid_step=self.config.color.grid_step,
        )

    def prepare(self, out: str, *, workers: int, shard_mib: int) -> str:
        """Write the photographs as `data=prepared` reads them."""
        from ablate.colorization.data.prepared.write import prepare

        return prepare(self.config.data, self.preprocessing, out, workers=workers, shard_mib=shard_mib).summary()

    @cached_property
    def data(self) -> ColorData:
        """The loaded data set."""
        return load_data(
            self.config.data,
            evaluation_side=self.config.evaluation.side,
            grid_step=self.config.color.grid_step,
        )

    @cached_property
    def shown(self) -> dict[str, Square] | None:
        """The photographs whose pictures are kept; None where they are of those that evaluate."""
        from ablate.colorization.data.shown import shown_photographs

        evaluation = self.config.evaluation
        if evaluation.samples_from is None:
            return None
        return shown_photographs(evaluation.samples_from, self.preprocessing, number=evaluation.samples)

    def load_data(self) -> DataSummary:
        """Find and check the photographs, those that are only shown first, and whether the classifier knows them."""
        _, data, config = self.shown, self.data, self.config.data
        if self.classifier is not None:
            self.classifier.labels(photograph.name for photograph in data.evaluation)
        return DataSummary(
            name=config.name,
            source=source_of(config).origin,
            fingerprint=data.fingerprint,
            counts={
                TRAIN: len(data.train),
                EVALUATION: len(data.evaluation),
                "bad": len(data.bad),
                "ignored": len(data.ignored),
            },
            problems=[f"{photograph.name}: {photograph.reason}" for photograph in data.bad]
            + [f"{name}: no photograph that trains or evaluates" for name in data.ignored],
        )

    def examples_per_epoch(self) -> int:
        """Return how many crops make an epoch."""
        return len(self.data.train) * self.config.data.repeats

    def training_batches(self, *, seed: int, batch_size: int, first_step: int, steps: int) -> tf.data.Dataset:
        """Return a part of the endless stream of batches, see `batches.training_batches`."""
        from ablate.colorization.data.batches import training_batches

        return training_batches(self.data, seed=seed, batch_size=batch_size, first_step=first_step, steps=steps)

    def validation_batches(self) -> tf.data.Dataset:
        """Return the evaluation photographs as batches."""
        from ablate.colorization.data.batches import evaluation_batches

        return evaluation_batches(self.data, batch_size=self.config.evaluation.batch_size)

    def build_model(self, seed: int) -> keras.Model:
        """Return a new network; its L2 penalty is as strong beside the loss as `loss.penalty_coefficient` says."""
        from ablate.colorization.model.backbone import build_backbone
        from ablate.colorization.model.loss import penalty_coefficient

        config = self.config
        penalty = penalty_coefficient(
            config.regularizer.l2,
            pixel_reduction=config.loss.pixel_reduction,
            output_side=self.side // config.output_res.output_stride,
        )
        return build_backbone(self.layers, side=self.side, seed=seed, l2=penalty)

    def build_loss(self) -> keras.losses.Loss:
        """Return the loss; the rebalanced one takes its class weights from the training photographs."""
        from ablate.colorization.color.class_rebalancing import class_weights, empirical_prior, smooth_prior
        from ablate.colorization.model.loss import ColorCrossEntropy, EuclideanLoss

        loss, color = self.config.loss, self.config.color
        if loss.name == "regression":
            return EuclideanLoss(pixel_reduction=loss.pixel_reduction, mask_grey=loss.mask_grey)
        weights = None
        if loss.name == "rebalanced":
            prior = empirical_prior(self.data.bin_counts)
            smoothed = smooth_prior(prior, step=color.grid_step, sigma=color.prior_sigma)
            weights = class_weights(smoothed, mix=loss.mix).tolist()
        return ColorCrossEntropy(
            class_weights=weights,
            step=color.grid_step,
            k=color.soft_bins,
            sigma=color.soft_sigma,
            pixel_reduction=loss.pixel_reduction,
            mask_grey=loss.mask_grey,
        )

    def evaluate(self, model: keras.Model) -> Evaluation:
        """Colourise the evaluation photographs and compare them with the truth."""
        from ablate.colorization.evaluation import evaluate

        return evaluate(
            model,
            self.data,
            color=self.config.color,
            evaluation=self.config.evaluation,
            shown=self.shown,
            classifier=self.classifier,
            cache=results_dir() / "evaluation_sets",
        )
