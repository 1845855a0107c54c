"""Validity of the report's intervals, tests and minimum detectable effects, by simulated studies.

`ablate.statistics.simulation` says how. Results go between two markers of docs/statistics.md.

    python benchmarks/validity.py [--studies N]
"""

import argparse
from concurrent.futures import ProcessPoolExecutor

from tqdm import tqdm

from ablate.statistics.simulation import COMPONENTS, EXAMPLES, VARIANTS, simulate
from ablate.system.threads import job_threads
from side_by_side import ROOT, renewed

PAGE = ROOT / "docs" / "statistics.md"
BEGIN, END = "<!-- simulation: written by benchmarks/validity.py -->", "<!-- end of simulation -->"
SEEDS = (3, 5, 10)


def table(studies: int) -> str:
    """Simulate all rows, on all cores, and write them as Markdown."""
    cases = [(components, seeds) for components in COMPONENTS for seeds in SEEDS]
    with ProcessPoolExecutor(job_threads()) as pool:
        pending = [
            pool.submit(simulate, components, seeds=seeds, studies=studies, seed=place)
            for place, (components, seeds) in enumerate(cases)
        ]
        found = [future.result() for future in tqdm(pending, unit=" rows")]
    lines = [
        f"{studies:,} studies a row of {VARIANTS} variants and a baseline on {EXAMPLES} examples.",
        "",
        "| what varies | sd: seeds, examples, both | seeds | coverage | a false alarm | detected |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for (components, seeds), row in zip(cases, found, strict=True):
        deviations = f"{components.of_seeds:g}, {components.of_examples:g}, {components.of_both:g}"
        shares = " | ".join(f"{100 * share:.1f} %" for share in (row.coverage, row.false_alarms, row.power))
        lines.append(f"| {components.name} | {deviations} | {seeds} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--studies", type=int, default=10_000, metavar="N", help="studies a row")
    rows = table(parser.parse_args().studies)
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), rows, BEGIN, END), encoding="utf-8")
    print(rows)


if __name__ == "__main__":
    main()
