"""Pickles as PyTorch writes them, understood without unpickling: nothing that a file names is imported or called.

`pickletools` splits a pickle into its opcodes. The two dozen that `torch.save` writes for a dictionary of tensors
build plain dictionaries, lists, tuples and the records below; any other one, and any other name, is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

_MOST_OPCODES = 100_000


@dataclass(frozen=True)
class Name:
    """A class or a function that a pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"[:80]


@dataclass(frozen=True)
class StorageId:
    """What a pickle calls a storage: the type of its numbers, its key in the file, and how many numbers it has."""

    dtype: str
    key: str
    numel: int


@dataclass(frozen=True)
class TensorId:
    """A tensor in a storage; offset and strides in numbers."""

    storage: StorageId
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


_STORAGES = {
    Name("torch", f"{prefix}Storage"): dtype
    for prefix, dtype in (
        *(("Double", "float64"), ("Float", "float32"), ("Half", "float16"), ("BFloat16", "bfloat16")),
        ("Long", "int64"),
    )
}
_ORDERED_DICT = Name("collections", "OrderedDict")
_TENSOR = Name("torch._utils", "_rebuild_tensor_v2")
_PARAMETER = Name("torch._utils", "_rebuild_parameter")
_ALLOWED = {_ORDERED_DICT, _TENSOR, _PARAMETER, *_STORAGES}

_VALUES = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()


def read_pickle(stream: BinaryIO) -> Any:
    """Read one pickle.

    Args:
        stream: Read up to the pickle's end.

    Returns:
        What it holds, with a `TensorId` for every tensor.

    Raises:
        ValueError: It is damaged, or has more in it than a dictionary of tensors takes.
    """
    machine = _Machine()
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if number > _MOST_OPCODES:
                raise ValueError(f"its pickle has more than {_MOST_OPCODES:,} steps")
            if opcode.name == "STOP":
                return machine.stack.pop()
            machine.step(opcode.name, argument)
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"its pickle is damaged ({type(error).__name__})") from None
    raise ValueError("its pickle has no end")


class _Machine:
    """The stack and the memo of a pickle that is being read."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: Any) -> None:
        if opcode in _VALUES:
            self.stack.append(argument)
        elif opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode])
        elif opcode in _TUPLES:
            number = _TUPLES[opcode]
            self.stack[-number:] = [tuple(self.stack[-number:])]
        elif opcode in _STEPS:
            _STEPS[opcode](self, argument)
        elif opcode != "PROTO":
            raise ValueError(f"its pickle has the opcode {opcode}, which torch.save does not write for weights")

    def name(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        found = Name(module, name)
        if found not in _ALLOWED:
            raise ValueError(f"its pickle calls {found}, which no weights need. Nothing of it was executed")
        self.stack.append(found)

    def since_mark(self) -> list[Any]:
        start = len(self.stack) - 1
        while self.stack[start] is not _MARK:
            start -= 1
        items = self.stack[start + 1 :]
        del self.stack[start:]
        return items

    def call(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if function == _ORDERED_DICT and arguments == ():
            self.stack.append({})
        elif function == _TENSOR:
            self.stack.append(_tensor(*arguments[:4]))
        elif function == _PARAMETER and isinstance(arguments[0], TensorId):
            self.stack.append(arguments[0])
        else:
            raise ValueError("its pickle calls something in a way that torch.save does not")

    def persistent(self) -> None:
        kind, dtype, key, _, numel, *view = self.stack.pop()
        # Types first: to hash, compare or print nested tuples that share their parts can take for ever.
        if (
            type(kind) is not str
            or kind != "storage"
            or view not in ([], [None])
            or type(key) is not str
            or type(numel) is not int
        ):
            raise ValueError("its pickle names something else than the numbers of a tensor")
        if not isinstance(dtype, Name) or dtype not in _STORAGES:
            raise ValueError("its pickle has numbers of a type that is none")
        self.stack.append(StorageId(_STORAGES[dtype], key, numel))

    def set_items(self, items: list[Any]) -> None:
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not str and type(key) is not int:
                raise ValueError(f"its pickle has a dictionary with keys of the type {type(key).__name__}")
            self.dictionary()[key] = value

    def dictionary(self) -> dict[Any, Any]:
        found = self.stack[-1]
        if type(found) is not dict:
            raise ValueError(f"its pickle sets items of a {type(found).__name__}")
        return found

    def build(self) -> None:
        """Leave out the attributes of a dictionary: versions of modules."""
        self.stack.pop()
        self.dictionary()


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> TensorId:
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, StorageId) or any(type(each) is not int or each < 0 for each in numbers):
        raise ValueError("its pickle describes a tensor that cannot be")
    if len(shape) != len(strides) or len(shape) > 8:
        raise ValueError(f"its pickle has a tensor with {len(shape)} sides and {len(strides)} strides")
    return TensorId(storage, offset, tuple(shape), tuple(strides))


_STEPS: dict[str, Callable[[_Machine, Any], Any]] = {
    "GLOBAL": _Machine.name,
    "REDUCE": lambda machine, _: machine.call(),
    "BINPERSID": lambda machine, _: machine.persistent(),
    "BUILD": lambda machine, _: machine.build(),
    "MARK": lambda machine, _: machine.stack.append(_MARK),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "APPEND": lambda machine, _: machine.stack[-2].append(machine.stack.pop()),
    "APPENDS": lambda machine, _: (items := machine.since_mark(), machine.stack[-1].extend(items)),
    "SETITEM": lambda machine, _: machine.set_items([machine.stack.pop(-2), machine.stack.pop()]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "BINPUT": lambda machine, index: machine.memo.__setitem__(index, machine.stack[-1]),
    "LONG_BINPUT": lambda machine, index: machine.memo.__setitem__(index, machine.stack[-1]),
    "BINGET": lambda machine, index: machine.stack.append(machine.memo[index]),
    "LONG_BINGET": lambda machine, index: machine.stack.append(machine.memo[index]),
}
