"""A page of this computer, for those who know its address."""

from __future__ import annotations

import http.server
import json
import secrets
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from hornbeam.utils import html

# Names that a browser on this computer uses. A name from elsewhere that was made to
# point here (DNS rebinding) is refused.
_HOSTS = ("127.0.0.1", "localhost")
_SECONDS_BETWEEN_POLLS = 1.0
# The rest of the time goes to the training.
_SHARE_OF_RENDERING = 0.01
_SECONDS_FOR_THE_LAST_POLL = 2.0


class LiveServer:
    """Serves one page on 127.0.0.1, in a thread that sleeps until it is asked.

    The page has a random token in its address; a request without it is refused.

    Args:
        port: the port; 0 takes a free one, and then keeps it.
        title: of the page.
        state: `state(since)` returns a version, a status in words, the sections
            of the page, as pairs `(title, HTML)` with None for what has not changed
            since a version, or None if nothing has, and whether no more will change.
    """

    def __init__(
        self,
        port: int,
        title: str,
        state: Callable[
            [int], tuple[int, str, list[tuple[str, str | None]] | None, bool]
        ],
    ) -> None:
        self.token: str = secrets.token_urlsafe(18)
        self.port: int = port
        self._title = title
        self._state = state
        self._server: Any = None
        self._thread: Any = None
        self._wait = _SECONDS_BETWEEN_POLLS
        self._asked = -float("inf")
        self._told_the_end = threading.Event()
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        return self._server is not None

    @property
    def url(self) -> str:
        """The address of the page, with its token."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    def start(self) -> bool:
        """Answer from now on; return whether it did not before."""
        with self._lock:
            if self._server is None:
                self._start()
                return True
        return False

    def _start(self):
        self._told_the_end.clear()
        try:
            self._server = _Server(("127.0.0.1", self.port), self._handler())
        except OSError as error:
            raise OSError(
                error.errno,
                f"LivePage cannot listen on port {self.port} of 127.0.0.1 "
                f"({error.strerror}). Choose another with `port=`, or a free one with "
                "port=0",
            ) from error
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve, name="hornbeam-live-page", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; who was just looking is told the last state before."""
        with self._lock:
            if self._server is not None:
                self._stop()

    def _stop(self):
        if time.monotonic() - self._asked < self._wait + _SECONDS_FOR_THE_LAST_POLL:
            self._told_the_end.wait(self._wait + _SECONDS_FOR_THE_LAST_POLL)
        self._server.stop()
        self._thread.join()
        self._server.server_close()
        self._server = self._thread = None

    def _handler(self):
        return lambda *arguments: _Handler(self, *arguments)

    def answer(self, path: str, query: str) -> tuple[str, str] | None:
        """Return the kind and the text of what is at a path, or None."""
        token, _, name = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return None
        if name == "":
            head = html.head(self._title, "")
            status = '<div id="status" class="hb-faint" role="status">…</div>'
            content = f"<main>{head}{status}</main>"
            return "text/html", html.page(self._title, content, live=True)
        if name == "state":
            return "application/json", json.dumps(self._news(query))
        return None

    def _news(self, query):
        """Return what has changed, and when to ask again: rendering takes 1%."""
        since = urllib.parse.parse_qs(query).get("since", ["0"])[0]
        started = time.monotonic()
        version, status, sections, ended = self._state(
            int(since) if since.isdecimal() else 0
        )
        self._asked = time.monotonic()
        taken = self._asked - started
        self._wait = max(_SECONDS_BETWEEN_POLLS, taken / _SHARE_OF_RENDERING)
        if ended:
            self._told_the_end.set()
        return {
            "version": version,
            "status": status,
            "sections": sections
            and [
                (
                    html.section_id(title),
                    content and f"<h2>{html.escape(title)}</h2>{content}",
                )
                for title, content in sections
            ],
            "ended": ended,
            "wait": round(1000 * self._wait),
        }


class _Server(http.server.ThreadingHTTPServer):
    """Sleeps until a request comes, and is stopped by one."""

    daemon_threads = False  # they are waited for; a request lasts two seconds at most
    stopping = False

    def serve(self):
        while not self.stopping:
            self.handle_request()

    def stop(self):
        self.stopping = True
        with socket.create_connection(("127.0.0.1", self.server_port)):
            pass

    def handle_error(self, request, client_address):
        """A browser that goes away is no error of the training."""


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = 2
    server_version = "hornbeam"
    sys_version = ""

    def __init__(self, page, *arguments):
        self._page = page
        super().__init__(*arguments)

    def do_GET(self):
        host = urllib.parse.urlsplit(f"//{self.headers.get('Host', '')}")
        asked = urllib.parse.urlsplit(self.path)
        found = None
        if host.hostname in _HOSTS:
            found = self._page.answer(asked.path, asked.query)
        if found is None:
            self._send(403, "text/plain", "Forbidden: the address lacks its token.\n")
        else:
            self._send(200, *found)

    def _send(self, code, kind, words):
        content = words.encode()
        self.send_response(code)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        """Requests are not printed."""
