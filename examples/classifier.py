"""A small classifier of photographs, for `evaluation.classifier=FILE.keras`: are coloured photographs recognised?

    python examples/classifier.py DIR --out classifier.keras

`DIR/train` has a folder of photographs for each class, as Tiny ImageNet has; `DIR/val` may have the same and measures.
Beside the network, which takes sRGB in 0..255, `classifier.json` gets the names of the classes in the order of the
outputs. Train it on photographs that no study evaluates on.
"""

import argparse
import json
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers


def photographs(folder: Path, side: int, batch: int, *, shuffle: bool) -> tf.data.Dataset:
    """Read a folder of a folder for each class: batches of (n, side, side, 3) in 0..255, and the classes' numbers."""
    return keras.utils.image_dataset_from_directory(
        folder, image_size=(side, side), crop_to_aspect_ratio=True, batch_size=batch, shuffle=shuffle, seed=0
    )


def network(classes: int, side: int, width: int) -> keras.Model:
    """Return a plain convolutional network."""
    inputs = keras.Input((side, side, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = layers.RandomFlip("horizontal", seed=0)(x)
    for filters in (width, 2 * width, 4 * width, 8 * width):
        for strides in (1, 2):
            x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Dropout(0.3, seed=0)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(classes)(x))


def main() -> None:
    """Train, measure and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("classifier.keras"))
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--width", type=int, default=32, help="filters of the first layers")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    options = parser.parse_args()

    keras.utils.set_random_seed(0)
    train = photographs(options.folder / "train", options.side, options.batch, shuffle=True)
    held_out = options.folder / "val"
    validation = photographs(held_out, options.side, options.batch, shuffle=False) if held_out.is_dir() else None
    model = network(len(train.class_names), options.side, options.width)
    decay = keras.optimizers.schedules.PolynomialDecay(3e-3, options.epochs * len(train), end_learning_rate=0.0)
    model.compile(
        keras.optimizers.AdamW(decay, weight_decay=1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(train, validation_data=validation, epochs=options.epochs)
    model.save(options.out)
    options.out.with_suffix(".json").write_text(json.dumps(train.class_names, indent=1) + "\n")


if __name__ == "__main__":
    main()
