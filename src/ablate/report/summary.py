"""A report for programs: `summary.json`."""

import json
from typing import Any

import numpy as np
import pandas as pd

from ablate.report.report import Report


def summary(report: Report) -> str:
    """Return what programs want of a report, as JSON: the comparison by the primary metric, and its origin."""
    results = report.results
    own = report.comparison[report.comparison["metric"] == results.primary.name].drop(
        columns=["metric", "exploratory"]
    )
    definition = results.definition

    def whole(name: str) -> str:
        return report.names.get(name, name)

    content: dict[str, Any] = {
        "study": results.study,
        "question": results.question,
        "design": definition.design if definition else None,
        "metric": {
            "name": results.primary.name,
            "higher_is_better": results.primary.higher_is_better,
            "margin": results.primary.margin,
        },
        "plan": {"registered": report.plan.registered, "deviations": list(report.plan.deviations)},
        "runs": len(results.runs),
        "missing": [{"variant": whole(gap.variant), "seed": gap.seed, "reason": gap.reason} for gap in results.gaps],
        "seeds": sorted(int(seed) for seed in results.runs["seed"].unique()),
        "examples": results.num_examples,
        "answer": list(report.answer),
        "variants": plain_rows(
            own.assign(more_seeds=own["variant"].map(report.more_seeds), variant=own["variant"].map(whole))
        ),
        "effects": plain_rows(report.effects),
        "credit": plain_rows(report.credit),
        "facts": dict(report.facts),
    }
    sections = {name: [each.summary for each in added] for name, added in report.sections.items() if added}
    if sections:
        content["sections"] = sections
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON knows them: no NaN."""
    return [
        {
            str(key): None if isinstance(value, float) and not np.isfinite(value) else value
            for key, value in row.items()
        }
        for row in frame.to_dict("records")
    ]
