"""Sources of examples: their order, their fingerprints, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ablate.errors import DataError
from ablate.tasks.batches import example_digests
from ablate.tasks.fingerprint import fingerprint
from ablate.tasks.sources import ArraySource, source_of
from ablate.tasks.streams import shuffled

X, Y = np.arange(22, dtype=np.float32).reshape(11, 2), np.arange(11)


class Batches(keras.utils.PyDataset):
    """Four batches of the examples."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, place: int):
        return X[3 * place : 3 * place + 3], Y[3 * place : 3 * place + 3]


def sources() -> dict:
    return {
        "arrays": ArraySource(X, Y, "data()"),
        "dictionaries": ArraySource({"a": X, "b": X[:, :1]}, {"y": Y}, "data()"),
        "items": source_of(list(zip(X, Y, strict=True)), shuffle_buffer=100),
        "tf.data": source_of(tf.data.Dataset.from_tensor_slices((X, Y)), shuffle_buffer=100),
        "PyDataset": source_of(Batches(), shuffle_buffer=100),
    }


def batches(source, seed: int = 1, first_step: int = 0, steps: int = 9, augment=None) -> list:
    stream = source.batches(seed=seed, batch_size=3, first_step=first_step, steps=steps, augment=augment)
    return [tf.nest.flatten(batch) for batch in stream.as_numpy_iterator()]


def same(one: list, other: list) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a, b) for mine, its in zip(one, other, strict=True) for a, b in zip(mine, its, strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", list(sources()))
def test_any_part_of_the_stream_is_the_same(name: str) -> None:
    source = sources()[name]
    assert len(source) == 11
    whole = batches(source)
    assert len(whole) == 9
    for first in (1, 4, 8):
        assert same(batches(source, first_step=first, steps=9 - first), whole[first:])
    assert not same(batches(source, seed=2), whole)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["arrays", "items", "tf.data"])
def test_a_pass_has_every_example_once_and_the_next_another_order(name: str) -> None:
    # 11 batches of three are three passes.
    order = np.concatenate([batch[1] for batch in batches(sources()[name], steps=11)]).reshape(3, 11)
    assert np.sort(order, axis=1).tolist() == [list(range(11))] * 3
    assert len({tuple(one) for one in order.tolist()}) == 3


def test_the_batches_of_a_pydataset_stay() -> None:
    found = batches(sources()["PyDataset"], steps=4)
    assert sorted(batch[1].tolist() for batch in found) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]


@pytest.mark.slow
@pytest.mark.parametrize("name", list(sources()))
def test_augmentation_depends_on_seed_and_step_alone(name: str) -> None:
    def shift(x, y, rng):
        return tf.nest.map_structure(lambda values: values + rng.integers(1000), x), y

    source = sources()[name]
    whole = batches(source, augment=shift, steps=4)
    assert same(batches(source, augment=shift, first_step=2, steps=2), whole[2:])
    assert not same(whole, batches(source, steps=4))


@pytest.mark.parametrize("name", list(sources()))
def test_contents_decide_on_fingerprints(name: str) -> None:
    one, two = sources()[name], sources()[name]
    assert one.fingerprint() == two.fingerprint()
    assert one.digests() == two.digests()
    assert len(set(one.digests())) == 11
    in_order = list(one.in_order())
    assert sum(len(np.ravel(tf.nest.flatten(batch)[-1])) for batch in in_order) == 11


@pytest.mark.parametrize(
    "other",
    [X.astype(np.float64), X[::-1], X + 1, X.reshape(11, 1, 2)],
)
def test_another_type_order_value_or_shape_is_another_content(other: np.ndarray) -> None:
    assert fingerprint(X) != fingerprint(other)
    assert ArraySource(other, Y, "").fingerprint() != ArraySource(X, Y, "").fingerprint()


def test_digests_do_not_depend_on_how_examples_come() -> None:
    found = sources()
    assert found["arrays"].digests() == found["items"].digests() == found["tf.data"].digests()
    assert example_digests(X, Y) == found["PyDataset"].digests()


