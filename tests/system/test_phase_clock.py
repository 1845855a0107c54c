"""The clock of phases: every moment belongs to one of them."""

import threading
from collections.abc import Sequence
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from ablate.system.phase_clock import Phase, PhaseClock, process_age
from tests.support.clocks import Hand

STEPS = st.lists(st.tuples(st.sampled_from(["enter", "nested", "move"]), st.sampled_from(Phase), st.integers(0, 9)))


@given(steps=STEPS, age=st.integers(0, 9))
def test_phases_add_up_to_the_time_that_passed(steps: Sequence[tuple[str, Phase, int]], age: int) -> None:
    now = Hand()
    clock = PhaseClock(age=age, now=now)
    for action, phase, seconds in steps:
        if action == "enter":
            clock.enter(phase)
        elif action == "move":
            clock.move(Phase.COMPILE, phase, seconds)
        else:
            with clock.phase(phase):
                now.seconds += seconds
        now.seconds += seconds
    assert sum(clock.seconds().values()) == age + now.seconds


def test_a_phase_within_another_is_none_of_it() -> None:
    now = Hand()
    clock = PhaseClock(Phase.TRAINING, now=now)
    now.seconds = 2
    with suppress(ValueError), clock.phase(Phase.TRACKING):
        now.seconds = 5
        raise ValueError("full")
    now.seconds = 9
    spent = clock.seconds()
    assert (spent[Phase.TRAINING], spent[Phase.TRACKING]) == (6, 3)


def test_another_thread_changes_no_phase() -> None:
    now = Hand()
    clock = PhaseClock(Phase.TRAINING, now=now)

    def track() -> None:
        with clock.phase(Phase.TRACKING):
            now.seconds += 4

    thread = threading.Thread(target=track)
    thread.start()
    thread.join()
    assert clock.seconds()[Phase.TRAINING] == 4


def test_a_process_grows_older() -> None:
    young = process_age()
    assert 0 < young <= process_age()
