"""`import ablate` is fast: it imports nothing but the standard library, see `benchmarks/overhead.py`."""

import subprocess
import sys

HEAVY = ("hydra", "keras", "mlflow", "numpy", "omegaconf", "pandas", "pydantic", "tensorflow")


def test_importing_the_package_imports_no_library() -> None:
    code = f"import sys, ablate; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"[]"
