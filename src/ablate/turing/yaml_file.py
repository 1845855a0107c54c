"""YAML files of what participants read, written by a laboratory: mistakes that YAML forgives are named."""

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from ablate.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """YAML in which no key is twice, of which it would lose the first, and all letters can be shown and kept."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        twice = [key for key, count in keys.items() if count > 1]
        if twice:
            raise yaml.MarkedYAMLError(problem=f"{twice[0]} is there twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        odd = [
            letter for letter in node.value if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t"
        ]
        if odd:
            problem = f"U+{ord(odd[0]):04X} is a control character, or half of one"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        return super().construct_scalar(node)


def read_yaml(option: str, path: Path) -> Any:
    """Return the content of a file.

    Args:
        option: By which it was named, such as `texts`.
        path: The file.

    Raises:
        ConfigError: It cannot be read, which names the option, the file and the place.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except RecursionError:
        raise ConfigError(f"{option}={path} cannot be read: it is nested too deeply") from None
    except (OSError, ValueError, yaml.YAMLError) as error:  # such as a date of the 45th
        raise ConfigError(f"{option}={path} cannot be read: {' '.join(str(error).split())}") from None
