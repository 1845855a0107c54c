"""Garbage collection that is paused."""

import gc
from collections.abc import Iterator

import pytest

from ablate.system.garbage import collection_paused


@pytest.fixture(autouse=True, params=[True, False])
def enabled(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether it is on before; afterwards it is as it was for other tests."""
    before, wanted = gc.isenabled(), bool(request.param)
    (gc.enable if wanted else gc.disable)()
    yield wanted
    (gc.enable if before else gc.disable)()


@collection_paused()
def fail() -> None:
    with collection_paused():
        assert not gc.isenabled()
    assert not gc.isenabled()
    raise KeyError


def test_afterwards_it_is_as_before(enabled: bool) -> None:
    with collection_paused():
        assert not gc.isenabled()
    assert gc.isenabled() == enabled


def test_so_it_is_after_an_error(enabled: bool) -> None:
    with pytest.raises(KeyError):
        fail()
    assert gc.isenabled() == enabled
