"""Which photographs train and which evaluate, as the folders that they are in say, and why. No TensorFlow."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ablate.colorization.data.file_names import SUFFIXES
from ablate.errors import DataError

TRAIN = "train"
EVALUATING = ("val", "valid", "validation", "test")
"""Folders whose photographs evaluate, whether in capitals or not: the first of them that there is."""
IGNORED, HELD_OUT = "ignored", "held out"
"""The part of what neither trains nor evaluates, and which of that was meant to be held out."""


@dataclass(frozen=True)
class Split:
    """Which photographs train and which evaluate.

    Attributes:
        why: In words.
        root: The folder that holds all photographs, with a `/` at its end; or nothing.
        parts: `train`, `eval` or `IGNORED` by the name of a folder right below the root, in small letters.
        others: The part of all others; None where contents decide.
        doubtful: Whether the folders look as if something else was meant.
    """

    why: str
    root: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    others: str | None = None
    doubtful: bool = False

    def part(self, name: str) -> str | None:
        """Return the part of a photograph; None where its contents decide."""
        return self.part_of_folder(_top(name, self.root))

    def part_of_folder(self, folder: str) -> str | None:
        """Return the part of the photographs in a folder right below the root."""
        return self.parts.get(folder.lower(), self.others)


def split_by_folder(names: Sequence[str], beside: Iterable[str], *, eval_fraction: float, place: str) -> Split:
    """Tell from the folders of photographs which of them evaluate.

    The first of `EVALUATING` right below the folder that holds all photographs evaluates; others of them are held out.
    A folder `train` beside it trains alone, else all others do. Without such a folder, contents decide.

    Args:
        names: Of all photographs, see `names.plain`.
        beside: Names of the other files.
        eval_fraction: Share of the photographs that evaluate where contents decide.
        place: What is split, for messages.

    Raises:
        DataError: No photograph is left to train on.
    """
    root = common_root(names)
    counts = Counter(_top(name, root) for name in names)
    empty = {_top(name, root) for name in beside if name.startswith(root)}.difference(counts)
    remarks = [
        f"{root}{folder} holds no photographs ({', '.join(SUFFIXES)})"
        for folder in sorted(empty)
        if folder.lower() in (TRAIN, *EVALUATING)
    ]
    if preferred(counts) is None:
        return _by_contents(names, root, remarks, eval_fraction)
    split = _by_folder(counts, root, remarks)
    if not any(split.part_of_folder(folder) == "train" for folder in counts):
        raise DataError(
            f"{place} has no photograph to train on: {split.why}. Where a folder is given as data.root itself, or has "
            "another name, its photographs' contents decide"
        )
    return split


def _by_contents(names: Iterable[str], root: str, remarks: Sequence[str], eval_fraction: float) -> Split:
    asked = f"{', '.join(EVALUATING[:-1])} or {EVALUATING[-1]}{f' in {root[:-1]}' if root else ''}"
    chosen = f"no folder {asked}: {100 * eval_fraction:g} % of the photographs evaluate, chosen by their contents"
    deeper = next((found for name in names if (found := _deeper(name, root))), None)
    ordinary = [f"{deeper} lies deeper, and is a folder like any other"] if deeper else []
    return Split("; ".join([chosen, *ordinary, *remarks]), root, doubtful=bool(ordinary or remarks))


def _by_folder(counts: Mapping[str, int], root: str, remarks: Sequence[str]) -> Split:
    evaluating = preferred(counts)
    assert evaluating is not None
    training = [folder for folder in counts if folder.lower() == TRAIN]
    held_out = [folder for folder in counts if folder.lower() in EVALUATING and folder.lower() != evaluating]
    parts = {TRAIN: "train", **dict.fromkeys(EVALUATING, IGNORED), evaluating: "eval"}
    split = Split("", root, parts, IGNORED if training else "train", bool(remarks))
    of_part = Counter[str | None]()
    for folder, count in counts.items():
        of_part[HELD_OUT if folder in held_out else split.part_of_folder(folder)] += count
    evaluates = _named(root, [folder for folder in counts if folder.lower() == evaluating], "evaluate")
    trains = _named(root, training, "train") if training else "all others train"
    said = [f"{evaluates} ({of_part['eval']:,}), {trains} ({of_part['train']:,})"]
    if held_out:
        said.append(f"{_named(root, held_out)} ({of_part[HELD_OUT]:,}) held out: neither trains nor evaluates")
    if of_part[IGNORED]:
        said.append(f"of all others ({of_part[IGNORED]:,}) none trains or evaluates")
    return replace(split, why="; ".join([*said, *remarks]))


def _named(root: str, folders: Sequence[str], verb: str = "") -> str:
    named = " and ".join(f"{root}{folder}" for folder in sorted(folders))
    return f"{named} {verb}{'s' if len(folders) == 1 else ''}" if verb else named


def common_root(names: Sequence[str]) -> str:
    """Return the folder that holds all photographs, with a `/` at its end; or nothing.

    A folder that is called as a part is no root but that part; unless such a folder is inside, `train` and another one
    where it is `train` itself.
    """
    if not names:
        return ""
    first, last = min(names), max(names)
    same = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    folders = first[:same].split("/")[:-1]
    whole = _joined(folders)
    words = [folder.lower() for folder in folders]
    around = TRAIN if TRAIN in words else preferred(words)
    inside = {_top(name, whole).lower() for name in names}
    if around is None or (preferred(inside) and (around != TRAIN or TRAIN in inside)):
        return whole
    return _joined(folders[: words.index(around)])


def preferred(names: Iterable[str]) -> str | None:
    """Return the first of `EVALUATING` that is among some names, in capitals or not."""
    there = {name.lower() for name in names}
    return next((word for word in EVALUATING if word in there), None)


def _top(name: str, root: str) -> str:
    """Return the folder right below the root that holds a file; nothing if it lies in the root itself."""
    folder, slash, _ = name[len(root) :].partition("/")
    return folder if slash else ""


def _joined(folders: Sequence[str]) -> str:
    return "".join(f"{folder}/" for folder in folders)


def _deeper(name: str, root: str) -> str | None:
    """Return the outermost folder of a photograph that is called as one that evaluates."""
    folders = name.split("/")[:-1]
    places = range(root.count("/"), len(folders))
    return next(("/".join(folders[: place + 1]) for place in places if preferred([folders[place]])), None)
