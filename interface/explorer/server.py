"""The explorer's server: one page on the loopback address, and answers to it.

Requests are complete in themselves; nothing of a page is kept. Only this machine is
answered, and only what names it as host, so that no other site's page can ask through
a browser. What takes longer than a slider's patience is answered by a process of its
own.
"""

from __future__ import annotations

import json
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Lock
from typing import Any

from threadpoolctl import threadpool_limits

from detequiv.explorer.answers import FAST, SLOW, answer
from detequiv.shell.parallel import workers
from detequiv.theory.errors import InputError

__all__ = ["ADDRESS", "USUAL_PORT", "Server", "serving"]

ADDRESS = "127.0.0.1"
USUAL_PORT = 8410
FILES = {
    "/": ("page.html", "text/html"),
    "/style.css": ("style.css", "text/css"),
    "/plot.js": ("plot.js", "text/javascript"),
    "/page.js": ("page.js", "text/javascript"),
}
HEADERS = {
    "Cache-Control": "no-store",
    # inline styles are those of formulas; nothing is fetched from elsewhere
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src "
    "'self'; img-src data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LONGEST = 100_000  # bytes of a request
PATIENCE = 30  # seconds that a connection may keep silent


class Server(ThreadingHTTPServer):
    """A server of the page.

    Parameters
    ----------
    port : int
        Where to listen; 0 for any that is free.
    beginning : str
        Text of the problem file that a page without a state begins with.
    slow : Executor
        Where slow answers are computed.
    """

    daemon_threads = True

    def __init__(self, port: int, beginning: str, slow: Executor) -> None:
        self.beginning, self._slow = beginning, slow
        # one computation at a time: the precision of the arithmetic is that of
        # the process, not of a thread
        self._lock = Lock()
        super().__init__((ADDRESS, port), _Handler)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{ADDRESS}:{self.server_port}/"

    def answer(self, part: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a part of the page; see `detequiv.explorer.answers.answer`."""
        request = {"problem": self.beginning} | request
        if part in SLOW:
            return self._slow.submit(answer, part, request).result()
        with self._lock:
            return answer(part, request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let pages go that have been closed; show any other failure."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


@contextmanager
def serving(port: int | None, beginning: str) -> Iterator[Server]:
    """Open a server and the process of its slow answers, and close both.

    Parameters
    ----------
    port : int or None
        Where to listen; by default the usual port, or any if that is taken.
    beginning : str
        See `Server`.

    Raises
    ------
    InputError
        Nothing can listen at the port.
    """
    # problems of this size are quicker on one thread
    with workers(1) as slow, threadpool_limits(limits=1):
        try:
            server = Server(USUAL_PORT if port is None else port, beginning, slow)
        except OSError as error:
            if port is not None:
                reason = (error.strerror or str(error)).lower()
                raise InputError("--port", port, f"cannot be used: {reason}") from None
            server = Server(0, beginning, slow)
        with server:
            yield server


class _RefusalError(Exception):
    """A request that is not answered, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE

    def setup(self) -> None:
        """Send small answers at once."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def do_GET(self) -> None:
        """Give one of the files of the page."""
        self._serve(self._give_file)

    def do_POST(self) -> None:
        """Compute a part of the page, ``/answer/NAME``, from a JSON object."""
        self._serve(self._compute)

    def _serve(self, respond: Callable[[], None]) -> None:
        """Respond to this machine; say what is wrong, and hear no more, if it is."""
        port = self.server.server_port
        try:
            if self.headers.get("Host") not in (
                f"{ADDRESS}:{port}",
                f"localhost:{port}",
            ):
                raise _RefusalError(403, "this host is not served")
            respond()
        except _RefusalError as refusal:
            self.close_connection = True
            failure = {"message": refusal.message, "field": ""}
            self._send_json(refusal.status, {"failure": failure})

    def _give_file(self) -> None:
        path = self.path.partition("?")[0]
        if path not in FILES:
            raise _RefusalError(404, "there is no such page")
        name, kind = FILES[path]
        text = files("detequiv.explorer").joinpath(name).read_bytes()
        self._send(200, f"{kind}; charset=utf-8", text)

    def _compute(self) -> None:
        part, request = self.path.removeprefix("/answer/"), self._read()
        if part not in FAST and part not in SLOW:
            raise _RefusalError(404, "there is no such answer")
        try:
            values = self.server.answer(part, request)
        except Exception as error:  # the page says so, and goes on
            traceback.print_exc()
            what = f"not foreseen: {type(error).__name__}: {error}"
            raise _RefusalError(500, what) from None
        self._send_json(200, values)

    def _read(self) -> dict[str, Any]:
        """Read the JSON object of a request."""
        length = self.headers.get("Content-Length", "")
        # a page elsewhere may send a form without asking, but not this type
        if self.headers.get("Content-Type") != "application/json":
            raise _RefusalError(415, "send application/json")
        if not length.isdecimal() or int(length) > LONGEST:
            raise _RefusalError(413, f"send at most {LONGEST} bytes")
        try:
            request = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            request = None
        form = request.get("form", {}) if isinstance(request, dict) else None
        if not isinstance(request, dict) or not isinstance(form, dict):
            raise _RefusalError(400, "send a JSON object")
        return request

    def _send_json(self, status: int, values: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(values).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Name the server without its versions."""
        return "detequiv"

    def log_message(self, format: str, *args: Any) -> None:
        """Keep standard error for what goes wrong."""
