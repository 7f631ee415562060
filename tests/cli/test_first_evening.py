"""The first evening of the documentation: every command prints what its page says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from semlang.cli import semlang

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (DOCS / "first-evening.md").read_text(encoding="utf-8"), re.DOTALL)
(MISSING,) = [text for kind, text in BLOCKS if kind == "text" and text.startswith("warning[missing-code]")]
MODELS = [text for kind, text in BLOCKS if kind == "semlang"]


def steps(text: str) -> list[tuple[list[str], str]]:
    """Return the commands of a block, each with what it prints."""
    parts = re.split(r"^\$ semlang (.*)\n", text, flags=re.MULTILINE)[1:]
    return [(command.split(), printed) for command, printed in zip(parts[::2], parts[1::2], strict=True)]


def alike(printed: str) -> str:
    """Leave out the seconds."""
    return re.sub(r"[\d.]+ s$", "s", printed, flags=re.MULTILINE)


def test_a_first_evening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    shutil.copy(DOCS / "first-evening" / "wellbeing.csv", tmp_path)
    file = tmp_path / "wellbeing.sem"
    file.write_text(MODELS[0])
    done = []
    for kind, block in BLOCKS:
        for command, printed in steps(block) if kind == "text" else ():
            answer = CliRunner().invoke(semlang, command)
            shown = alike(answer.stderr if command[0] == "check" else answer.stdout)
            start, more, _ = alike(printed).partition("\n...\n")
            assert shown.startswith(start) if more else shown.rstrip() == start.rstrip(), (command, shown)
            if command[0] == "check":
                CliRunner().invoke(semlang, ["check", "--fix", "wellbeing.sem"])
                assert file.read_text() == MODELS[1]
                said = CliRunner().invoke(semlang, ["check", "wellbeing.sem"]).stderr
                assert said.startswith(MISSING.removesuffix("...\n"))
                data = tmp_path / "wellbeing.csv"
                data.write_text(data.read_text().replace(";-9", ";"))  # sed -i 's/;-9/;/g'
            done.append(command[0])
    assert done == ["check", "identify", "draw", "fit", "show"]
    assert (tmp_path / "wellbeing.svg").is_file()
