"""Write the files of other editors from the table of tokens: ``python -m semlang.editors.generate``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from semlang.editors.codemirror import codemirror_text
from semlang.editors.textmate import textmate_text

GRAMMAR = Path(__file__).resolve().parents[2] / "grammar"


def files() -> Mapping[Path, str]:
    """Return the text of each file that is made from the table."""
    return {
        GRAMMAR / "semlang.tmLanguage.json": textmate_text(),
        GRAMMAR / "codemirror" / "semlang.js": codemirror_text(),
    }


def main() -> None:
    """Write the files."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
