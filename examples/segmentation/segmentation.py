"""Discs found in noise, pixel by pixel, by a small U-Net."""

import numpy as np

from ablate import DatasetTask, Measure, SetMeasure

SIDE = 24


class Discs:
    """Pictures of discs in noise, made when they are asked for; items are (picture, mask of the discs)."""

    def __init__(self, first, count):
        self.first, self.count = first, count

    def __len__(self):
        return self.count

    def __getitem__(self, place):
        random = np.random.default_rng(self.first + place)
        rows, columns = np.mgrid[:SIDE, :SIDE]
        mask = np.zeros((SIDE, SIDE), bool)
        for _ in range(3):
            row, column = random.integers(SIDE, size=2)
            mask |= np.hypot(rows - row, columns - column) <= random.uniform(2, 5)
        picture = 0.3 + 0.4 * mask + random.normal(0, 0.25, mask.shape)
        return picture[..., None].astype("float32"), mask[..., None].astype("float32")


def iou(y, p):
    """Return the intersection over union of each picture's discs, in %."""
    found, true = p[..., 0] > 0.5, y[..., 0] > 0.5
    return 100.0 * (found & true).sum((1, 2)) / np.maximum((found | true).sum((1, 2)), 1)


def iou_of_all(y, p):
    """Return the intersection over union of the pixels of all pictures, in %."""
    return 100.0 * ((p > 0.5) & (y > 0.5)).sum() / max(((p > 0.5) | (y > 0.5)).sum(), 1)


class Segmentation(DatasetTask):
    example = "picture"
    measures = {
        "iou": Measure("IoU", "%", "higher", iou),
        "iou_of_all": SetMeasure("IoU of all pixels", "%", "higher", iou_of_all),
    }

    @property
    def loss(self):
        return self.config.loss.name

    def data(self):
        return Discs(0, 800), Discs(800, 200)

    def augment(self, x, y, rng):
        if not self.config.augmentation.flip:
            return x, y
        flip = rng.random(len(x)) < 0.5
        return tuple(np.where(flip[:, None, None, None], each[:, :, ::-1], each) for each in (x, y))

    def model(self):
        from keras import Input, Model, layers

        def block(values, filters):
            for _ in range(2):
                values = layers.Conv2D(filters, 3, padding="same", activation="relu")(values)
            return values

        given = Input((SIDE, SIDE, 1))
        fine = block(given, 8)
        middle = block(layers.MaxPooling2D()(fine), 16)
        values = block(layers.MaxPooling2D()(middle), 32)
        for skipped, filters in ((middle, 16), (fine, 8)):
            values = layers.UpSampling2D()(values)
            if self.config.skip.connections:
                values = layers.Concatenate()([values, skipped])
            values = block(values, filters)
        return Model(given, layers.Conv2D(1, 1, activation="sigmoid")(values))

    def pictures(self, x, y, prediction):
        return {"given": x, "truth": y, "output": prediction}
