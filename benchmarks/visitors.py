"""Load of a server by simulated participants, all at once.

python -m ablate.turing serve turing/NAME sessions_per_minute=10000 requests_per_minute=10000
python benchmarks/visitors.py http://127.0.0.1:8080/e/NAME/ [--visitors N]
"""

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from tests.support.visitors import Visitor, at_once


def main() -> None:
    """Let visitors take part in an experiment that is served, and say how fast that was."""
    parser = argparse.ArgumentParser(description="Simulated participants, all at once")
    parser.add_argument("address", help="of the experiment, such as http://127.0.0.1:8080/e/NAME/")
    parser.add_argument("--visitors", type=int, default=200)
    arguments = parser.parse_args()
    visitors = [Visitor(arguments.address, patient=True) for _ in range(arguments.visitors)]
    start = time.monotonic()
    errors = at_once(visitors, lambda visitor, number: random.choice(("left", "right")))
    seconds = time.monotonic() - start
    requests, answers = (
        sum(values) for values in zip(*((v.requests, len(v.confirmed)) for v in visitors), strict=True)
    )
    print(
        f"{len(visitors)} visitors at once, {answers} answers and {requests} requests in {seconds:.1f} s: "
        f"{answers / seconds:.0f} answers and {requests / seconds:.0f} requests a second, {len(errors)} errors"
    )


if __name__ == "__main__":
    main()
