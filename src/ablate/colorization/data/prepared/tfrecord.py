"""TFRecords of `tf.train.Example`s, encoded and decoded without TensorFlow.

A record is its length, the checksum of that, the serialised example, and its checksum (TensorFlow,
`tensorflow/core/lib/io/record_writer.h`). `tf.data.TFRecordDataset` and `tf.io.parse_single_example` read them.
"""

import struct
from collections.abc import Mapping
from typing import Any

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
_HEAD = _LENGTH.size + _CHECKSUM.size


class DamagedRecord(Exception):
    """A record is not what was written."""


def _example_class() -> Any:
    """Return the class of `tf.train.Example` (tensorflow/core/example/*.proto), in a registry of its own."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, int, str | None, bool]) -> descriptor_pb2.DescriptorProto:
        made = file.message_type.add(name=name)
        for label, number, kind, of, repeated in fields:
            made.field.add(
                name=label,
                number=number,
                type=kind,
                type_name=of and f".tensorflow.{of}",
                label=field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL,
            )
        return made

    message("BytesList", ("value", 1, field.TYPE_BYTES, None, True))
    message("FloatList", ("value", 1, field.TYPE_FLOAT, None, True))
    message("Int64List", ("value", 1, field.TYPE_INT64, None, True))
    lists = (("bytes_list", "BytesList"), ("float_list", "FloatList"), ("int64_list", "Int64List"))
    feature = message(
        "Feature", *((label, place, field.TYPE_MESSAGE, of, False) for place, (label, of) in enumerate(lists, 1))
    )
    feature.oneof_decl.add(name="kind")
    for one in feature.field:
        one.oneof_index = 0
    features = message("Features", ("feature", 1, field.TYPE_MESSAGE, "Features.FeatureEntry", True))
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    entry.field.add(
        name="value", number=2, type=field.TYPE_MESSAGE, type_name=".tensorflow.Feature", label=field.LABEL_OPTIONAL
    )
    message("Example", ("features", 1, field.TYPE_MESSAGE, "Features", False))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


_Example = _example_class()


def encode_record(features: Mapping[str, bytes | int]) -> bytes:
    """Return a record that holds an example: the same bytes for the same features."""
    example = _Example()
    for name, value in features.items():
        if isinstance(value, bytes):
            example.features.feature[name].bytes_list.value.append(value)
        else:
            example.features.feature[name].int64_list.value.append(value)
    payload = example.SerializeToString(deterministic=True)
    length = _LENGTH.pack(len(payload))
    return b"".join((length, _masked(length), payload, _masked(payload)))


def decode_record(data: bytes) -> dict[str, Any]:
    """Return the features of a record.

    Raises:
        DamagedRecord: Its checksum is another.
    """
    payload = data[_HEAD : -_CHECKSUM.size]
    if _masked(data[: _LENGTH.size]) != data[_LENGTH.size : _HEAD] or _masked(payload) != data[-_CHECKSUM.size :]:
        raise DamagedRecord
    try:
        found = _Example.FromString(payload).features.feature
    except DecodeError:
        raise DamagedRecord from None
    return {
        name: feature.bytes_list.value[0] if feature.HasField("bytes_list") else feature.int64_list.value[0]
        for name, feature in found.items()
    }


def _masked(data: bytes) -> bytes:
    """Return the CRC-32C of data, rotated and shifted as the format says."""
    checksum = google_crc32c.value(data)
    return _CHECKSUM.pack(((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF)
