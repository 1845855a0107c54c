"""The code that a result depends on: the import closure of a task and of training. No TensorFlow, no MLflow.

Modules of one's own count by what they mean, wherever they lie and whatever they are called; of installed libraries,
their versions do. What cannot influence a result is left out: `IRRELEVANT`, `IRRELEVANT_LIBRARIES`, and what a task
declares (`irrelevant_code`).
"""

import ast
import hashlib
import importlib.metadata
import json
import site
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.machinery import ModuleSpec
from itertools import accumulate
from pathlib import Path
from pkgutil import get_importer
from typing import Any

from ablate.errors import ConfigError
from ablate.task import Task, trains_itself

TRAINING, OWN_LOOP = "ablate.training.fit", "ablate.training.own_loop"
IRRELEVANT = (
    "ablate",
    "ablate.cli.errors",
    "ablate.config.validation",
    "ablate.system.threads",
    "ablate.errors",
    "ablate.system.allocator",
    "ablate.system.atomic_write",
    "ablate.config.paths",
    "ablate.system.images",
    "ablate.config.schema",
    "ablate.task",
    "ablate.system.native_log",
    "ablate.system.phase_clock",
    "ablate.system.processor",
    "ablate.system.signals",
    "ablate.tracking",
    "ablate.tracking.names",
)
"""Modules of the framework that cannot influence a result: errors, files, names, clocks, threads, what validates."""
IRRELEVANT_LIBRARIES = (
    *("filelock", "google", "google_crc32c", "hydra", "joblib", "matplotlib", "mlflow", "omegaconf", "psutil"),
    *("pydantic", "pynvml", "tqdm", "yaml"),
)
"""Libraries, by what is imported, that configure, record, check and draw, and compute no result."""


@dataclass(frozen=True)
class Code:
    """The code that a result depends on.

    Attributes:
        modules: By a module's name, the digest of what it means and imports.
        libraries: By a library's name, its version.
        version: The hash of all of it, 16 hexadecimal digits; what a module is called makes no difference.
    """

    modules: Mapping[str, str]
    libraries: Mapping[str, str]
    version: str

    def __str__(self) -> str:
        libraries = ", ".join(f"{name} {version}" for name, version in sorted(self.libraries.items()))
        return f"{len(self.modules)} modules (code {self.version}) and {libraries}"


HOLD_OUT = {"hold_out": ["self", "fraction"]}
"""The method of a task that only runs with a `validation_fraction` call, see `ablate.task.HoldsOut`."""
DESCRIBING = {"served_model": ["self"], "limitations": ["self"]}
"""The methods of a task that describe a trained model, see `ablate.task`: no run computes with them."""


def code_of(task: Task, *, held_out: bool = False) -> Code:
    """Find the code of a task: the modules of its class, of those that it inherits from, and of training.

    Args:
        task: The task.
        held_out: Whether the run holds out training examples; if not, the methods for that do not count.

    Raises:
        ConfigError: Some of it is not found, or is no Python.
    """
    own = {cls.__module__ for cls in type(task).__mro__} - {"builtins", "abc", "typing", Task.__module__}
    # Its own package counts by its contents wherever it is installed.
    tops = tuple(sorted({name.partition(".")[0] for name in own}))
    training = OWN_LOOP if trains_itself(task) else TRAINING
    irrelevant = (*IRRELEVANT, *getattr(task, "irrelevant_code", ()))
    return import_closure((*sorted(own), training), irrelevant, tops, held_out)


def code_of_classes(names: Iterable[str]) -> Code:
    """Find the code of classes that a configuration names, as in `lab.optimizers.Mine`; of libraries, the version.

    Raises:
        ConfigError: Some of it is no Python.
    """
    return import_closure(tuple(sorted({name.rpartition(".")[0] for name in names} - {""})), IRRELEVANT)


def combine(*codes: Code) -> Code:
    """Return several codes as one."""
    return Code(
        modules={name: digest for code in codes for name, digest in code.modules.items()},
        libraries={name: version for code in codes for name, version in code.libraries.items()},
        version=_digest([code.version for code in codes]),
    )


def differences(one: Code, other: Code) -> list[str]:
    """Return the modules in which two codes differ, and the libraries with both versions."""
    if one.version == other.version:
        return []
    modules, libraries = (
        {name: (mine.get(name), its.get(name)) for name in sorted({*mine, *its}) if mine.get(name) != its.get(name)}
        for mine, its in ((one.modules, other.modules), (one.libraries, other.libraries))
    )
    versions = [
        f"{name} {mine or 'not imported'} and {its or 'not imported'}" for name, (mine, its) in libraries.items()
    ]
    return [*modules, *versions]


