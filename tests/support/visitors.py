"""Simulated participants of a human evaluation: they speak HTTP with a real server, as browsers do."""

import http.client
import re
import select
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

Choose = Callable[[int], str]
PATIENCE = 60.0
"""Seconds for which a visitor tries to reach a server that is gone."""


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def field(self, name: str) -> str:
        """Return the value of a form's hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        if found is None:
            raise ValueError(f"no field {name} in {self.text[:500]}")
        return found[1]


@dataclass
class Visitor:
    """A browser without a window: it keeps cookies, follows relative addresses, and remembers what was confirmed.

    Attributes:
        base: Address of the experiment, such as http://127.0.0.1:8080/e/NAME/.
        cookies: By name; those of one experiment.
        confirmed: The answers that the server has confirmed, by trial.
        statuses: How many requests were answered how.
        failures: How many were not, by what went wrong, such as TimeoutError; those that were tried again, too.
        patient: Whether to try again while there is no server.
    """

    base: str
    cookies: dict[str, str] = field(default_factory=dict)
    confirmed: dict[int, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    patient: bool = False
    _connection: http.client.HTTPConnection | None = None

    def request(
        self,
        method: str,
        place: str,
        form: Mapping[str, object] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask once, without following redirections; try again while there is no server, if patient."""
        ends = time.monotonic() + (PATIENCE if self.patient else 0)
        while True:
            try:
                return self._request(method, place, form, headers or {})
            except (OSError, http.client.HTTPException) as error:
                self.failures[type(error).__name__] += 1
                self.close()
                if time.monotonic() > ends:
                    raise
                time.sleep(0.1)

    def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _request(
        self, method: str, place: str, form: Mapping[str, object] | bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        parts = urlsplit(urljoin(self.base, place))
        if self._connection is not None and _is_closed(self._connection):
            self.close()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        body = form if isinstance(form, bytes) or form is None else urlencode(form).encode()
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        if body is not None:
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection.request(method, target, body, sent)
        response = self._connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        for header in response.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        self.statuses[answer.status] += 1
        return answer

    def get(self, place: str) -> Answer:
        """Ask for a page."""
        return self.request("GET", place)

    def post(self, place: str, **form: object) -> Answer:
        """Send a form."""
        return self.request("POST", place, form)

    def begin(self, color_vision: str = "normal", query: str = "", **more: object) -> Answer:
        """Agree to take part, having come by an address with such a query, as `?PID=somebody`."""
        page = self.get(f"./{query}")
        own = {name: page.field(name) for name in ("csrf", "external_id") if f'name="{name}"' in page.text}
        return self.post("consent", **own, color_vision=color_vision, agree="yes", able="yes", **more)

    def look(self) -> Answer:
        """Load the next trial, and look at its pair where that has not been shown."""
        page = self.get("trial")
        if page.status == 200 and 'data-state="new"' in page.text:
            for step in ("pair", "shown"):
                self.post(step, csrf=page.field("csrf"), number=page.field("number"))
        return page

    def judge(self, choose: Choose) -> bool:
        """Look at the next pair and answer.

        Args:
            choose: From a trial's number to `left` or `right`.

        Returns:
            Whether there was one.
        """
        page = self.look()
        if page.status == 303:
            return False
        number, token = int(page.field("number")), page.field("csrf")
        choice, seen = choose(number), re.findall('data-exposure="([0-9]+)"', page.text)[0]
        answered = self.post("answer", csrf=token, number=number, choice=choice, exposure_ms=seen, response_ms="812.5")
        if answered.status == 200:
            # Sent again where the confirmation was lost, the same answer is confirmed.
            self.confirmed[number] = choice
        elif answered.status != 409:
            raise RuntimeError(f"answer {number}: {answered.status} {answered.text[:500]}")
        return True

    def take_part(self, choose: Choose) -> None:
        """Begin, and judge all pairs."""
        begun = self.begin()
        if begun.status != 303:
            raise RuntimeError(f"consent: {begun.status} {begun.text[:500]}")
        while self.judge(choose):
            pass


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Return whether a server has closed a connection that nothing was asked on for a while, as browsers find out."""
    waiting = select.poll()
    if connection.sock is not None:
        waiting.register(connection.sock, select.POLLIN)
    return bool(waiting.poll(0))


def at_once(visitors: Sequence[Visitor], choose: Callable[[Visitor, int], str]) -> list[BaseException]:
    """Let visitors take part all at the same time, and return what went wrong."""
    errors = list[BaseException]()

    def take_part(visitor: Visitor) -> None:
        try:
            visitor.take_part(lambda number: choose(visitor, number))
        except BaseException as error:  # shown by whoever waits for the thread
            errors.append(error)
        finally:
            visitor.close()

    threads = [threading.Thread(target=take_part, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
