"""The page in a notebook: its questions go to the kernel, which answers them as `semlang serve` does."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from semlang.api import Model
from semlang.page.answering import Answering
from semlang.page.exercise import lessons
from semlang.page.files import BUILT, gallery, page_files
from semlang.page.full_fit import full_fit

if TYPE_CHECKING:
    import pandas as pd

HEIGHT = 720
"""Height of the page in a notebook, in pixels."""


def widget(text: str | Model = "", data: pd.DataFrame | None = None, *, height: int = HEIGHT) -> Any:
    """Return the live page as a widget: edit the model in the notebook, and go on with it in the next cell.

    It needs ``pip install 'semlang[widget]'`` (anywidget). Its ``text`` is what stands in the editor, now; setting it
    changes the editor. Its ``fit`` is the last fit as plain data, or None.

    Parameters
    ----------
    text : str or Model
        What the editor shows first.
    data : DataFrame, optional
        The data to fit to.
    height : int
        Pixels.

    Returns
    -------
    anywidget.AnyWidget

    Raises
    ------
    ModuleNotFoundError
        Where anywidget is not installed.

    Examples
    --------
    >>> w = widget("f =~ x1 + x2 + x3")  # doctest: +SKIP
    >>> w  # the last line of a cell shows it                           # doctest: +SKIP
    >>> Model(w.text).identify().verdict  # in the next cell             # doctest: +SKIP
    'identified'
    """
    made = _class()(
        text=text.source.text if isinstance(text, Model) else text, height=height, page=document(), fit=None
    )
    answer = kernel(data)

    def answered(_: Any, content: Any, buffers: Any) -> None:
        made.send(reply(answer, content))
        if isinstance(content, dict) and content.get("what") == "fit":
            made.fit = answer.last

    made.on_msg(answered)
    return made


class Kernel:
    """Answers the questions of one page, in Python's own process.

    Parameters
    ----------
    data : DataFrame, optional
    """

    def __init__(self, data: pd.DataFrame | None = None) -> None:
        self.answering = Answering(full_fit)
        self.last: dict[str, Any] | None = None
        self.known: dict[str, Any] | None = None
        if data is not None:
            csv = data.to_csv(index=False)
            self.known = self.answering.answer({"what": "data", "name": "data.csv", "csv": csv})

    def __call__(self, question: dict[str, Any]) -> dict[str, Any]:
        match question:
            case {"what": "session"}:
                return {"text": None, "data": self.known, "gallery": gallery(), "lessons": lessons()}
            case {"what": "gallery", "data": str(name)} if name in {m["data"] for m in gallery()}:
                return {"csv": page_files()[f"gallery/{name}"].decode()}
        answer = self.answering.answer(question)
        if question.get("what") == "fit":
            self.last = answer["fit"]
        return answer


def kernel(data: pd.DataFrame | None = None) -> Kernel:
    """Return what answers a page's questions."""
    return Kernel(data)


def reply(answer: Callable[[dict[str, Any]], dict[str, Any]], content: Any) -> dict[str, Any]:
    """Return the message that answers a message: with its ``id``, and ``answer`` or ``problem``."""
    try:
        question = dict(content)
        number = question.pop("id")
    except (TypeError, ValueError, KeyError):
        return {"id": None, "problem": "a question is an object with an id"}
    try:
        return {"id": number, "answer": answer(question)}
    except Exception as problem:
        return {"id": number, "problem": f"{type(problem).__name__}: {problem}"}


@cache
def document() -> str:
    """Return the page as one HTML text, with style, fonts and script in it: a frame of the notebook shows it."""
    files = {name: (BUILT / name).read_text(encoding="utf-8") for name in ("index.html", "page.css", "page.js")}
    style = re.sub(r"url\(\"?\.?/?([\w.-]+\.woff2)\"?\)", lambda m: f"url({_data(m[1])})", files["page.css"])
    script = files["page.js"].replace("</script", r"<\/script")
    html = files["index.html"].replace('data-transport="worker"', 'data-transport="frame"')
    html = html.replace('<link rel="stylesheet" href="page.css">', f"<style>{style}</style>")
    head, tag, rest = html.partition('<script type="module" src="page.js"></script>')
    if not tag:
        raise ValueError("index.html does not load page.js as it should")
    return f'{head}<script type="module">{script}</script>{rest}'


def _data(font: str) -> str:
    return "data:font/woff2;base64," + base64.b64encode((BUILT / font).read_bytes()).decode()


@cache
def _class() -> Any:
    try:
        import anywidget
        import traitlets
    except ModuleNotFoundError as problem:
        raise ModuleNotFoundError(
            "the widget needs anywidget: install it by pip install 'semlang[widget]'", name=problem.name
        ) from None
    members = {
        "_esm": (BUILT / "widget.js").read_text(encoding="utf-8"),
        "text": traitlets.Unicode("").tag(sync=True),
        "page": traitlets.Unicode("").tag(sync=True),
        "height": traitlets.Int(HEIGHT).tag(sync=True),
        "fit": traitlets.Any(None),
        "__doc__": "The live page; see `semlang.page.widget.widget`.",
    }
    return type("Page", (anywidget.AnyWidget,), members)