@lru_cache
def import_closure(
    roots: tuple[str, ...], irrelevant: tuple[str, ...] = (), own: tuple[str, ...] = (), held_out: bool = False
) -> Code:
    """Follow the imports of modules, those inside of functions as well, without importing anything.

    Args:
        roots: Names of modules.
        irrelevant: Names of modules that are left out; what only they import is, too.
        own: Names of packages that are no libraries, even if they are installed among them.
        held_out: See `code_of`.

    Raises:
        ConfigError: A root is not found, or a module is no Python.
    """
    waiting, modules, libraries = list(roots), dict[str, "_Module | None"](), dict[str, str]()
    while waiting:
        name = waiting.pop()
        if name in modules or name in irrelevant:
            continue
        top = name.partition(".")[0]
        if top not in (*own, "ablate") and (top in sys.stdlib_module_names or _is_library(top)):
            libraries |= _library(top)
            continue
        modules[name] = module = _module(name, held_out)
        if module is None:
            if name in roots:
                raise ConfigError(f"the code of {name} is not found, so results of it could not be told from others")
            continue
        waiting += [one for target in module.targets for one in _with_parents(target)]
        waiting += _with_parents(name)[:-1]
    found = {name: module for name, module in modules.items() if module is not None}
    code = {name: module for name, module in sorted(found.items()) if module.meaning}
    by_content = sorted(module.digest(found, irrelevant) for module in code.values())
    return Code(
        modules={name: _digest([module.meaning, module.targets]) for name, module in code.items()},
        libraries=libraries,
        version=_digest([by_content, sorted(libraries.items())]),
    )


def meaning(source: str) -> str:
    """Return what Python source means, without comments, docstrings and layout, alike in every version of Python.

    Imports stand there by the names that they bind: a module that moved is the same module.
    """
    return json.dumps(_plain(_parsed(source)))


@dataclass(frozen=True)
class _Module:
    """A module's meaning, empty for a package without code, and the modules that it may import, in order."""

    meaning: str
    targets: tuple[str, ...]

    def digest(self, found: Mapping[str, "_Module"], irrelevant: Collection[str]) -> str:
        """Hash the module: an import of one's own code stands for what the imported module means."""
        targets = []
        for name in self.targets:
            inside = name.rpartition(".")[0]
            if name in found:
                targets.append(found[name].meaning)
            elif not {name, inside}.intersection(irrelevant) and inside not in found:
                targets.append(name)
        return _digest([self.meaning, targets])


def _module(name: str, held_out: bool) -> _Module | None:
    """Read a module; None where there is none of that name: it is a name inside of another one, or not installed."""
    spec = _spec(name)
    if spec is None and name == "__main__" and getattr(sys.modules[name], "__file__", None):
        path = Path(str(sys.modules[name].__file__))
    elif spec is None:
        return None
    elif spec.origin is None or not spec.has_location:
        return _Module("", ())  # a package without `__init__.py`
    else:
        path = Path(spec.origin)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}, on which results depend, cannot be read: {error.strerror}") from None
    if path.suffix != ".py":
        return _Module(hashlib.sha256(content).hexdigest(), ())
    package = name if spec is not None and spec.submodule_search_locations is not None else name.rpartition(".")[0]
    try:
        means, imports = _analysed(content, held_out)
    except (SyntaxError, ValueError) as error:
        raise ConfigError(f"{path}, on which results depend, is no Python: {error}") from None
    return _Module(
        means if means != _EMPTY else "", tuple(target for one in imports for target in one.targets(package))
    )


@dataclass(frozen=True)
class _Import:
    """An import: `from {dots}{module} import {names}`, or of a module alone."""

    module: str
    dots: int = 0
    names: tuple[str, ...] = ()

    def targets(self, package: str) -> list[str]:
        """Return the modules that it may import; a name may be a module or something inside of one."""
        module = self.module
        if self.dots:
            above = package.split(".")[: len(package.split(".")) - self.dots + 1]
            module = ".".join([*above, *([module] if module else [])])
        return [module, *(f"{module}.{name}" for name in self.names if name != "*")]


@cache
def _analysed(content: bytes, held_out: bool) -> tuple[str, tuple[_Import, ...]]:
    tree = _parsed(content, held_out)
    return json.dumps(_plain(tree)), tuple(_imports(tree))


def _parsed(source: str | bytes, held_out: bool = False) -> ast.Module:
    """Parse source without the methods that do not count, but for those that the rest of it calls."""
    methods = DESCRIBING if held_out else {**DESCRIBING, **HOLD_OUT}
    tree = _without(ast.parse(source), methods)
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}.intersection(methods)
    if not called:
        return tree
    return _without(ast.parse(source), {name: given for name, given in methods.items() if name not in called})


