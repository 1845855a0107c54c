"""The documentation site: the pages of docs/ and what they link to, built by Zensical, with every link checked.

python docs/site [FOLDER]    # `make docs`; into site/, which is replaced. Any warning or broken link is an error
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from links import broken_links
from pages import ROOT, not_in_nav, write_pages

CONFIG = Path(__file__).with_name("zensical.toml")
ASSETS = Path(__file__).with_name("assets")


def main() -> int:
    """Build the site."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site"
    program = shutil.which("zensical", path=str(Path(sys.executable).parent))
    if program is None:
        print("Error: Zensical is not installed: pip install -e '.[docs]'", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            write_pages(folder / "docs")
            problems = not_in_nav(CONFIG)
        except FileNotFoundError as error:
            problems = [str(error)]
        shutil.copy(CONFIG, folder)
        shutil.copytree(ASSETS, folder / "docs" / "assets")
        if not problems:
            built = subprocess.run([program, "build", "--strict", "--clean"], cwd=folder, check=False)
            problems = ["Zensical has warnings"] if built.returncode else broken_links(folder / "site")
        if problems:
            print("\n".join(f"Error: {problem}" for problem in problems), file=sys.stderr)
            return 1
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(folder / "site", out)
    print(f"Documentation: {out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
