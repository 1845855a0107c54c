"""Garbage collection that is paused."""

import gc

import pytest

from ablate.system.garbage import collection_paused


@collection_paused()
def fail() -> None:
    with collection_paused():
        assert not gc.isenabled()
    assert not gc.isenabled()
    raise KeyError


def test_it_goes_on_afterwards_and_after_an_error() -> None:
    assert gc.isenabled()
    with pytest.raises(KeyError):
        fail()
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        with collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
