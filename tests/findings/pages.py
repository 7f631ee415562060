"""The pages of findings: their examples and output are made by the program.

``python tests/findings/pages.py`` writes them; a test checks that they are as the program has it.
"""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from semlang.api import Model
from semlang.diagnostics import Diagnostic, render
from semlang.errors import SemlangError
from semlang.source import Source

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"
PAGES = ROOT / "docs" / "diagnostics"

FITTED = frozenset(
    {
        "few-clusters",
        "negative-variance",
        "no-data",
        "nothing-free",
        "unbounded-likelihood",
        "coefficient-at-infinity",
        "probability-at-limit",
        "no-overdispersion",
        "more-classes-than-patterns",
        "empty-class",
    }
)
"""Findings that only a fit shows."""

_LONG = 12


def case(kind: str, slug: str) -> tuple[str, str | None] | None:
    """Return the first text of a slug in the corpus, and its data."""
    path = CORPUS / kind / slug / "1.sem"
    if not path.is_file():
        return None
    data = path.with_suffix(".csv")
    return path.read_text(encoding="utf-8"), data.read_text(encoding="utf-8") if data.is_file() else None


def findings(text: str, data: str | None, *, fit: bool = False) -> list[Diagnostic]:
    """Return what the program says of a model, in an empty folder that holds it and its data."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("model.sem").write_text(text, encoding="utf-8")
        if data is not None:
            Path("data.csv").write_text(data, encoding="utf-8")
        file = None if data is None else "data.csv"
        try:
            model = Model(Source(text, "model.sem"))
            return list(model.fit(file).diagnostics) if fit else model.check(file)
        except SemlangError as problem:
            return list(problem.diagnostics)


def page(slug: str, old: str) -> str:
    """Return a page with its example, output and remedy as they are now; words are kept."""
    bad, good = case("bad", slug), case("good", slug)
    head, _, rest = old.partition("\n## Example\n")
    example, _, instead = rest.partition("\n## Instead\n")
    words = re.sub(r"\n```.*", "", instead, flags=re.DOTALL).strip()
    if bad is not None:
        found = [d for d in findings(*bad, fit=slug in FITTED) if d.slug == slug]
        head = re.sub(r"\n\*[a-z, ]+\* · ", f"\n*{found[0].severity.value}* · ", head)
        shown = "\n".join(line.rstrip() for line in render(found[0]).splitlines())
        example = _block(bad[0], "sem") + (_block(bad[1], "csv") if bad[1] else "") + _block(shown, "text")
    remedy = _block(good[0], "sem") if good is not None and bad is not None else ""
    return f"{head.strip()}\n\n## Example\n\n{example.strip()}\n\n## Instead\n\n{words}\n\n{remedy}".rstrip() + "\n"


def _block(text: str, language: str) -> str:
    lines = text.rstrip("\n").split("\n")
    if len(lines) > _LONG and language != "text":
        lines = [*lines[: _LONG // 2], "..." if language == "csv" else "# and so on"]
    return f"```{language}\n" + "\n".join(_line(line, language) for line in lines) + "\n```\n\n"


def _line(line: str, language: str) -> str:
    return line if len(line) < 120 or language == "text" else line[:100] + " ..."


def index() -> str:
    """Return the list of all pages."""
    lines = [
        "# Findings",
        "",
        "Each finding has a name that does not change. `semlang explain NAME` prints its page.",
        "",
        "| name | level | what |",
        "| --- | --- | --- |",
    ]
    for path in sorted(PAGES.glob("*.md")):
        if path.name != "README.md":
            level, what = summary(path.read_text(encoding="utf-8"))
            lines.append(f"| [{path.stem}]({path.name}) | {level} | {what.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def summary(text: str) -> tuple[str, str]:
    """Return the level and the first sentence of a page."""
    found = re.search(r"^\*([a-z, ]+)\* · (.+)$", text, flags=re.MULTILINE)
    assert found is not None, text
    return found[1], found[2]


def write() -> None:
    """Write all pages and the index."""
    for path in sorted(PAGES.glob("*.md")):
        if path.name != "README.md":
            path.write_text(page(path.stem, path.read_text(encoding="utf-8")), encoding="utf-8")
    (PAGES / "README.md").write_text(index(), encoding="utf-8")


if __name__ == "__main__":
    write()
