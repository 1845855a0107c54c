"""Connections and requests that come slowly, or in numbers, and HEAD."""

import http.client
import socket
import time
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response

from ablate.web import connections, guard
from ablate.web.guard import Guard
from ablate.web.server import server
from tests.support.servers import free_port, running

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


@pytest.fixture
def taken() -> list[bytes]:
    """The bodies that reached the application."""
    return []


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch, taken: list[bytes]) -> Iterator[int]:
    """The port of a server that says what it was sent, and waits half a second for a head and a body each."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.5)
    app = FastAPI()

    @app.get("/")
    def got() -> Response:
        return Response("a page")

    @app.post("/")
    async def sent(request: Request) -> Response:
        taken.append(await request.body())
        return Response(taken[-1])

    app.add_middleware(Guard, max_body=100)
    port = free_port()
    with running(server(app, host="127.0.0.1", port=port, proxies="")):
        yield port


def connected(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), 20)
    made.settimeout(20)
    return made


def until_closed(connection: socket.socket) -> bytes:
    """Return what a server says before it closes a connection; raise where it does not close it."""
    parts = []
    try:
        while part := connection.recv(10_000):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_come_is_not_waited_for(port: int, start: bytes) -> None:
    with connected(port) as slow:
        slow.sendall(start)
        assert until_closed(slow) == b""


def test_a_head_that_comes_in_drops_is_not_waited_for(port: int) -> None:
    with connected(port) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        slow.settimeout(0.1)
        assert any(closed_after(slow, b"X-%d: y\r\n" % number) for number in range(200))


def closed_after(connection: socket.socket, drop: bytes) -> bool:
    """Send a little, and return whether the server has closed the connection by then."""
    try:
        connection.sendall(drop)
        return connection.recv(100) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_the_head_of_a_later_request_is_not_waited_for(port: int) -> None:
    with connected(port) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert slow.recv(10_000).startswith(b"HTTP/1.1 200")
        slow.sendall(b"GET / HT")
        assert b"HTTP" not in until_closed(slow)


def test_a_body_that_does_not_come_is_refused_and_the_connection_closed(port: int) -> None:
    with connected(port) as slow:
        slow.sendall(HEAD + b"ab")
        assert until_closed(slow).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_body_of_a_request_for_a_page_is_not_read(port: int, method: str) -> None:
    with connected(port) as client:
        client.sendall(f"{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n".encode() + bytes(200))
        assert client.recv(10_000).startswith(b"HTTP/1.1 200")


def test_a_body_that_is_cut_off_does_not_reach_the_application(port: int, taken: list[bytes]) -> None:
    with connected(port) as client:
        client.sendall(HEAD + b"ab")
        client.shutdown(socket.SHUT_WR)
        until_closed(client)
    whole = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    whole.request("POST", "/", b"abcde")
    assert whole.getresponse().read() == b"abcde"
    whole.close()
    assert taken == [b"abcde"]


def test_who_is_in_time_is_answered_as_often_as_they_ask(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(3):
        client.request("POST", "/", b"abcde")
        assert client.getresponse().read() == b"abcde"
    client.close()


def test_more_connections_than_there_may_be_are_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 3)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 60.0)
    idle = [connected(port) for _ in range(3)]
    for each in idle:  # each of them is there
        each.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert each.recv(10_000).startswith(b"HTTP/1.1 200")
    with connected(port) as more:
        assert until_closed(more).startswith(b"HTTP/1.1 503")
    for each in idle:
        each.close()


@pytest.mark.parametrize(("least", "whole"), [(1, False), (0, True)], ids=["nothing is taken", "some is"])
def test_who_does_not_take_an_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, least: int, whole: bool
) -> None:
    monkeypatch.setattr(connections, "TAKE_SECONDS", 0.2)
    monkeypatch.setattr(connections, "TAKE_BYTES", least)
    app, large, port = FastAPI(), b"x" * 20_000_000, free_port()
    app.add_api_route("/", lambda: Response(large))
    made = server(app, host="127.0.0.1", port=port, proxies="")
    with running(made), connected(port) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = len(slow.recv(1))
        time.sleep(0.5)  # in which nothing is taken
        while not whole and made.server_state.connections:
            time.sleep(0.01)
        got += len(until_closed(slow))
        assert (got > len(large)) == whole


def test_head_is_get_without_the_body(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", "/")
    got = client.getresponse()
    got.read()
    client.request("HEAD", "/")
    head = client.getresponse()
    assert head.status == 200
    assert head.read() == b""
    assert {name for name, _ in head.getheaders()} == {name for name, _ in got.getheaders()}
    assert head.getheader("content-length") == "6"
    client.request("HEAD", "/nothing")
    assert client.getresponse().status == 404
    client.close()
