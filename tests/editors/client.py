"""A client of the language server: JSON-RPC over the pipes of a process, as an editor speaks it."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SECONDS = 60


class Client:
    """One editor with one server; use it as a context manager."""

    def __init__(self, folder: Path, encodings: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "semlang", "lsp", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        self.folder = folder
        self.numbers = itertools.count(1)
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.errors: list[bytes] = []
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._read, self._complain)]
        for thread in self.threads:
            thread.start()
        general = {"positionEncodings": encodings} if encodings else {}
        answer = self.ask(
            "initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {"general": general}}
        )
        self.capabilities = answer["capabilities"]
        self.tell("initialized", {})

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *problem: object) -> None:
        try:
            if problem[0] is None:
                self.ask("shutdown", None)
                self.tell("exit", None)
                assert self.process.wait(SECONDS) == 0, b"".join(self.errors).decode()
        finally:
            self.process.kill()
            self.process.wait()
            for thread in self.threads:
                thread.join(SECONDS)
            for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
                assert pipe is not None
                pipe.close()

    def tell(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and return the result."""
        number = next(self.numbers)
        self._send({"id": number, "method": method, "params": params})
        answer = self._wait(lambda message: message.get("id") == number and "method" not in message)
        assert "error" not in answer, answer
        return answer["result"]

    def findings(self, uri: str, version: int | None = None) -> list[dict[str, Any]]:
        """Return the findings published for a document (a version of it)."""

        def wanted(message: dict[str, Any]) -> bool:
            params = message.get("params") or {}
            return (
                message.get("method") == "textDocument/publishDiagnostics"
                and params["uri"] == uri
                and params.get("version") == version
            )

        found: list[dict[str, Any]] = self._wait(wanted)["params"]["diagnostics"]
        return found

    def open(self, name: str, text: str) -> tuple[str, list[dict[str, Any]]]:
        """Open a document and return its address and findings."""
        uri = (self.folder / name).as_uri()
        document = {"uri": uri, "languageId": "semlang", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return uri, self.findings(uri, 1)

    def change(self, uri: str, text: str, version: int) -> list[dict[str, Any]]:
        """Replace the text of a document and return its findings."""
        document = {"uri": uri, "version": version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
        return self.findings(uri, version)

    def at(self, method: str, uri: str, line: int, character: int, **more: Any) -> Any:
        """Ask about a place."""
        place = {"line": line, "character": character}
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": place, **more})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _wait(self, wanted: Any) -> dict[str, Any]:
        while True:
            try:
                message = self.answers.get(timeout=SECONDS)
            except queue.Empty:
                raise AssertionError(b"".join(self.errors).decode() or "no answer") from None
            if wanted(message):
                return message

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            self.answers.put(json.loads(stream.read(length)))

    def _complain(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(self.process.stderr)
