"""The rooms of `src/ablate` and their imports: writes the table and the picture of docs/architecture.md.

python docs/architecture.py            # after a change of the tree
python docs/architecture.py --check    # in `make lint`: the table must be what the imports say
"""

import ast
import sys
import tomllib
from pathlib import Path

import grimp
import matplotlib
from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
PICTURE = ROOT / "docs" / "images" / "architecture.png"
GROUND = ("cli", "config", "task", "system", "errors")
"""Rooms that most others import: their arrows would hide the rest."""
PLACES = {
    "turing": (0.0, 1.0),
    "export": (-2.0, 1.0),
    "import_weights": (-3.9, 1.0),
    "colorize": (-2.4, 0.0),
    "colorization": (-3.9, -1.0),
    "tasks": (-2.4, -3.0),
    "notebook": (3.9, -1.0),
    "report": (3.9, -2.0),
    "archive": (3.9, -3.5),
    "run": (-2.25, -1.0),
    "plan": (-0.75, -1.0),
    "prepare": (0.75, -1.0),
    "layers": (2.25, -1.0),
    "promote": (2.25, 0.0),
    "compare": (3.1, 1.0),
    "status": (0.75, 0.0),
    "clean": (-0.75, 0.0),
    "testing": (2.0, -3.0),
    "new": (0.0, -4.0),
    "check": (2.0, -4.0),
    "doctor": (3.9, 0.0),
    "study": (0.0, -2.0),
    "execution": (0.0, -3.0),
    "estimate": (-2.0, -4.0),
    "training": (-3.9, -5.0),
    "tracking": (0.0, -5.0),
    "statistics": (3.9, -5.0),
    "web": (2.1, -5.0),
    "keras_files": (-1.9, -5.6),
}
"""Where each room stands in the picture."""
NOT_DRAWN = ("__main__",)
"""It imports `cli` alone."""
BEGIN, END = "<!-- written by docs/architecture.py -->\n", "<!-- end -->\n"


def layers() -> list[list[str]]:
    """Return the rooms of each layer, the highest first, as the dependency rule has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (rule,) = (contract for contract in contracts if contract["type"] == "layers")
    return [[room.strip("() ") for room in layer.replace("|", ":").split(":")] for layer in rule["layers"]]


def imports() -> dict[str, set[str]]:
    """Return the rooms that each room imports."""
    graph = grimp.build_graph("ablate", include_external_packages=False, exclude_type_checking_imports=True)
    rooms = [room for layer in layers() for room in layer]
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            one, other = (name.split(".")[1] if "." in name else "" for name in (module, imported))
            if one != other and one in found and other in found:
                found[one].add(other)
    return found


def closest(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the imports that no longer path stands for."""
    below: dict[str, set[str]] = {}
    for room in reversed([room for layer in layers() for room in layer]):
        below[room] = {name for other in found[room] & below.keys() for name in {other, *below[other]}}
    return {
        room: {other for other in others if not any(other in below[via] for via in others)}
        for room, others in found.items()
    }


def source(room: str) -> Path:
    """Return the file whose docstring says what a room is."""
    package = ROOT / "src" / "ablate" / room
    return package / "__init__.py" if package.is_dir() else package.with_suffix(".py")


def table(found: dict[str, set[str]]) -> str:
    """Return the table of rooms, a row a room, the highest layer first."""
    order = [room for layer in layers() for room in layer]
    lines = ["| room | what it is | imports |", "| --- | --- | --- |"]
    for room in order:
        says = (ast.get_docstring(ast.parse(source(room).read_text())) or "").split("\n\n")[0].replace("\n", " ")
        used = ", ".join(other for other in order if other in found[room])
        name = source(room).relative_to(ROOT / "src" / "ablate")
        link = f"[{name.parent if name.name == '__init__.py' else name}](../src/ablate/{name})"
        lines.append(f"| {link} | {says} | {used} |")
    return "\n".join(lines) + "\n"


def draw(found: dict[str, set[str]]) -> None:
    """Draw the rooms, with an arrow for each of the closest imports but those of the ground."""
    matplotlib.use("Agg")
    figure, axes = plt.subplots(figsize=(9, 5.7))
    axes.set_axis_off()
    axes.set_xlim(-5, 5)
    axes.set_ylim(-6.7, 1.4)
    others = set(found) - {*GROUND, *NOT_DRAWN}
    if others != set(PLACES):
        raise SystemExit(f"docs/architecture.py: PLACES lacks or has too many: {sorted(others ^ set(PLACES))}")
    for text, (x, y), half in [
        *((room, place, 0.62) for room, place in PLACES.items()),
        ("   ".join(GROUND), (0.0, -6.3), 4.6),
    ]:
        style = {"boxstyle": "round,pad=0.05", "fc": "#e8f0f8", "ec": "#30506e"}
        axes.add_patch(FancyBboxPatch((x - half, y - 0.22), 2 * half, 0.44, zorder=2, **style))
        axes.text(x, y, text, ha="center", va="center", fontsize=8.3, zorder=3)
    for room, imported in closest(found).items():
        for other in sorted(imported & others if room in others else ()):
            (x, y), (to_x, to_y) = PLACES[room], PLACES[other]
            axes.annotate(
                "",
                (to_x + 0.25 * (x > to_x) - 0.25 * (x < to_x), to_y + 0.28),
                (x, y - 0.28),
                zorder=1,
                arrowprops={"arrowstyle": "-|>", "color": "#606060"},
            )
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110, bbox_inches="tight", metadata={"Software": None})


def main() -> int:
    """Write the page's table and picture, or check the table."""
    found = imports()
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    written = before + BEGIN + table(found) + END + after
    if sys.argv[1:] == ["--check"]:
        if written != page:
            print("docs/architecture.md is not what the imports say: python docs/architecture.py", file=sys.stderr)
        return int(written != page)
    PAGE.write_text(written)
    draw(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
