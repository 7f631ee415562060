"""`semlang lsp` driven by a client over standard input and output."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

EXAMPLES = Path(__file__).parents[2] / "examples"
MODEL = """\
data: "people.csv"
cluster: school

score :: poisson(log)
visual =~ x1 + x2 + a*x3
score ~ 1 + b*visual + age + (1 + age | school)
indirect := a*b
"""
DATA = "x1,x2,x3,score,age,my column,school\n" + "".join(
    f"{i % 7}.5,{(i * 3) % 11}.25,{(i * i) % 13},{i % 4},{(i * 5) % 17},{i},{i // 6}\n" for i in range(60)
)


def _client() -> Any:
    spec = importlib.util.spec_from_file_location("language_client", Path(__file__).with_name("client.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "people.csv").write_text(DATA, encoding="utf-8")
    (folder / "base.sem").write_text("visual =~ x1 + x2\nvisual ~ lab*age\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Any]:
    with _client()(folder) as client:
        yield client


@pytest.fixture(scope="module")
def uri(client: Any) -> str:
    uri, found = client.open("model.sem", MODEL)
    assert [f["code"] for f in found if f["severity"] == 1] == []
    return str(uri)


def spot(text: str, piece: str, shift: int = 0) -> tuple[int, int]:
    """Return line and character (ASCII) of a piece of text."""
    at = text.index(piece) + shift
    return text.count("\n", 0, at), at - (text.rfind("\n", 0, at) + 1)


def slugs(found: list[dict[str, Any]]) -> list[str]:
    return [f["code"] for f in found]


def labels(answer: dict[str, Any]) -> list[str]:
    return [item["label"] for item in answer["items"]]


# ------------------------------------------------------------------ findings


def test_capabilities(client: Any) -> None:
    offered = client.capabilities
    for what in ("hover", "definition", "documentFormatting", "documentSymbol", "codeAction", "completion"):
        assert offered[f"{what}Provider"]
    assert offered["positionEncoding"] == "utf-16"


def test_findings_come_and_go(client: Any) -> None:
    uri, found = client.open("findings.sem", "visual =- x1 + x2 + x3\ny ~ $x\n")
    assert slugs(found) == ["unknown-operator", "unknown-character"]
    assert found[0]["range"] == {"start": {"line": 0, "character": 7}, "end": {"line": 0, "character": 9}}
    assert found[0]["severity"] == 1
    assert found[0]["source"] == "semlang"
    assert "help: write '=~'" in found[0]["message"]
    assert client.change(uri, "visual =~ x1 + x2 + x3\n", 2) == []
    client.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert client.findings(uri) == []


def test_findings_of_checks(client: Any) -> None:
    _, found = client.open("cycle.sem", "y1 ~ y2\ny2 ~ y1\n")
    assert "cyclic-paths" in slugs(found)
    _, found = client.open("thin.sem", "f =~ x1 + x2\n")
    assert "not-identified" in slugs(found)


def test_a_quick_fix_mends_the_text(client: Any) -> None:
    text = "visual =- x1 + x2 + x3\n"
    uri, found = client.open("fix.sem", text)
    actions = client.ask(
        "textDocument/codeAction",
        {"textDocument": {"uri": uri}, "range": found[0]["range"], "context": {"diagnostics": found}},
    )
    (edit,) = actions[0]["edit"]["changes"][uri]
    assert actions[0]["kind"] == "quickfix"
    assert actions[0]["diagnostics"][0]["code"] == "unknown-operator"
    start, end = edit["range"]["start"]["character"], edit["range"]["end"]["character"]
    mended = text[:start] + edit["newText"] + text[end:]
    assert mended == "visual =~ x1 + x2 + x3\n"
    assert client.change(uri, mended, 2) == []


def test_columns_are_those_of_the_data(client: Any) -> None:
    text = 'data: "people.csv"\nvisual =~ x1 + x2 + x33\n'
    uri, found = client.open("columns.sem", text)
    assert slugs(found) == ["unknown-column"]
    assert found[0]["range"]["start"] == dict(zip(("line", "character"), spot(text, "x33")))
    assert "x3" in found[0]["message"]
    assert "unknown-column" not in slugs(client.change(uri, text.replace("x33", "x3"), 2))
    missing = client.change(uri, text.replace("people", "nobody").replace("x33", "x3"), 3)
    assert [(f["code"], f["severity"], f["range"]["start"]["line"]) for f in missing] == [("missing-file", 2, 0)]


def test_data_that_change_are_read_again(client: Any, folder: Path) -> None:
    (folder / "small.csv").write_text("x1,x2\n1,2\n3,5\n2,2\n7,1\n", encoding="utf-8")
    uri, found = client.open("small.sem", 'data: "small.csv"\ny ~ x1\n')
    assert slugs(found) == ["unknown-column"]
    (folder / "small.csv").write_text("x1,x2,y\n1,2,4\n3,5,1\n2,2,2\n7,1,9\n", encoding="utf-8")
    client.tell("textDocument/didSave", {"textDocument": {"uri": uri}})
    assert "unknown-column" not in slugs(client.findings(uri, 1))


def test_findings_in_an_included_file_stand_at_the_line_that_includes_it(client: Any, folder: Path) -> None:
    (folder / "bad.sem").write_text("f =~ x1 + x2\n\nf =- x3\n", encoding="utf-8")
    _, found = client.open("includes.sem", '# a comment\ninclude: "bad.sem"\n')
    assert slugs(found) == ["unknown-operator"]
    assert found[0]["range"]["start"]["line"] == 1
    assert "bad.sem, line 3" in found[0]["message"]


# ------------------------------------------------------------------ positions


@pytest.mark.parametrize("encodings", [["utf-16"], ["utf-8", "utf-16"], ["utf-32"], None])
def test_wide_characters(folder: Path, encodings: list[str] | None) -> None:
    """Behind emoji and ideographs the columns are those of the client, in each encoding."""
    chosen = encodings[0] if encodings else "utf-16"
    codec, size = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[chosen]

    def units(text: str) -> int:
        return len(text.encode(codec)) // size

    with _client()(folder, encodings) as client:
        assert client.capabilities["positionEncoding"] == chosen
        uri, found = client.open("wide.sem", "# 😀\n`😀😀` + 身長é =- x1\n")
        assert slugs(found) == ["unknown-operator"]
        assert found[0]["range"]["start"] == {"line": 1, "character": units("`😀😀` + 身長é ")}
        client.change(uri, "`😀😀` =~ 身長é + x2 + q*x3\np := q*2\n", 2)
        said = client.at("hover", uri, 0, units("`😀😀` =~ 身"))
        assert "身長é: response" in said["contents"]["value"]
        assert said["range"]["start"]["character"] == units("`😀😀` =~ ")
        assert said["range"]["end"]["character"] == units("`😀😀` =~ 身長é")
        there = client.at("definition", uri, 1, 5)
        assert there["range"]["start"] == {"line": 0, "character": units("`😀😀` =~ 身長é + x2 + ")}
        client.change(uri, "f =~ x1 + x2 + x3 + 身長é\n`😀😀` ~ 身\n", 3)
        typed = client.at("completion", uri, 1, units("`😀😀` ~ 身"))
        (item,) = [i for i in typed["items"] if i["label"] == "身長é"]
        assert item["textEdit"]["range"]["start"]["character"] == units("`😀😀` ~ ")


def test_line_endings(client: Any) -> None:
    uri, found = client.open("windows.sem", "# one\r\nf =~ x1 + x2 + x3\r\ny =- f\r\n")
    assert found[0]["range"]["start"] == {"line": 2, "character": 2}
    assert client.at("hover", uri, 1, 0)["contents"]["value"].startswith("f is measured by x1")


# ------------------------------------------------------------------ hover


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        ("=~", "visual is measured by x1 (loading fixed to 1, which sets the scale), x2 and x3 (loading labelled a)."),
        ("=~", "=~  is measured by. Example: f =~ y1 + y2"),
        ("visual =~", "visual: latent variable"),
        ("x2", "x2: response, gaussian"),
        ("x2", "a column of the data"),
        ("score ~", "random intercept and random slope of age over school, correlated."),
        ("age +", "age: covariate"),
        ("| school", "|  random effects over. Example: (1 + x | school)"),
        ("poisson", "poisson: a count with a Poisson distribution\nlinks: log, identity, sqrt"),
        ("::", "score is a count with a Poisson distribution, link log."),
        ("cluster", "cluster: columns of the clusters, the outermost first"),
        ("indirect", "indirect: defined parameter, a*b"),
        ("a*b", "a: label of visual =~ x3"),
        ("+ x2", "+  joins terms"),
    ],
)
def test_hover(client: Any, uri: str, piece: str, expected: str) -> None:
    answer = client.at("hover", uri, *spot(MODEL, piece))
    assert answer["contents"]["kind"] == "plaintext"
    assert expected in answer["contents"]["value"]


def test_hover_on_nothing(client: Any, uri: str) -> None:
    assert client.at("hover", uri, 2, 0) is None
    assert client.at("hover", uri, 99, 99) is None


def test_hover_beside_a_broken_line(client: Any) -> None:
    uri, found = client.open("half.sem", "f =~ x1 + x2 + x3\ny ~ (f\n")
    assert slugs(found) == ["unclosed-bracket"]
    assert "f is measured by x1 (loading fixed to 1" in client.at("hover", uri, 0, 6)["contents"]["value"]
    assert "is regressed on" in client.at("hover", uri, 1, 2)["contents"]["value"]


# ------------------------------------------------------------------ completion


def complete(client: Any, text: str, name: str = "typing.sem") -> dict[str, Any]:
    """Type a text at the end of a document and ask what may follow; ``^`` marks the cursor."""
    cursor = text.index("^")
    typed = text.replace("^", "")
    uri, _ = client.open(name, typed)
    line = text.count("\n", 0, cursor)
    answer: dict[str, Any] = client.at("completion", uri, line, cursor - (text.rfind("\n", 0, cursor) + 1))
    return answer


def test_operators(client: Any) -> None:
    answer = complete(client, "f ^")
    operators = {i["label"]: i["detail"] for i in answer["items"]}
    assert {"=~", "~", "~~", "::", ":=", "|", "=="} <= set(operators)
    assert operators["=~"].startswith("is measured by")
    started = complete(client, "f =^")["items"]
    assert {i["label"] for i in started if i["kind"] == 24} == {"=~", "=="}
    assert started[0]["textEdit"]["range"]["start"]["character"] == 2


def test_kinds_links_and_arguments(client: Any) -> None:
    assert {"binomial", "poisson", "class", "ordinal"} <= set(labels(complete(client, "y :: ^")))
    assert {"logit", "probit", "trials="} <= set(labels(complete(client, "y :: binomial(^")))
    assert "my column" in " ".join(labels(complete(client, 'data: "people.csv"\ny :: binomial(logit, trials=^')))


def test_directives_at_the_beginning_of_a_line(client: Any) -> None:
    answer = complete(client, "f =~ x1 + x2\nclu^")
    item = next(i for i in answer["items"] if i["label"] == "cluster:")
    assert item["textEdit"] == {
        "newText": "cluster: ",
        "range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 3}},
    }
    assert "cluster:" not in labels(complete(client, "f =~ clu^"))


def test_names_and_columns(client: Any) -> None:
    answer = complete(client, MODEL + "age2 ~ vis^")
    names = {i["label"]: i["detail"] for i in answer["items"]}
    assert names["visual"] == "latent variable"
    assert names["score"] == "response, poisson, link log"
    assert names["age"] == "covariate"
    assert names["a"] == "label"
    assert names["`my column`"] == "column of the data"
    assert "vis" not in names
    assert list(names).index("visual") < list(names).index("`my column`") < list(names).index("start(")


def test_names_in_broken_statements_count(client: Any) -> None:
    assert "oops" in labels(complete(client, "oops =~ (x1 + \ny ~ ^"))


def test_columns_of_directives_and_clusters(client: Any) -> None:
    assert "school" in labels(complete(client, 'data: "people.csv"\ncluster: ^'))
    assert labels(complete(client, "cluster: school/class\ny ~ x + u[^"))[:2] == ["school", "class"]
    assert "school" in labels(complete(client, "cluster: school\ny ~ x + (1 | ^"))
    assert labels(complete(client, "c :: class(3)\ny ~ c@^")) == ["1", "2", "3"]
    assert "std.lv =" in labels(complete(client, "options: ^"))


def test_files(client: Any) -> None:
    assert "people.csv" in labels(complete(client, 'data: "^'))
    assert labels(complete(client, 'include: "ba^'))[:2] == ["bad.sem", "base.sem"]


def test_nothing_in_comments_numbers_and_strings(client: Any) -> None:
    for text in ("# vis^", "f =~ 1.^", 'data: "x"^', "f =~ x1 # + ^"):
        assert labels(complete(client, text)) == []


# ------------------------------------------------------------------ definition, outline, layout


def test_definition(client: Any, uri: str) -> None:
    def goes(piece: str, shift: int = 0) -> tuple[int, int]:
        answer = client.at("definition", uri, *spot(MODEL, piece, shift))
        assert answer["uri"] == uri
        return answer["range"]["start"]["line"], answer["range"]["start"]["character"]

    assert goes("a*b") == spot(MODEL, "a*x3")
    assert goes("a*b", 2) == spot(MODEL, "b*visual")
    assert goes("b*visual", 2) == spot(MODEL, "visual =~")
    assert goes("score ~") == spot(MODEL, "score ::")
    assert client.at("definition", uri, 2, 0) is None
    assert client.at("definition", uri, *spot(MODEL, "people"))["uri"].endswith("/people.csv")


def test_definition_in_an_included_file(client: Any) -> None:
    uri, found = client.open("child.sem", 'include: "base.sem"\np := lab*2\nx3 ~ visual\n')
    assert "unknown-label" not in slugs(found)
    answer = client.at("definition", uri, 1, 6)
    assert answer["uri"].endswith("/base.sem")
    assert answer["range"]["start"] == {"line": 1, "character": 9}


def test_a_defined_parameter_and_a_label_beside_a_column(client: Any) -> None:
    text = "m ~ x1*x1\ny ~ x1\np := x1*2\nq := p + 1\n"
    uri, _ = client.open("both.sem", text)
    assert client.at("definition", uri, 2, 5)["range"]["start"] == {"line": 0, "character": 4}
    assert client.at("definition", uri, 1, 4)["range"]["start"] == {"line": 0, "character": 7}
    assert client.at("definition", uri, 3, 5)["range"]["start"] == {"line": 2, "character": 0}


def test_outline(client: Any, uri: str) -> None:
    entries = client.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    assert [e["name"] for e in entries] == [
        "data:", "cluster:", "score :: poisson", "visual", "score", "indirect",
    ]  # fmt: skip
    assert entries[3]["detail"].startswith("visual is measured by")


def test_layout(client: Any) -> None:
    def formatted(text: str, name: str) -> str:
        uri, _ = client.open(name, text)
        options = {"tabSize": 4, "insertSpaces": True}
        edits = client.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": options})
        if not edits:
            return text
        (edit,) = edits
        assert edit["range"]["start"] == {"line": 0, "character": 0}
        return str(edit["newText"])

    assert formatted("f=~x1+ 2 *x2 ;y~f   # both 😀", "a.sem") == "f =~ x1 + 2*x2\ny ~ f  # both 😀\n"
    assert formatted("f =~ x1 + x2\n", "b.sem") == "f =~ x1 + x2\n"
    assert formatted("f=~(x1 + x2\n", "c.sem") == "f=~(x1 + x2\n"


# ------------------------------------------------------------------ whatever is typed


def test_every_beginning_of_a_model_is_answered(client: Any) -> None:
    """A model typed character by character: findings, hover, completion and outline answer at every step."""
    text = (EXAMPLES / "political-democracy" / "model.sem").read_text(encoding="utf-8")[:260]
    uri, _ = client.open("grow.sem", "")
    for n in range(1, len(text), 3):
        part = text[:n]
        client.change(uri, part, n + 1)
        place = (part.count("\n"), n - (part.rfind("\n") + 1))
        client.at("completion", uri, *place)
        client.at("hover", uri, *place)
        client.at("definition", uri, *place)
        client.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", ":", "::", "f =~", "=~ =~ =~", "(((((", "y ~ (1 |", "{1..", "`", '"', "data:", "level:", "class c:",
        "i{1..99999999} ~ x", "\x00", "é" * 3000, "include: \"grow.sem\"", "options: =", "p :=", "c :: class()",
        "a == b == ", "y@ ~ x", "u[ ~ x", "\ud7ff ~ \uffff", "x" * 300_000,
    ],
)  # fmt: skip
def test_broken_texts(client: Any, text: str) -> None:
    uri, _ = client.open("broken.sem", text)
    for place in ((0, 0), (0, len(text)), (0, len(text) // 2), (5, 5)):
        for method in ("hover", "completion", "definition"):
            client.at(method, uri, *place)
    client.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    options = {"tabSize": 4, "insertSpaces": True}
    client.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": options})


def test_examples_have_no_errors(folder: Path) -> None:
    with _client()(folder) as client:
        for path in sorted(EXAMPLES.glob("*/model.sem")):
            client.folder = path.parent
            _, found = client.open("model.sem", path.read_text(encoding="utf-8"))
            assert [f for f in found if f["severity"] == 1] == [], path
        assert b"".join(client.errors).count(b"Traceback") == 0


def test_a_missing_package_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    from semlang.cli.commands import lsp

    monkeypatch.setattr(lsp, "find_spec", lambda name: None)
    result = CliRunner().invoke(lsp.command, [])
    assert result.exit_code == 2
    assert "missing-extra" in result.stderr
    assert 'pip install "semlang[lsp]"' in result.stderr
