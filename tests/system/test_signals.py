"""The first signal interrupts a command, once; a second Ctrl-C ends it at once."""

import signal
import threading
from collections.abc import Iterator

import pytest

from ablate.errors import Interrupted
from ablate.system.signals import INTERRUPTING, SignalPolicy, signals_held


@pytest.fixture
def handlers() -> Iterator[None]:
    """Restore the handlers of all signals."""
    before = {number: signal.getsignal(number) for number in INTERRUPTING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def policy(handlers: None) -> SignalPolicy:
    installed = SignalPolicy()
    installed.install()
    return installed


@pytest.mark.parametrize("number", INTERRUPTING)
def test_the_first_signal_raises_its_name_and_others_do_nothing(number: signal.Signals, policy: SignalPolicy) -> None:
    with pytest.raises(KeyboardInterrupt) as interrupt:
        signal.raise_signal(number)
    if number == signal.SIGINT:
        assert type(interrupt.value) is KeyboardInterrupt
    else:
        assert isinstance(interrupt.value, Interrupted)
        assert str(interrupt.value) == f"Interrupted by {number.name}"
    for other in set(INTERRUPTING) - {signal.SIGINT}:
        signal.raise_signal(other)
    assert policy.poll() is interrupt.value


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_at_once_after_the_first_signal(number: signal.Signals, policy: SignalPolicy) -> None:
    assert signal.getsignal(signal.SIGINT) == policy._handle
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL


def test_where_signals_are_polled_they_raise_nothing(policy: SignalPolicy, capfd: pytest.CaptureFixture[str]) -> None:
    polled = []

    def train() -> None:
        with policy.polled() as poll:
            polled.append(poll())
            signal.raise_signal(signal.SIGTERM)
            polled.append(poll())
        raise AssertionError("the interrupt was forgotten")

    with pytest.raises(Interrupted, match="SIGTERM"):
        train()
    assert polled == [None, policy.interrupt]
    assert capfd.readouterr().err == "Ends after a checkpoint; Ctrl-C again ends at once\n"


def test_an_error_of_polling_code_stays(policy: SignalPolicy) -> None:
    def train() -> None:
        with policy.polled():
            signal.raise_signal(signal.SIGTERM)
            raise ValueError("of training")

    with pytest.raises(ValueError, match="of training"):
        train()


def test_an_interrupt_that_a_library_swallows_is_there_at_the_next_poll(policy: SignalPolicy) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Interrupted), policy.polled() as poll:
        assert poll() is policy.interrupt


def test_the_next_command_of_a_process_begins_anew(policy: SignalPolicy) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    policy.install()
    assert policy.poll() is None
    signal.signal(signal.SIGINT, policy._handle)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_ignored_signals_stay_ignored(handlers: None) -> None:
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    policy = SignalPolicy()
    policy.install()
    signal.raise_signal(signal.SIGHUP)
    with pytest.raises(Interrupted, match="SIGTERM"):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)


def test_a_signal_that_came_while_it_was_blocked_is_not_lost(handlers: None) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTING)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    with pytest.raises(Interrupted, match="SIGTERM"):
        SignalPolicy().install()


def test_signals_wait_while_they_are_held(policy: SignalPolicy) -> None:
    done = []

    def start() -> None:
        with signals_held():
            signal.raise_signal(signal.SIGTERM)
            done.append("started")
        done.append("more")

    with pytest.raises(Interrupted, match="SIGTERM"):
        start()
    assert done == ["started"]
