"""``semlang convert``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command with a text on standard input."""
    command = [sys.executable, "-m", "semlang", "convert", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def test_to_lavaan_and_back(tmp_path: Path) -> None:
    file = tmp_path / "m.lav"
    there = run("-", "--to", "lavaan", "-o", str(file), text="f =~ x1 + x2 + x3")
    back = run(str(file), "--from", "lavaan")

    assert there.returncode == back.returncode == 0
    assert back.stdout.startswith("options: defaults = lavaan\n\nf =~ 1*x1 + x2 + x3\n")


def test_json() -> None:
    done = run("-", "--to", "lme4", "--json", text="y ~ x + (1 | g)")
    result = json.loads(done.stdout)["result"]

    assert result["complete"] is True
    assert "lmer(y ~ 1 + x + (1 | g), data = d, REML = FALSE)" in result["text"]


def test_impossible_is_an_error() -> None:
    done = run("-", "--to", "lme4", text="f =~ x1 + x2 + x3")

    assert done.returncode == 1
    assert "error[not-convertible]: the factor 'f' can't be said in lme4" in done.stderr


def test_options() -> None:
    assert run("-", text="y ~ x").returncode == 2
    assert run("-", "--to", "lavaan", "--set", "a=b", text="y ~ x").returncode == 2
    assert run("-", "--from", "lavaan", "--set", "std.lv", text="y ~ x").returncode == 2
    set_ = run("-", "--from", "lavaan", "--set", "std.lv=TRUE", "--set", "ordered=x1,x2", text="f =~ x1 + x2 + x3")
    assert set_.stdout.startswith("options: std.lv = true\nx1 + x2 :: ordinal(probit)\n")
