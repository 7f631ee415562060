"""The documentation as a site: ``sphinx-build -W docs DIR`` with ``pip install -e '.[docs]'``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from semlang.version import VERSION

project = "semlang"
release = version = VERSION
author = "the authors of semlang"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "numpydoc"]
root_doc = "README"
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Latent variable models: a language and its compiler", "page_width": "72rem"}
html_extra_path = ["first-evening"]

suppress_warnings = ["misc.highlighting_failure"]  # pages of findings show texts that are wrong

myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
numpydoc_show_class_members = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"

CONTENTS = {
    name: f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{pages}\n```\n"
    for name, pages in {
        "README": "first-evening\nlessons\nlanguage\noptions\napi\n[a-z]*\n*/README",
        "design/README": "[a-z]*",
        "diagnostics/README": "[a-z]*",
    }.items()
}
"""What a page leads to, besides what it says itself."""

HERE = Path(__file__).parent

LIVE = """
### {title}

{about}

```sem
{text}
```

```{{raw}} html
<details><summary>Open the live page here</summary>
<iframe src="live/index.html#{fragment}" loading="lazy" title="Live page: {title}" style="width: 100%; height: 40rem; border: 1px solid #888"></iframe>
</details>
```
"""  # noqa: E501
"""A model of the gallery; what is inside a closed fold is not loaded."""


def links(app: Any, name: str, source: list[str]) -> None:
    """Name what lies outside the documentation by its path; a link that leads nowhere stays, and is a warning."""
    folder = (HERE / name).parent

    def shown(found: re.Match[str]) -> str:
        path = (folder / found[2].partition("#")[0]).resolve()
        outside = path.exists() and not path.is_relative_to(HERE)
        return f"{found[1]} (`{path.relative_to(HERE.parent).as_posix()}`)" if outside else found[0]

    source[0] += CONTENTS.get(name, "")
    source[0] = re.sub(r"\[([^\]\n]+)\]\((\.\.[^)\s]*)\)", shown, source[0])


def gallery(app: Any, name: str, source: list[str]) -> None:
    """Show every model of the gallery, by topic, each with a live page of its own."""
    if name != "gallery":
        return
    from semlang.page.link import packed

    folder = HERE.parent / "semlang" / "page" / "gallery"
    topic = ""
    for model in json.loads((folder / "gallery.json").read_text(encoding="utf-8")):
        text = (folder / f"{model['name']}.sem").read_text(encoding="utf-8").strip()
        if model["topic"] != topic:
            topic = model["topic"]
            source[0] += f"\n## {topic}\n"
        source[0] += LIVE.format(title=model["title"], about=model["about"], text=text, fragment=packed(text))


def live(app: Any, problem: Exception | None) -> None:
    """Write the live page that the gallery's frames show."""
    if problem is None and app.builder.format == "html":
        from semlang.page.playground import site_files, write_site

        write_site(Path(app.outdir) / "live", site_files())


def setup(app: Any) -> None:
    app.connect("source-read", links)
    app.connect("source-read", gallery)
    app.connect("build-finished", live)
