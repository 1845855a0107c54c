"""Photographs of TensorFlow Datasets."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ablate.colorization.data.sources.source import Entry, FileSource, SourceListing, signature_of
from ablate.colorization.data.split import EVALUATION, TRAIN, TRAINING_FOLDER, SplitRule, evaluation_folder
from ablate.errors import ConfigError, DataError


@dataclass(frozen=True)
class TensorFlowDataset(FileSource):
    """A data set of TensorFlow Datasets with a feature `image`; its first of `split.EVALUATION_FOLDERS` evaluates."""

    dataset: str
    root: str | None

    def signature(self) -> str:
        """Return that of the version and the sizes of its splits."""
        info = self._builder().info
        return signature_of([info.full_name, *(f"{name} {count}" for name, count in self._splits().items())])

    def list(self) -> SourceListing:
        """List its examples by number."""
        splits = self._splits()
        entries = [
            Entry(f"{split}/{number:08}", None, (split, number))
            for split, count in splits.items()
            for number in range(count)
        ]
        return SourceListing(entries, (), rule=_split_rule(list(splits)))

    def _splits(self) -> dict[str, int]:
        """Return how many examples train and evaluate, by the name of their split."""
        info = self._builder().info
        counts = {name: int(split.num_examples) for name, split in info.splits.items() if split.num_examples}
        known = {
            name: counts[name]
            for name in (TRAINING_FOLDER, evaluation_folder(counts) or TRAINING_FOLDER)
            if name in counts
        }
        if not known or "image" not in info.features:
            raise DataError(f"data.dataset={self.dataset} has no split of photographs with a feature `image`")
        return known

    def read(self, entries: Sequence[Entry]) -> Iterator[bytes | Exception]:
        """Read them as they are encoded."""
        tfds, builder = _tfds(), self._builder()
        for split in dict.fromkeys(entry.location[0] for entry in entries):
            numbers = [entry.location[1] for entry in entries if entry.location[0] == split]
            examples = builder.as_dataset(
                split=tfds.core.ReadInstruction(split, from_=numbers[0], to=numbers[-1] + 1, unit="abs"),
                decoders={"image": tfds.decode.SkipDecoding()},
                shuffle_files=False,
            )
            for example in examples:
                yield example["image"].numpy()

    def _builder(self) -> Any:
        tfds = _tfds()
        try:
            builder = tfds.builder(self.dataset, data_dir=self.root)
            builder.download_and_prepare()
        except Exception as error:  # of any kind: a data set is a program of its own
            raise DataError(f"data.dataset={self.dataset} cannot be had: {' '.join(str(error).split())}") from error
        return builder


def _split_rule(names: Sequence[str]) -> SplitRule:
    if len(names) == 1:
        return SplitRule(f"{names[0]} is the only split that has photographs, and contents decide")
    evaluating = evaluation_folder(names)
    assert evaluating is not None
    reason = f"the split {evaluating} evaluates, train trains"
    return SplitRule(reason, splits={evaluating: EVALUATION}, others=TRAIN)


def _tfds() -> Any:
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()  # without what it prints
    try:
        import tensorflow_datasets as tfds
    except ImportError:
        raise ConfigError('data=tfds needs TensorFlow Datasets: pip install "ablate[tfds]"') from None
    tfds.disable_progress_bar()
    logging.getLogger("absl").setLevel(logging.ERROR)  # it logs where it looked before it found
    return tfds