def _without(tree: ast.Module, methods: Mapping[str, Sequence[str]]) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.body = [statement for statement in node.body if not _is_one(statement, methods)]
    return tree


def _is_one(statement: ast.stmt, methods: Mapping[str, Sequence[str]]) -> bool:
    if not isinstance(statement, ast.FunctionDef) or statement.name not in methods:
        return False
    return [each.arg for each in statement.args.args] == methods[statement.name]


def _imports(node: ast.AST) -> Iterator[_Import]:
    if isinstance(node, ast.Import):
        yield from (_Import(alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield _Import(node.module or "", node.level, tuple(alias.name for alias in node.names))
    elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__") and node.args:
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            module = first.value.lstrip(".")
            yield _Import(module, len(first.value) - len(module))
    for child in ast.iter_child_nodes(node):
        if not _is_for_types(child):
            yield from _imports(child)
        elif isinstance(child, ast.If):
            for other in child.orelse:
                yield from _imports(other)


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "attr", None) or getattr(node.func, "id", ""))


def _is_for_types(node: Any) -> bool:
    """Say whether a statement is `if TYPE_CHECKING:`, whose body never runs."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in (
        getattr(node.test, "id", None),
        getattr(node.test, "attr", None),
    )


def _plain(node: Any) -> Any:
    # Neither `ast.unparse` nor `ast.dump` says the same in all versions: newer ones know more fields, empty here.
    if isinstance(node, ast.Import | ast.ImportFrom):
        bound = [[alias.name if isinstance(node, ast.ImportFrom) else None, alias.asname] for alias in node.names]
        return [type(node).__name__, bound]
    if isinstance(node, ast.AST):
        fields = ((name, _plain(value)) for name, value in ast.iter_fields(node) if name != "kind")
        return [type(node).__name__, *([name, value] for name, value in fields if value not in (None, []))]
    if isinstance(node, list):
        return [_plain(child) for child in node if not _is_text(child) and not _never_runs(child)]
    return node if isinstance(node, bool | int | str | None) else repr(node)


def _is_text(statement: Any) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _never_runs(statement: Any) -> bool:
    return _is_for_types(statement) and not statement.orelse


_EMPTY = json.dumps(_plain(ast.parse("")))


def _with_parents(name: str) -> list[str]:
    """Return the names of a module and of the packages that hold it: all of them run when it is imported."""
    return list(accumulate(name.split("."), "{}.{}".format))


def _spec(name: str) -> ModuleSpec | None:
    """Find a module without importing the packages that hold it, as `importlib.util.find_spec` would."""
    top, *inner = _with_parents(name)
    spec = next(filter(None, (finder.find_spec(top, None) for finder in sys.meta_path)), None)
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = _spec_in(part, list(spec.submodule_search_locations))
    return spec


def _spec_in(name: str, folders: Sequence[str]) -> ModuleSpec | None:
    """Find a module in the folders of its package; several of them may hold parts of one without `__init__.py`."""
    parts = []
    for folder in folders:
        importer = get_importer(folder)
        spec = importer.find_spec(name) if importer is not None else None
        if spec is not None and spec.loader is not None:
            return spec
        parts += list(spec.submodule_search_locations or ()) if spec is not None else []
    if not parts:
        return None
    found = ModuleSpec(name, None, is_package=True)
    found.submodule_search_locations = parts
    return found


@cache
def _is_library(top: str) -> bool:
    spec = _spec(top)
    if spec is None:
        return True  # not installed
    places = [spec.origin] if spec.has_location and spec.origin else list(spec.submodule_search_locations or ())
    return not places or any(_installed(Path(place)) for place in places)


def _installed(path: Path) -> bool:
    return bool({"site-packages", "dist-packages"}.intersection(path.parts)) or any(
        path.is_relative_to(folder) for folder in _library_folders()
    )


@cache
def _library_folders() -> tuple[str, ...]:
    named = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return (*named, site.getusersitepackages())


@cache
def _library(top: str) -> dict[str, str]:
    """Return the version of the library that holds a top-level module; nothing where that does not matter."""
    if top in IRRELEVANT_LIBRARIES or top in sys.stdlib_module_names or not top:
        return {}
    name = _DISTRIBUTIONS.get(top, top)
    try:
        return {name: importlib.metadata.version(name)}
    except importlib.metadata.PackageNotFoundError:
        pass
    names = importlib.metadata.packages_distributions().get(top)
    return {each: importlib.metadata.version(each) for each in sorted(set(names))} if names else {top: "not installed"}


_DISTRIBUTIONS = {"PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn", "cv2": "opencv-python"}
"""Names of libraries that are called otherwise than what is imported; of others, all installed ones are looked at."""


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
