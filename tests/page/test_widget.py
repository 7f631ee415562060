"""The page in a notebook: one document, and a kernel that answers; a browser shows it in a slow test."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semlang.page.analyse import analyse
from semlang.page.files import BUILT, GALLERY
from semlang.page.widget import document, kernel, reply, widget

HERE = Path(__file__).parent
MEDIATION = (GALLERY / "mediation.sem").read_text()


def test_the_document_asks_for_nothing() -> None:
    html = document()
    head = html.partition("<script")[0]
    assert 'data-transport="frame"' in head
    assert not re.search(r"<link[^>]+stylesheet|url\((?!data:|\))", head)  # url() is a font format left out
    assert html.count("</script>") == 1
    assert "src=" not in html.rpartition("</script>")[2]


def test_questions_are_answered_by_the_kernel() -> None:
    data = pd.read_csv(GALLERY / "mediation.csv")
    answer = kernel(data)
    session = reply(answer, {"id": 1, "what": "session"})["answer"]
    assert (session["data"]["n_rows"], session["data"]["columns"]) == (300, ["x", "m", "y"])
    assert reply(answer, {"id": 2, "what": "analyse", "text": MEDIATION}) == {"id": 2, "answer": analyse(MEDIATION)}
    fit = reply(answer, {"id": 3, "what": "fit", "text": MEDIATION, "data": session["data"]["key"]})["answer"]["fit"]
    assert fit["converged"]
    assert answer.last == fit
    assert reply(answer, {"id": 4, "what": "gallery", "data": "mediation.csv"})["answer"]["csv"].startswith("x,m,y")


@pytest.mark.parametrize("message", [None, 3, {}, {"what": "session"}])
def test_what_is_no_question_is_refused(message: Any) -> None:
    assert reply(kernel(), message)["problem"] == "a question is an object with an id"


@pytest.mark.parametrize(
    "question", [{"what": "fit", "text": "y ~ x"}, {"what": "gallery", "data": "../../etc/passwd"}]
)
def test_what_can_not_be_answered_is_said(question: dict[str, Any]) -> None:
    said = reply(kernel(), {"id": 7, **question})
    assert said["id"] == 7
    assert said["problem"].startswith("ValueError: ")


def test_the_widget() -> None:
    """With anywidget: what a notebook would show, and the text that goes back and forth."""
    pytest.importorskip("anywidget", reason="NOT TESTED: the widget needs anywidget")
    made = widget("f =~ x1 + x2 + x3")
    sent: list[Any] = []
    made.send = sent.append
    made._handle_custom_msg({"id": 1, "what": "analyse", "text": made.text}, [])
    assert sent[0]["answer"]["ok"]
    assert {"text", "page", "height", "_esm"} <= set(made.get_state())
    assert made.get_state()["text"] == "f =~ x1 + x2 + x3"


class Notebook(BaseHTTPRequestHandler):
    """A page with the widget's module and a model like a notebook's, whose messages a kernel answers."""

    def do_GET(self) -> None:
        page = '<!doctype html><title>notebook</title><link rel="icon" href="data:,"><div id="cell"></div>'
        found = {"/": ("text/html", page), "/widget.js": ("text/javascript", (BUILT / "widget.js").read_text())}
        found["/page"] = ("text/plain", document())
        kind, text = found[self.path]
        self.reply(kind, text)

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.reply("application/json", json.dumps(reply(self.server.kernel, question)))  # type: ignore[attr-defined]

    def reply(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.mark.slow
def test_the_widget_in_a_browser() -> None:
    """`SEMLANG_PAGE_TEST` as in `test_playground`."""
    given, node, chromium = os.environ.get("SEMLANG_PAGE_TEST", ""), shutil.which("node"), shutil.which("chromium")
    if not given or node is None or chromium is None:
        pytest.skip("NOT TESTED in a browser: it needs node, chromium and SEMLANG_PAGE_TEST")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Notebook)
    server.kernel = kernel(pd.read_csv(GALLERY / "mediation.csv"))  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    command = [node, str(HERE / "notebook.mjs"), str(Path(given) / "node_modules"), chromium, address, MEDIATION]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr[-2000:]
    out = json.loads(done.stdout)
    assert "problem" not in out, out
    assert (out["elsewhere"], out["console"]) == ([], [])
    assert out["first"] == "identified"
    assert out["text"] == out["typed"] == MEDIATION + "# typed\n"
    assert out["data"] == "data.csv: 300 rows, 3 columns"
    assert out["fitted"]
    assert out["set"] == "a ~ b\n"
    assert out["gone"] == 0
