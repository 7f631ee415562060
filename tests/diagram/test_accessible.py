"""Pictures in a browser: words are where the layout thinks they are, and everything has a name without colour."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from semlang.diagram.draw import draw
from semlang.diagram.styles import STYLES

from .models import table_of
from .test_geometry import TEXTS, numbers

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
SOME = ("democracy", "riclpm5", "mtmm", "long_names", "three_level", "model classes", "model multilevel", "second")

LOOK = """
const out = [];
for (const svg of document.querySelectorAll("svg")) {
  const box = e => { const b = e.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; };
  const own = t => [...t.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join("");
  const wide = [], words = [], bare = [];
  for (const g of svg.querySelectorAll("g")) {
    const named = g.querySelector(":scope > title")?.textContent || g.classList.contains("text");
    if (!named) bare.push(g.outerHTML.slice(0, 90));
    for (const t of g.querySelectorAll("text")) {
      words.push([own(t), box(t)]);
      const shape = g.classList.contains("node") && g.querySelector("rect, ellipse, polygon");
      if (shape && (box(t)[0] < box(shape)[0] || box(t)[2] > box(shape)[2])) wide.push(own(t));
    }
  }
  const over = [];
  for (let i = 0; i < words.length; i++) for (let j = 0; j < i; j++) {
    const [a, b] = [words[i][1], words[j][1]];
    if (Math.min(a[2], b[2]) - Math.max(a[0], b[0]) > 0.5 && Math.min(a[3], b[3]) - Math.max(a[1], b[1]) > 4)
      over.push([words[i][0], words[j][0]]);
  }
  const [title, desc] = ["title", "desc"].map(k => svg.querySelector(":scope > " + k)?.textContent ?? "");
  const colours = [...svg.querySelectorAll("*")].map(e => getComputedStyle(e))
    .flatMap(s => [s.fill, s.stroke]).filter(c => c.startsWith("rgb"))
    .filter(c => new Set(c.match(/\\d+/g).slice(0, 3)).size > 1);
  out.push({role: svg.getAttribute("role"), title, desc, bare, wide, over, colours: [...new Set(colours)],
    outside: words.filter(w => w[1][0] < 0 || w[1][1] < 0 || w[1][2] > svg.viewBox.baseVal.width
      || w[1][3] > svg.viewBox.baseVal.height).map(w => w[0])});
}
document.body.textContent = JSON.stringify(out);
"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_pictures_in_chromium(tmp_path: Path) -> None:
    names, pictures = [], []
    for name in SOME:
        table = table_of(TEXTS[name])
        for style in STYLES:
            names.append(f"{name} {style}")
            pictures.append(draw(table, style=style, show="estimates", estimates=numbers(table)).svg)
    page = tmp_path / "page.html"
    bodies = "".join(p[p.index("<svg") :] for p in pictures)
    page.write_text(f"<!DOCTYPE html><meta charset='utf-8'><body>{bodies}<script>{LOOK}</script></body>")
    assert CHROMIUM is not None
    run = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()]
    done = subprocess.run(run, capture_output=True, text=True, timeout=180)
    found = re.search(r"<body>(\[.*\])</body>", done.stdout, re.DOTALL)
    assert found, done.stderr[-500:]
    seen = json.loads(unescape(found[1]))
    assert len(seen) == len(names)
    for name, one in zip(names, seen, strict=True):
        assert one["role"] == "img", name
        assert one["title"], name
        assert "Paths and covariances: " in one["desc"], name
        wrong = {k: one[k] for k in ("bare", "wide", "over", "outside", "colours") if one[k]}
        assert not wrong, (name, wrong)
