"""The split into training and evaluation photographs: by their folders, or else by their contents. No TensorFlow."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ablate.colorization.data.file_names import SUFFIXES
from ablate.errors import DataError

TRAIN, EVALUATION = "train", "eval"
"""The splits, as fingerprints and prepared data sets call them."""
SPLITS = (TRAIN, EVALUATION)
UNUSED, HELD_OUT = "unused", "held out"
"""What neither trains nor evaluates, and which of that lies in a folder that could have evaluated."""
TRAINING_FOLDER = "train"
EVALUATION_FOLDERS = ("val", "valid", "validation", "test")
"""Folders whose photographs evaluate, whether in capitals or not: the first of them that there is."""


@dataclass(frozen=True)
class SplitRule:
    """The rule that tells the split of a photograph from its name.

    Attributes:
        reason: The rule in words.
        root: The folder that holds all photographs, with a `/` at its end; or nothing.
        splits: `TRAIN`, `EVALUATION` or `UNUSED` by the name of a folder right below the root, in small letters.
        others: The split of all others; None where contents decide.
        doubtful: Whether the folders look as if something else was meant.
    """

    reason: str
    root: str = ""
    splits: Mapping[str, str] = field(default_factory=dict)
    others: str | None = None
    doubtful: bool = False

    def split_of(self, name: str) -> str | None:
        """Return the split of a photograph; None where its contents decide."""
        return self.split_of_folder(_top(name, self.root))

    def split_of_folder(self, folder: str) -> str | None:
        """Return the split of the photographs in a folder right below the root."""
        return self.splits.get(folder.lower(), self.others)


def split_by_content(digest: str, eval_fraction: float) -> str:
    """Return the split of a file by where in 0..1 its contents fall: its name and the other files do not matter."""
    return EVALUATION if int(digest[:13], 16) / 16**13 < eval_fraction else TRAIN


def only_evaluation_digest(files: Iterable[tuple[str, str]]) -> str | None:
    """Return the one digest that evaluates where contents put a handful of files on one side.

    Args:
        files: The split that its contents chose and the digest, of each file.

    Returns:
        The lowest digest; None where both sides have files, or all files have the same contents.
    """
    splits, digests = set[str](), set[str]()
    for split, digest in files:
        splits.add(split)
        digests.add(digest)
        if len(splits) > 1:
            return None
    return min(digests) if len(digests) > 1 else None


def split_by_folder(
    names: Sequence[str], other_files: Iterable[str], *, eval_fraction: float, label: str
) -> SplitRule:
    """Tell from the folders of photographs which of them evaluate.

    The first of `EVALUATION_FOLDERS` right below the folder that holds all photographs evaluates; others of them are
    held out. A folder `train` beside it trains alone, else all others do. Without such a folder, contents decide.

    Args:
        names: Of all photographs, see `file_names.normalized_name`.
        other_files: Names of the files that are no photographs.
        eval_fraction: Share of the photographs that evaluate where contents decide.
        label: What is split, for messages.

    Raises:
        DataError: No photograph is left to train on.
    """
    root = common_root(names)
    counts = Counter(_top(name, root) for name in names)
    empty = {_top(name, root) for name in other_files if name.startswith(root)}.difference(counts)
    remarks = [
        f"{root}{folder} holds no photographs ({', '.join(SUFFIXES)})"
        for folder in sorted(empty)
        if folder.lower() in (TRAINING_FOLDER, *EVALUATION_FOLDERS)
    ]
    if evaluation_folder(counts) is None:
        return _rule_by_contents(names, root, remarks, eval_fraction)
    rule = _rule_by_folder(counts, root, remarks)
    if not any(rule.split_of_folder(folder) == TRAIN for folder in counts):
        raise DataError(
            f"{label} has no photograph to train on: {rule.reason}. Where a folder is given as data.root itself, or "
            "has another name, its photographs' contents decide"
        )
    return rule


def _rule_by_contents(names: Iterable[str], root: str, remarks: Sequence[str], eval_fraction: float) -> SplitRule:
    asked = f"{', '.join(EVALUATION_FOLDERS[:-1])} or {EVALUATION_FOLDERS[-1]}{f' in {root[:-1]}' if root else ''}"
    chosen = f"no folder {asked}: {100 * eval_fraction:g} % of the photographs evaluate, chosen by their contents"
    deeper = next((found for name in names if (found := _deeper(name, root))), None)
    ordinary = [f"{deeper} lies deeper, and is a folder like any other"] if deeper else []
    return SplitRule("; ".join([chosen, *ordinary, *remarks]), root, doubtful=bool(ordinary or remarks))


def _rule_by_folder(counts: Mapping[str, int], root: str, remarks: Sequence[str]) -> SplitRule:
    evaluating = evaluation_folder(counts)
    assert evaluating is not None
    training = [folder for folder in counts if folder.lower() == TRAINING_FOLDER]
    held_out = [folder for folder in counts if folder.lower() in EVALUATION_FOLDERS and folder.lower() != evaluating]
    splits = {TRAINING_FOLDER: TRAIN, **dict.fromkeys(EVALUATION_FOLDERS, UNUSED), evaluating: EVALUATION}
    rule = SplitRule("", root, splits, UNUSED if training else TRAIN, bool(remarks))
    by_split = Counter[str | None]()
    for folder, count in counts.items():
        by_split[HELD_OUT if folder in held_out else rule.split_of_folder(folder)] += count
    evaluates = _listed(root, [folder for folder in counts if folder.lower() == evaluating], "evaluate")
    trains = _listed(root, training, "train") if training else "all others train"
    reasons = [f"{evaluates} ({by_split[EVALUATION]:,}), {trains} ({by_split[TRAIN]:,})"]
    if held_out:
        reasons.append(f"{_listed(root, held_out)} ({by_split[HELD_OUT]:,}) held out: neither trains nor evaluates")
    if by_split[UNUSED]:
        reasons.append(f"of all others ({by_split[UNUSED]:,}) none trains or evaluates")
    return replace(rule, reason="; ".join([*reasons, *remarks]))


def _listed(root: str, folders: Sequence[str], verb: str = "") -> str:
    names = " and ".join(f"{root}{folder}" for folder in sorted(folders))
    return f"{names} {verb}{'s' if len(folders) == 1 else ''}" if verb else names


def common_root(names: Sequence[str]) -> str:
    """Return the folder that holds all photographs, with a `/` at its end; or nothing.

    A folder that is called as a split is no root but that split; unless such a folder is inside, `train` and another
    one where it is `train` itself.
    """
    if not names:
        return ""
    first, last = min(names), max(names)
    same = next((index for index, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    folders = first[:same].split("/")[:-1]
    whole = _joined(folders)
    words = [folder.lower() for folder in folders]
    around = TRAINING_FOLDER if TRAINING_FOLDER in words else evaluation_folder(words)
    inside = {_top(name, whole).lower() for name in names}
    if around is None or (evaluation_folder(inside) and (around != TRAINING_FOLDER or TRAINING_FOLDER in inside)):
        return whole
    return _joined(folders[: words.index(around)])


def evaluation_folder(names: Iterable[str]) -> str | None:
    """Return the first of `EVALUATION_FOLDERS` that is among some names, in capitals or not."""
    there = {name.lower() for name in names}
    return next((word for word in EVALUATION_FOLDERS if word in there), None)


def _top(name: str, root: str) -> str:
    """Return the folder right below the root that holds a file; nothing if it lies in the root itself."""
    folder, slash, _ = name[len(root) :].partition("/")
    return folder if slash else ""


def _joined(folders: Sequence[str]) -> str:
    return "".join(f"{folder}/" for folder in folders)


def _deeper(name: str, root: str) -> str | None:
    """Return the outermost folder of a photograph that is called as one that evaluates."""
    folders = name.split("/")[:-1]
    levels = range(root.count("/"), len(folders))
    return next(("/".join(folders[: level + 1]) for level in levels if evaluation_folder([folders[level]])), None)
