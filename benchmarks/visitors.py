"""Load of a server by simulated participants, all at once.

python -m ablate.turing serve turing/NAME sessions_per_minute=10000 requests_per_minute=10000
python benchmarks/visitors.py http://127.0.0.1:8080/e/NAME/ [--visitors N]
"""

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from tests.support.visitors import Visitor, at_once

EXPECTED = {200, 204, 303}
"""Statuses of a server that keeps up."""


def main() -> None:
    """Let visitors take part in an experiment that is served, and say how fast that was and what went wrong.

    No request is tried again. Ends with 1 where one was not answered, or answered by a refusal.
    """
    parser = argparse.ArgumentParser(description="Simulated participants, all at once")
    parser.add_argument("address", help="of the experiment, such as http://127.0.0.1:8080/e/NAME/")
    parser.add_argument("--visitors", type=int, default=200)
    arguments = parser.parse_args()
    visitors = [Visitor(arguments.address) for _ in range(arguments.visitors)]
    start = time.monotonic()
    errors = at_once(visitors, lambda visitor, number: random.choice(("left", "right")))
    seconds = time.monotonic() - start
    answers = sum(len(visitor.confirmed) for visitor in visitors)
    statuses, failures = Counter[int](), Counter[str]()
    for visitor in visitors:
        statuses += visitor.statuses
        failures += visitor.failures
    requests = statuses.total()
    print(
        f"{len(visitors)} visitors at once, {answers} answers and {requests} requests in {seconds:.1f} s: "
        f"{answers / seconds:.0f} answers and {requests / seconds:.0f} requests a second"
    )
    print("Answered: " + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    print("Not answered: " + (", ".join(f"{name}: {count}" for name, count in failures.items()) or "none"))
    for error in errors:
        print(f"Gave up: {type(error).__name__}: {error}")
    if errors or failures or set(statuses) - EXPECTED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
