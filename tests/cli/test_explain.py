"""``semlang explain``: pages of findings, and models in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from semlang.api import Model
from semlang.cli import pages, semlang


def explain(*arguments: str, stdin: bytes | None = None) -> Result:
    """Run ``semlang explain``."""
    return CliRunner().invoke(semlang, ["explain", *arguments], input=stdin)


def test_page() -> None:
    done = explain("cyclic-paths")
    assert done.exit_code == 0
    assert done.stdout.startswith("# cyclic-paths\n")
    assert "## Instead" in done.stdout


def test_every_page_is_found() -> None:
    assert len(pages.known()) > 150
    assert "README" not in pages.known()


def test_misspelt() -> None:
    done = explain("missing-pluss")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "did you mean 'missing-plus'?" in done.stderr
    done = explain("missing-pluss", "--json")
    assert [d["slug"] for d in json.loads(done.stdout)["diagnostics"]] == ["unknown-slug"]


def test_model_in_words(tmp_path: Path) -> None:
    path = tmp_path / "m.sem"
    path.write_text("visual =~ x1 + x2 + x3\nvisual ~ age + (1 | school)\n")
    done = explain(str(path))
    assert done.exit_code == 0
    assert "visual is measured by x1" in done.stdout
    assert "random intercept over school" in done.stdout
    assert "free parameters." in done.stdout
    answer = json.loads(explain("-", "--json", stdin=path.read_bytes()).stdout)
    assert answer["result"]["sentences"] == done.stdout.splitlines()


def test_missing_file() -> None:
    assert explain("nowhere.sem").exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("f =~ x1 + x2 + x3", "A model of 3 responses and 1 latent variable that varies over the rows of the data."),
        ("f =~ x1 + x2 + x3", "Added by default: 3 residual variances, 1 variance and 3 intercepts."),
        ("y :: binomial(logit)\ny ~ x + (1 | g)", "The model has 3 free parameters."),
        ("y :: binomial(logit)\ny ~ x + (1 | g)", "Added by default: 1 intercept."),
        ("f =~ x1 + x2 + x3\nf ~ z", "Added by default: 4 residual variances and 3 intercepts."),
        ("groups: s\ngroup: a\ny ~ x\ngroup: b\ny ~ x", "A model of 1 response, in 2 groups."),
    ],
)
def test_overview(text: str, said: str) -> None:
    assert said in Model(text).explain().splitlines()
