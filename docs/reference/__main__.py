"""The reference, from the code: writes configuration.md, commands.md and stored.md beside this file.

python docs/reference            # after a change of keys, levels, commands, metrics, tags or files
python docs/reference --check    # in `make lint`: the pages must be what the code says
"""

import sys
from pathlib import Path

import commands
import configuration
import stored

PAGES = {"commands": commands.page, "configuration": configuration.page, "stored": stored.page}


def main() -> int:
    """Write the pages, or check them."""
    stale = []
    for name, page in PAGES.items():
        file, text = Path(__file__).with_name(f"{name}.md"), page()
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        stale.append(f"docs/reference/{name}.md")
        if sys.argv[1:] != ["--check"]:
            file.write_text(text, encoding="utf-8")
    if sys.argv[1:] == ["--check"] and stale:
        print(f"{', '.join(stale)}: not what the code says: python docs/reference", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
