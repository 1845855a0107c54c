"""Exclusion of participants and trials, by rules that were fixed when the bundle was built. Pure functions."""

import pandas as pd

from ablate.turing.protocol import Protocol

COLUMNS = ("rule", "participants", "trials")


def apply_rules(
    participants: pd.DataFrame, trials: pd.DataFrame, protocol: Protocol
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply an experiment's rules, one after the other: each sees what those before it have left.

    Practice trials and checks never count. A response time that is not known breaks no rule.

    Args:
        participants: Index `participant`; columns color_vision and finished, NaT for a session that is not.
        trials: A row an answered trial: columns participant, kind, fooled, shown, missed, exposure_ms, response_ms,
            loads.
        protocol: Of the experiment; its `rules` are applied.

    Returns:
        The rows of `trials` that count, and a row a rule in the order in which they are applied: columns rule (in
        words), participants (whom it leaves out, or leaves no trial that counts) and trials (that would have counted).
    """
    tests = trials[trials["kind"] == "test"]
    left_out = rules_broken(participants, trials, protocol)[tests.index]
    of_people, of_trials = _of_people(participants, trials, protocol), _of_trials(trials, protocol)
    kept, people, rows = tests, participants.index, []
    for rule in (*of_people, *of_trials):
        remaining = kept[left_out[kept.index] != rule]
        left = people[~people.isin(of_people[rule]) if rule in of_people else people.isin(remaining["participant"])]
        rows.append((rule, len(people) - len(left), len(kept) - len(remaining)))
        people, kept = left, remaining
    return kept, pd.DataFrame(rows, columns=list(COLUMNS))


def rules_broken(participants: pd.DataFrame, trials: pd.DataFrame, protocol: Protocol) -> "pd.Series[str]":
    """Return the first rule that each trial breaks, itself or by its participant; empty where it breaks none.

    Args:
        participants: See `apply_rules`.
        trials: Alike.
        protocol: Alike.
    """
    broken = pd.Series("", index=trials.index, dtype="str")
    people = _of_people(participants, trials, protocol).items()
    rules = {rule: trials["participant"].isin(out) for rule, out in people} | _of_trials(trials, protocol)
    for rule, breaks in rules.items():
        broken[breaks & (broken == "")] = rule
    return broken


def _of_people(participants: pd.DataFrame, trials: pd.DataFrame, protocol: Protocol) -> dict[str, pd.Index]:
    """Return whom each rule leaves out."""
    rules = protocol.rules
    out = {"session not finished": participants.index[participants["finished"].isna()]}
    if rules.leave_out_deficient_color_vision:
        deficient = participants["color_vision"] == "deficient"
        out["colour vision said to be deficient"] = participants.index[deficient]
    if protocol.checks > rules.max_failed_checks:
        failed = trials[(trials["kind"] == "check") & trials["fooled"]].groupby("participant").size()
        rule = f"more than {rules.max_failed_checks} of {protocol.checks} obvious fakes taken for real"
        out[rule] = failed.index[failed > rules.max_failed_checks]
    if rules.min_median_response_ms:
        median = trials[trials["kind"] == "test"].groupby("participant")["response_ms"].median()
        out[f"median response below {rules.min_median_response_ms} ms"] = median.index[
            median < rules.min_median_response_ms
        ]
    return out


def _of_trials(trials: pd.DataFrame, protocol: Protocol) -> "dict[str, pd.Series[bool]]":
    """Return which rows of `trials` each rule leaves out."""
    rules = protocol.rules
    off = (trials["exposure_ms"] - protocol.exposure_ms).abs()
    # A reload while they are seen leaves the time unknown; nobody knows then whether the participant has seen them.
    rule = f"pictures not seen for {protocol.exposure_ms:,} ± {rules.exposure_tolerance_ms} ms, or who knows how long"
    return {
        "pair not shown, or said to be missed": ~trials["shown"] | trials["missed"],
        rule: ~(off <= rules.exposure_tolerance_ms),
        f"pictures asked for more than {rules.max_loads} times": trials["loads"] > rules.max_loads,
    }
