"""Connections: how many there may be, and how slowly requests may come and answers be taken. Bodies: `guard`."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 800
"""Connections at a time: a process may often have 1,024 open files."""
HEAD_SECONDS = 15.0
"""In which the head of a request must have come."""
TAKE_SECONDS, TAKE_BYTES = 30.0, 30_000
"""In which so much of an answer must have been taken, or the rest of it."""
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, which itself would wait for ever for the head of a request, and for who takes no answer."""

    _late: asyncio.TimerHandle | None = None
    _slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, or refuse the connection."""
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.write(_BUSY)
            transport.close()
            return
        # Writing is paused as soon as the client does not take all at once.
        transport.set_write_buffer_limits(high=0)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._forget()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Give the client its time to take an answer."""
        super().pause_writing()
        self._wait_for_taking()

    def resume_writing(self) -> None:
        """Write on: all was taken."""
        self._taken()
        super().resume_writing()

    def _wait_for_taking(self) -> None:
        self._slow = self.loop.call_later(TAKE_SECONDS, self._look, self.transport.get_write_buffer_size())

    def _look(self, waiting: int) -> None:
        """End the connection of who has taken too little of what was waiting."""
        if waiting - self.transport.get_write_buffer_size() < TAKE_BYTES:
            self.transport.abort()
        else:
            self._wait_for_taking()

    def _taken(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _watch(self) -> None:
        """Give the head of the next request its time; what follows a head is not this protocol's to bound."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