def test_text_may_be_objects_as_pandas_has_it() -> None:
    source = ArraySource(np.array(["one", "three"], dtype=object), Y[:2], "data()")
    assert source.inputs.dtype.kind == "U"


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, Y[:-1], r"as many examples. Received: x \(11, 2\) and y \(10,\)"),
        ({"a": X, "b": X[1:]}, Y, "as many examples"),
        (X[:0], Y[:0], "there are no examples"),
        ([[1], [1, 2]], [0, 1], "must hold NumPy arrays"),
        (None, Y, "must hold NumPy arrays"),
        (np.array([1, "a", None], dtype=object), Y[:3], "Python objects"),
        (np.array([1, 2.5, 3], dtype=object), Y[:3], "numbers as Python objects"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(x: object, y: object, message: str) -> None:
    with pytest.raises((DataError, ValueError), match=message):
        ArraySource(x, y, "data()")


@pytest.mark.parametrize("data", [(pair for pair in []), 3, None, iter([1])])
def test_data_without_a_length_are_refused(data: object) -> None:
    with pytest.raises(DataError, match="sources with a length"):
        source_of(data, shuffle_buffer=10)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([(x, y, 1.0) for x, y in zip(X, Y, strict=True)], r"item 0 must be \(input, target\). Received: tuple of 3"),
        (list(X), "Received: ndarray"),
        ((X, Y), "Received: ndarray"),
        ([(X[: 1 + i], Y[i]) for i in range(3)], "examples must have one shape"),
        (tf.data.Dataset.from_tensor_slices((X, Y, Y)), "an element must be .* Received: tuple of 3"),
        (tf.data.Dataset.from_tensor_slices({"x": X, "y": Y}), "Received: dict of 2"),
        (tf.data.Dataset.from_tensor_slices((X, Y)).batch(4).prefetch(1), "is batched: leave batch"),
        (tf.data.Dataset.from_tensor_slices((X[:0], Y[:0])), "there are no examples"),
    ],
)
def test_elements_that_are_no_examples_are_refused(data: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        source_of(data, shuffle_buffer=4).some(4).digests()


def test_an_endless_stream_is_refused() -> None:
    with pytest.raises(DataError, match="must be finite"):
        len(source_of(tf.data.Dataset.from_tensor_slices((X, Y)).repeat(), shuffle_buffer=10))


def test_of_a_filtered_stream_the_length_is_counted() -> None:
    even = tf.data.Dataset.from_tensor_slices((X, Y)).filter(lambda x, y: y % 2 == 0)
    assert len(source_of(even, shuffle_buffer=10)) == 6


def test_positions_of_a_stream() -> None:
    whole = shuffled(3, np.arange(25), 10)
    assert np.array_equal(shuffled(3, np.arange(7, 25), 10), whole[7:])
    assert sorted(whole[10:20].tolist()) == list(range(10))


def test_augmentation_in_place_leaves_the_batches_of_a_pydataset_alone() -> None:
    data = np.ones((8, 2), dtype=np.float32)

    class Views(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, place: int):
            return data[4 * place : 4 * place + 4], np.zeros(4)

    def add(x, y, rng):
        x += 1
        return x, y

    source = source_of(Views(), shuffle_buffer=1)
    batches = source.batches(seed=0, batch_size=4, first_step=0, steps=2, augment=add)
    assert all((x.numpy() == 2).all() for x, _ in batches)
    assert (data == 1).all()


@pytest.mark.parametrize("count", [3, 10, 99])
def test_some_examples_are_among_all(count: int) -> None:
    pairs = [(np.array([float(place)]), np.int64(place)) for place in range(10)]
    dataset = tf.data.Dataset.range(10).map(lambda place: (tf.cast(place, tf.float32)[None], place))
    arrays = ArraySource(np.arange(10.0)[:, None], np.arange(10), "data()")
    for source in (arrays, source_of(pairs, shuffle_buffer=10), source_of(dataset, shuffle_buffer=10)):
        some = source.some(count)
        assert 1 <= len(some) <= min(count, 10)
        assert set(some.digests()) <= set(source.digests())
