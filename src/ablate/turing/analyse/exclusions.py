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
        participants: Index `participant`; columns color_vision; finished and screened_out, NaT for who is not.
        trials: A row an answered trial: columns participant, kind, fooled, shown, missed, exposure_ms, response_ms,
            loads.
        protocol: Of the experiment; its `rules` are applied.

    Returns:
        The rows of `trials` that count, and a row a rule in the order in which they are applied: columns rule (in
        words), participants (whom it leaves out, or leaves no trial that counts) and trials (that would have counted).
    """
    tests = trials[trials["kind"] == "test"]
    broken = rules_broken(participants, trials, protocol)[tests.index]
    out, words = _of_people(participants, trials, protocol), rule_words(protocol)
    kept, people, rows = tests, participants.index, []
    for rule in words:
        remaining = kept[broken[kept.index] != rule]
        left = people[~people.isin(out[rule]) if rule in out else people.isin(remaining["participant"])]
        rows.append((words[rule], len(people) - len(left), len(kept) - len(remaining)))
        people, kept = left, remaining
    return kept, pd.DataFrame(rows, columns=list(COLUMNS))


def rule_words(protocol: Protocol) -> dict[str, str]:
    """Return the rules that can leave something out, in the order in which they are applied: name and words.

    Args:
        protocol: See `apply_rules`.
    """
    rules = protocol.rules
    taken = "taken for real" if protocol.has_fakes else "found more natural"
    if protocol.is_rating:
        taken = f"rated above {protocol.middle:g} of {protocol.points}"
    failed = f"more than {rules.max_failed_checks} of {protocol.checks} obvious fakes {taken}"
    can_fail = protocol.checks > rules.max_failed_checks
    words = {"screened_out": f"screened out, for {failed}"} if can_fail else {}
    words["not_finished"] = "session not finished"
    if rules.leave_out_deficient_color_vision:
        words["color_vision"] = "colour vision said to be deficient"
    if can_fail:
        words["failed_checks"] = failed
    if rules.min_median_response_ms:
        words["fast"] = f"median response below {rules.min_median_response_ms} ms"
    # A reload while they are seen leaves the time unknown; nobody knows then whether the participant has seen them.
    exposure = f"{protocol.exposure_ms:,} ± {rules.exposure_tolerance_ms} ms"
    return {
        **words,
        "not_shown": f"{'picture' if protocol.is_rating else 'pair'} not shown, or said to be missed",
        "exposure": f"pictures not seen for {exposure}, or who knows how long",
        "loads": f"pictures asked for more than {rules.max_loads} times",
    }


def rules_broken(participants: pd.DataFrame, trials: pd.DataFrame, protocol: Protocol) -> "pd.Series[str]":
    """Return the first rule that each trial breaks, itself or by its participant; empty where it breaks none.

    Args:
        participants: See `apply_rules`.
        trials: Alike.
        protocol: Alike.

    Returns:
        Names of `rule_words`.
    """
    broken = pd.Series("", index=trials.index, dtype="str")
    people = _of_people(participants, trials, protocol).items()
    rules = {rule: trials["participant"].isin(out) for rule, out in people} | _of_trials(trials, protocol)
    for rule, breaks in rules.items():
        broken[breaks & (broken == "")] = rule
    return broken


def excluded_participants(participants: pd.DataFrame, trials: pd.DataFrame, protocol: Protocol) -> "pd.Series[str]":
    """Return the rule that leaves each participant out, or the last of their trials; empty where some trial counts.

    Args:
        participants: See `apply_rules`.
        trials: Alike.
        protocol: Alike.

    Returns:
        By participant, names of `rule_words`: as many of each as `apply_rules` counts.
    """
    tests = trials[trials["kind"] == "test"]
    broken, order = rules_broken(participants, trials, protocol)[tests.index], list(rule_words(protocol))
    # Trials fall to one rule after the other: a participant goes with the last of them.
    last = broken.map(lambda rule: order.index(rule) if rule else len(order)).groupby(tests["participant"]).max()
    by_trials = last.map(lambda place: order[place] if place < len(order) else "")
    out = by_trials.reindex(participants.index, fill_value="").astype("str")
    for rule, people in reversed(_of_people(participants, trials, protocol).items()):
        out[out.index.isin(people)] = rule
    return out


def _of_people(participants: pd.DataFrame, trials: pd.DataFrame, protocol: Protocol) -> dict[str, pd.Index]:
    """Return whom each rule leaves out."""
    rules = protocol.rules
    failed = trials[(trials["kind"] == "check") & trials["fooled"]].groupby("participant").size()
    median = trials[trials["kind"] == "test"].groupby("participant")["response_ms"].median()
    out = {
        "screened_out": participants.index[participants["screened_out"].notna()],
        "not_finished": participants.index[participants["finished"].isna()],
        "color_vision": participants.index[participants["color_vision"] == "deficient"],
        "failed_checks": failed.index[failed > rules.max_failed_checks],
        "fast": median.index[median < rules.min_median_response_ms],
    }
    return {rule: people for rule, people in out.items() if rule in rule_words(protocol)}


def _of_trials(trials: pd.DataFrame, protocol: Protocol) -> "dict[str, pd.Series[bool]]":
    """Return which rows of `trials` each rule leaves out."""
    off = (trials["exposure_ms"] - protocol.exposure_ms).abs()
    return {
        "not_shown": ~trials["shown"] | trials["missed"],
        "exposure": ~(off <= protocol.rules.exposure_tolerance_ms),
        "loads": trials["loads"] > protocol.rules.max_loads,
    }
