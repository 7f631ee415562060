"""Serve the page on this machine alone: the same page as in a browser, with full fits."""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from semlang.page.answering import Answering
from semlang.page.files import TYPES, page_files
from semlang.page.full_fit import full_fit

LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
LARGEST = 200 * 1024 * 1024
"""Bytes of a question; data are a part of it."""
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing comes from another host, nothing goes to one (styles within elements are KaTeX's and CodeMirror's)."""


class Server(ThreadingHTTPServer):
    """A server for one user: it listens to this machine alone and answers those that know its token.

    Parameters
    ----------
    port : int
        0 for any that is free.
    name : str
        Name of the text; what it includes is looked for beside it.

    Attributes
    ----------
    token : str
        Random, new for each server; every question carries it.
    """

    daemon_threads = True

    def __init__(self, port: int = 0, name: str = "<text>") -> None:
        super().__init__((HOST, port), _Handler)
        self.token = secrets.token_urlsafe(24)
        self.answering = Answering(full_fit, name)
        self.session: dict[str, Any] = {"text": None, "data": None, "name": None}
        self.fitting = threading.Lock()

    @property
    def address(self) -> str:
        """Where the page is, with the token."""
        return f"http://{HOST}:{self.server_port}/?token={self.token}"

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer a question of the page; one fit at a time."""
        if question.get("what") == "session":
            return self.session
        if question.get("what") != "fit":
            return self.answering.answer(question)
        with self.fitting:
            return self.answering.answer(question)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "semlang"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        if not self._is_ours():
            return
        path = self.path.partition("?")[0].lstrip("/") or "index.html"
        data = page_files().get(path)
        if data is None:
            self._send(404, b"there is no such file\n", "text/plain; charset=utf-8")
            return
        if path == "index.html":
            data = data.replace(b'data-transport="worker"', b'data-transport="server"')
        self._send(200, data, TYPES.get("." + path.rpartition(".")[2], "application/octet-stream"))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        if not self._is_ours():
            return
        if not hmac.compare_digest(self.headers.get("X-Semlang-Token", "").encode(), self.server.token.encode()):
            self._refuse(403, "the token is not that of this server")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST:
            self._refuse(413, "the question is too large, or its length is not said")
            return
        try:
            question = json.loads(self.rfile.read(int(length)))
            if not isinstance(question, dict):
                raise ValueError("a question is an object")
            answer = self.server.answer({**question, "what": self.path.strip("/")})
        except (ValueError, RecursionError) as problem:
            self._refuse(400, str(problem))
        except Exception as problem:
            LOG.exception("semlang: the question '%s' failed", self.path)
            self._refuse(500, f"this is a bug in semlang; please report it: {type(problem).__name__}: {problem}")
        else:
            self._send(200, json.dumps(answer, allow_nan=False).encode(), "application/json")

    def _is_ours(self) -> bool:
        """Whether the browser was told this very address: another name that leads here is somebody else's page."""
        if self.headers.get("Host", "") in (
            f"{HOST}:{self.server.server_port}",
            f"localhost:{self.server.server_port}",
        ):
            return True
        self._refuse(403, f"the page is at {HOST} alone")
        return False

    def _refuse(self, status: int, problem: str) -> None:
        self.close_connection = True
        self._send(status, (problem + "\n").encode(), "text/plain; charset=utf-8")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        LOG.debug(format, *args)
