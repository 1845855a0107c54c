"""A lock that is had in the order in which it was asked for."""

import threading
from collections import deque


class FairLock:
    """Lets threads in one at a time, first come, first served: nobody starves, however many wait."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting = deque[threading.Event]()

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                # It stays held, by the next one.
                self._waiting.popleft().set()
            else:
                self._held = False
