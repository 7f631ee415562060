"""Tests of the report: one page that has its parts and needs nothing beside it."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import semlang as sl
from semlang.cli import semlang
from semlang.results.report import report_html
from semlang.results.summary import number

from .conftest import ROOT

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Collects headings, pictures and references, and sees that elements close in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.pictures: list[dict[str, str]] = []
        self.references: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        self.tags.add(tag)
        self.references += [v for k, v in given.items() if k in ("src", "href", "xlink:href")]
        if tag == "img":
            self.pictures.append(given)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


@pytest.mark.parametrize(
    ("example", "parts", "pictures"),
    [
        ("lsat", {"Items", "Where it does not fit"}, 6),
        ("sleepstudy", {"Variance explained"}, 3),
        ("holzinger-swineford", {"Variance explained", "Where it does not fit"}, 1),
    ],
)
def test_the_parts_are_there(example: str, parts: set[str], pictures: int, tmp_path: Path) -> None:
    fit = sl.read_model(ROOT / "examples" / example / "model.sem").fit(threads=1)
    fit.report(tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))

    assert not page.open
    assert {"Model", "Diagram", "Equations", "Fit", "Estimates", "Plots", "To repeat it"} | parts <= set(page.headings)
    assert len(page.pictures) == pictures
    for picture in page.pictures:
        kind, _, data = picture["src"].partition(";base64,")
        assert kind == "data:image/svg+xml"
        assert b"<svg" in base64.b64decode(data)
        assert picture["alt"]
    assert all(r.startswith(("#", "data:")) for r in page.references)
    assert not page.tags & {"script", "link", "iframe"}
    assert "svg" in page.tags  # the diagram
    text = " ".join(page.words)
    assert fit.parameters[0]["name"] in text
    assert f"{fit.loglik:.4f}" in text


@pytest.mark.parametrize("example", sorted(p.parent.name for p in (ROOT / "examples").glob("*/model.sem")))
def test_every_example_has_a_report(example: str) -> None:
    fit = sl.read_model(ROOT / "examples" / example / "model.sem").fit(threads=1)
    page = Page(report_html(fit))
    assert not page.open
    assert {"Model", "Diagram", "Equations", "Fit", "Estimates", "To repeat it"} <= set(page.headings)
    assert all(r.startswith(("#", "data:")) for r in page.references)
    assert ("Items" in page.headings) == (example in ("lsat", "partial_credit"))


def test_every_group_is_shown() -> None:
    frame = pd.read_csv(ROOT / "examples" / "holzinger-swineford" / "holzinger-swineford.csv")
    fit = sl.Model("groups: school\nvisual =~ x1 + x2 + x3 + x4").fit(frame, threads=1)
    page = Page(report_html(fit))
    text = " ".join(page.words)
    for group in fit.table.groups:
        assert f"Group {group}" in text
        assert f"group {group}" in " ".join(p["alt"] for p in page.pictures)
        assert f"visual =~ x2 ({group})" in text


def test_the_command(tmp_path: Path) -> None:
    model = tmp_path / "m.sem"
    model.write_text("y ~ x\n", encoding="utf-8")
    (tmp_path / "d.csv").write_text("y,x\n" + "\n".join(f"{(7 * i) % 11},{i % 5}" for i in range(40)), encoding="utf-8")
    out = tmp_path / "r.html"
    done = CliRunner().invoke(semlang, ["report", str(model), "--data", str(tmp_path / "d.csv"), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "<h1>m.sem</h1>" in out.read_text(encoding="utf-8")
    done = CliRunner().invoke(semlang, ["report", "nothing.json", "-o", str(out)])
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("more", "left"), [("", "2 more are left out"), ("x1 ~~ x2", "1 more is left out"), ("x1 ~~ x2\nx1 ~~ x3", "")]
)
def test_the_ten_largest_indices_are_shown_and_the_others_counted(more: str, left: str) -> None:
    frame = pd.read_csv(ROOT / "examples" / "holzinger-swineford" / "holzinger-swineford.csv")
    fit = sl.Model(f"f =~ x1 + a*x2 + a*x3 + x4 + x5\n{more}").fit(frame, threads=1)
    page = report_html(fit)
    part = page[page.index("Where it does not fit</h2>") : page.index("To repeat it</h2>")]
    assert part.count("<tr>") == 1 + 10
    indices = fit.modification_indices()["mi"].to_numpy()
    assert len(indices) == 10 + (int(left.split()[0]) if left else 0)
    assert ("left out" in part) == bool(left)
    assert left in part
    assert all(f">{number(mi)}<" in part for mi in sorted(indices)[-10:])
