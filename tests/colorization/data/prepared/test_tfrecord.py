import numpy as np
import pytest
import tensorflow as tf

from ablate.colorization.data.prepared.tfrecord import DamagedRecord, decode_record, encode_record

FEATURES = [
    {"pixels": bytes(range(256)) * 3, "height": 16, "width": 16, "name": "näme".encode(), "digest": b"\0" * 32},
    {"pixels": b"", "height": 0, "width": 2**40, "negative": -5},
]


def test_tensorflow_reads_the_records(tmp_path):
    file = tmp_path / "a.tfrecord"
    file.write_bytes(b"".join(map(encode_record, FEATURES)))
    read = [tf.train.Example.FromString(payload.numpy()) for payload in tf.data.TFRecordDataset(str(file))]
    assert len(read) == len(FEATURES)
    for example, features in zip(read, FEATURES, strict=True):
        found = example.features.feature
        assert set(found) == set(features)
        for name, value in features.items():
            kind = found[name].bytes_list if isinstance(value, bytes) else found[name].int64_list
            assert list(kind.value) == [value]


def test_records_of_tensorflow_are_read(tmp_path):
    file = tmp_path / "a.tfrecord"
    features = {
        "pixels": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"abc"])),
        "height": tf.train.Feature(int64_list=tf.train.Int64List(value=[7])),
    }
    with tf.io.TFRecordWriter(str(file)) as writer:
        writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    assert decode_record(file.read_bytes()) == {"pixels": b"abc", "height": 7}


@pytest.mark.parametrize("features", FEATURES)
def test_a_record_is_read_as_it_was_written(features):
    assert decode_record(encode_record(features)) == features
    assert encode_record(dict(reversed(features.items()))) == encode_record(features)


def test_no_changed_byte_goes_unseen():
    data = encode_record(FEATURES[0])
    for place in np.random.default_rng(0).choice(len(data), 200, replace=False):
        damaged = bytearray(data)
        damaged[place] ^= 1
        with pytest.raises(DamagedRecord):
            decode_record(bytes(damaged))
    for size in (0, 5, 15, len(data) - 1):
        with pytest.raises(DamagedRecord):
            decode_record(data[:size])
