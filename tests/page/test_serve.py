"""The server of the page: it answers its own page, and nobody else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from semlang.page.analyse import analyse
from semlang.page.files import GALLERY, gallery
from semlang.page.serve import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()


def ask(server: Server, what: str, body: Any = None, method: str = "POST", **headers: str) -> tuple[int, bytes, Any]:
    """Send a question with the right token, unless the headers say otherwise."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    sent = {"X-Semlang-Token": server.token, "Content-Type": "application/json"} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    connection.request(method, "/" + what, data if method == "POST" else None, sent)
    response = connection.getresponse()
    return response.status, response.read(), response.headers


def test_the_answer_is_that_of_the_function(server: Server) -> None:
    text = "f =~ x1 + x2 + x3\ng ~ f + f\n"
    status, body, _ = ask(server, "analyse", {"text": text})
    assert status == 200
    assert json.loads(body) == json.loads(json.dumps(analyse(text)))


def test_a_fit_is_that_of_the_program(server: Server) -> None:
    import pandas as pd

    from semlang.api import Model

    csv = (GALLERY / "mediation.csv").read_text()
    status, body, _ = ask(server, "data", {"name": "mediation.csv", "csv": csv})
    data = json.loads(body)
    assert (status, data["n_rows"], data["columns"]) == (200, 300, ["x", "m", "y"])
    text = (GALLERY / "mediation.sem").read_text()
    _, body, _ = ask(server, "fit", {"text": text, "data": data["key"]})
    answer = json.loads(body)
    native = Model(text).fit(pd.read_csv(GALLERY / "mediation.csv")).to_json()
    assert answer["fit"]["loglik"] == pytest.approx(native["loglik"], abs=1e-9)
    assert [p["est"] for p in answer["fit"]["parameters"]] == pytest.approx([p["est"] for p in native["parameters"]])
    assert answer["diagram"][0]["edges"]


def test_what_is_wrong_with_a_model_or_data_is_a_finding(server: Server) -> None:
    key = json.loads(ask(server, "data", {"name": "d.csv", "csv": "x,y\n1,2\n2,3\n3,1\n"})[1])["key"]
    answer = json.loads(ask(server, "fit", {"text": "y ~ z", "data": key})[1])
    assert answer["fit"] is None
    assert [f["slug"] for f in answer["findings"]] == ["unknown-column"]
    assert [f["slug"] for f in json.loads(ask(server, "data", {"name": "d", "csv": "1,2\n"})[1])["findings"]] == [
        "no-header"
    ]


@pytest.mark.parametrize(
    ("what", "body", "headers", "status"),
    [
        ("analyse", {"text": "y ~ x"}, {"X_Semlang_Token": "guess"}, 403),
        ("analyse", {"text": "y ~ x"}, {"X_Semlang_Token": ""}, 403),
        ("analyse", {"text": "y ~ x"}, {"Host": "evil.example"}, 403),
        ("analyse", {"text": 3}, {}, 400),
        ("analyse", b"{", {}, 400),
        ("analyse", b"[" * 100_000, {}, 400),
        ("analyse", {"text": "y ~ x", "data": "unknown"}, {}, 400),
        ("elsewhere", {}, {}, 400),
        ("analyse", b"", {"Content_Length": "999999999999"}, 413),
    ],
)
def test_refusals(server: Server, what: str, body: Any, headers: dict[str, str], status: int) -> None:
    found, text, _ = ask(server, what, body, **headers)
    assert found == status
    assert b"Traceback" not in text


def test_files(server: Server) -> None:
    status, page, headers = ask(server, "?token=x", method="GET")
    assert status == 200
    assert b'data-transport="server"' in page
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert json.loads(ask(server, "gallery.json", method="GET")[1]) == gallery()
    assert ask(server, "gallery/rasch.csv", method="GET")[0] == 200
    for path in ("../serve.py", "gallery/../../serve.py", "serve.py", "%2e%2e/serve.py", "/etc/passwd"):
        assert ask(server, path, method="GET")[0] == 404


def test_it_listens_to_this_machine_alone(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert len(server.token) >= 32
    with Server() as other:
        assert other.token != server.token


def test_a_dragged_node_has_its_place_in_the_text(server: Server) -> None:
    """The edits make a text in which the node lies where it was put; a place that is there is written anew."""
    text = "u =~ 1*y1 + y2 + y3\nu ~ `the age`\n"
    for key, x, y in (("u", 150, 30), ("covariate the age", -40, 12.4), ("u", 90, 60)):
        status, body, _ = ask(server, "move", {"text": text, "key": key, "x": x, "y": y})
        assert status == 200
        for edit in json.loads(body)["edits"]:
            text = text[: edit["from"]] + edit["text"] + text[edit["to"] :]
        answer = analyse(text)
        assert answer["findings"] == []
        (d,) = answer["diagram"]
        left, top, width, height = next(n["box"] for n in d["nodes"] if n["key"] == key)
        centre = (left + width / 2 + d["origin"][0], top + height / 2 + d["origin"][1])
        assert centre == pytest.approx((x, round(y)), abs=0.02)
    assert text.count("layout:") == 1
    assert text.count("at(") == 2
