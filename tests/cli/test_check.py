"""``semlang check``: formats for other programs, and edits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from semlang.cli import semlang

BAD = "# 因子\nf =- x1 + x2 + x3\ny ~ f + 3x\n"


def check(*arguments: str, stdin: bytes | None = None) -> Result:
    """Run ``semlang check``."""
    return CliRunner().invoke(semlang, ["check", *arguments], input=stdin)


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file with two mistakes, in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("m.sem").write_text(BAD, encoding="utf-8")
    return Path("m.sem")


def test_full_goes_to_standard_error(bad: Path) -> None:
    done = check("m.sem")
    assert done.exit_code == 1
    assert " --> m.sem:2:3\n" in done.stderr
    assert done.stdout == "2 errors\n"


def test_concise(bad: Path) -> None:
    done = check("m.sem", "--output-format", "concise")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "m.sem:2:3: error[unknown-operator] no operator is called '=-'",
        "m.sem:3:9: error[bad-name] '3x' is neither a number nor a name",
    ]


def test_json_is_the_option_json(bad: Path) -> None:
    assert json.loads(check("m.sem", "--output-format", "json").stdout) == json.loads(check("m.sem", "--json").stdout)


def test_github(bad: Path) -> None:
    first, second = check("m.sem", "--output-format", "github").stdout.splitlines()
    assert first.startswith(
        "::error file=m.sem,line=2,col=3,endLine=2,endColumn=5,title=unknown-operator::no operator is called '=-'%0A"
    )
    assert "title=bad-name" in second


def test_github_escapes() -> None:
    done = check("-", "--output-format", "github", stdin=b"y ~ x %in% z\n")
    assert "'%25in%25' has no meaning" in done.stdout


def test_sarif(bad: Path) -> None:
    log = json.loads(check("m.sem", "--output-format", "sarif").stdout)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["tool"]["driver"]["name"] == "semlang"
    assert run["columnKind"] == "unicodeCodePoints"
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
    where = run["results"][0]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"] == {"uri": "m.sem"}
    assert where["region"] == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 5}
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "=~"}


@pytest.mark.parametrize("shape", ["concise", "github", "sarif", "json"])
def test_no_findings(shape: str) -> None:
    done = check("-", "--output-format", shape, stdin=b"f =~ x1 + x2 + x3\n")
    assert done.exit_code == 0
    assert done.stderr == ""
    assert (done.stdout == "") == (shape in ("concise", "github"))
    if shape == "sarif":
        assert json.loads(done.stdout)["runs"][0]["results"] == []


def test_a_file_that_is_not_there_has_no_place() -> None:
    done = check("nowhere.sem", "--output-format", "sarif")
    assert done.exit_code == 2
    assert "locations" not in json.loads(done.stdout)["runs"][0]["results"][0]


def test_fix_writes_what_is_safe_and_says_so(bad: Path) -> None:
    done = check("m.sem", "--fix")
    assert bad.read_text(encoding="utf-8") == BAD.replace("=-", "=~")
    assert "fixed: m.sem:2: unknown-operator" in done.stderr
    assert "error[bad-name]" in done.stderr
    assert "error[unknown-operator]" not in done.stderr
    assert done.exit_code == 1


def test_fix_goes_on_until_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "m.sem"
    path.write_bytes(b"\xef\xbb\xbff =- x1 x2 'x3',x4\r\nclutser: g\r\ny ~ f ++ (1 | g\r\n")
    done = check(str(path), "--fix", "--json")
    assert done.exit_code == 0, done.stderr
    assert path.read_bytes() == b"\xef\xbb\xbff =~ x1 + x2 + x3 + x4\r\ncluster: g\r\ny ~ f + (1 | g)\r\n"
    assert len(json.loads(done.stdout)["result"]["fixed"]) == 8


def test_fix_of_standard_input_prints_the_text() -> None:
    done = check("-", "--fix", stdin=b"f =- x1 x2 + x3\n")
    assert done.exit_code == 0
    assert done.stdout == "f =~ x1 + x2 + x3\n"


def test_fix_leaves_good_files_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.sem"
    path.write_bytes(b"f =~ x1 + x2 + x3\r\ny ~ f\n")
    before = path.stat().st_mtime_ns
    assert check(str(path), "--fix").exit_code == 0
    assert path.read_bytes() == b"f =~ x1 + x2 + x3\r\ny ~ f\n"
    assert path.stat().st_mtime_ns == before


def test_fix_never_touches_an_included_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.sem").write_text("f =- x1 + x2 + x3\n")
    Path("m.sem").write_text('include: "base.sem"\ny ~ f ++ z\n')
    done = check("m.sem", "--fix")
    assert Path("base.sem").read_text() == "f =- x1 + x2 + x3\n"
    assert Path("m.sem").read_text() == 'include: "base.sem"\ny ~ f + z\n'
    assert done.exit_code == 1
    assert "base.sem:1:3" in done.stderr


def test_fix_of_a_misspelt_column_needs_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{i % 3},{i % 5},{i % 7}" for i in range(30))
    Path("d.csv").write_text(f"score,age,income\n{rows}\n")
    Path("m.sem").write_text("score ~ age + incom\n")
    assert check("m.sem", "--fix").exit_code == 0
    assert Path("m.sem").read_text() == "score ~ age + incom\n"
    assert check("m.sem", "--fix", "--data", "d.csv").exit_code == 0
    assert Path("m.sem").read_text() == "score ~ age + income\n"


def test_includes_nested_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for i in range(30):
        Path(f"{i}.sem").write_text(f'include: "{i + 1}.sem"\n')
    Path("30.sem").write_text("y ~ x\n")
    done = check("0.sem", "--json")
    assert [d["slug"] for d in json.loads(done.stdout)["diagnostics"]] == ["include-depth"]
