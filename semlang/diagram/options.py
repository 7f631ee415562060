"""What is shown of a model, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from semlang.diagnostics import error
from semlang.diagram.styles import STYLES
from semlang.diagram.styles.style import Style
from semlang.errors import SemlangError
from semlang.model.nearest import did_you_mean

SHOW = ("names", "estimates", "standardized", "none")
MEANS = ("auto", "latent", "all", "none")
DIRECTIONS = ("auto", "down", "right")
COLOURS = ("none", "factors")
ENGINES = ("dot", "neato", "fdp", "circo", "twopi")
LAYOUTS = ("auto", *ENGINES)

_VALUES = {
    "style": tuple(STYLES),
    "show": SHOW,
    "means": MEANS,
    "direction": DIRECTIONS,
    "colour": COLOURS,
    "layout": LAYOUTS,
}


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be chosen about a picture.

    Parameters
    ----------
    style : {'gllamm', 'ram', 'lisrel'}
    show : {'names', 'estimates', 'standardized', 'none'}
        What stands at arrows: labels and fixed values, estimates, standardised estimates, or nothing.
    digits : int, optional
        Decimals of estimates; by default two or three significant digits.
    stars : bool
        Whether ``*``, ``**``, ``***`` mark p below 0.05, 0.01, 0.001.
    residuals, covariances : bool
        Whether these are drawn.
    thresholds : bool
        Whether thresholds stand beside responses.
    means : {'auto', 'latent', 'all', 'none'}
        Whose means and intercepts are arrows from the constant 1; 'auto' is what the style has.
    direction : {'auto', 'down', 'right'}
    layout : {'auto', 'dot', 'neato', 'fdp', 'circo', 'twopi'}
        semlang's own, which reads the model, or where a program of Graphviz puts the nodes.
    at : mapping from name to (x, y)
        Centres of nodes, in points from the upper left corner, beside those of ``layout:`` in the text.
    wrap : int
        Names longer than so many letters are broken; 0 for never.
    colour : {'none', 'factors'}
        Whether every latent variable and its indicators have a colour.
    greyscale : bool
        Greys in place of colours.
    dpi : int
        Dots per inch of PNG.
    """

    style: str = "gllamm"
    show: str = "names"
    digits: int | None = None
    stars: bool = False
    residuals: bool = True
    covariances: bool = True
    thresholds: bool = False
    means: str = "auto"
    direction: str = "auto"
    layout: str = "auto"
    at: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    wrap: int = 0
    colour: str = "none"
    greyscale: bool = False
    dpi: int = 200

    @property
    def dialect(self) -> Style:
        """The style itself."""
        return STYLES[self.style]

    @property
    def way(self) -> str:
        """The direction that is asked for, or that the style has."""
        return self.dialect.direction if self.direction == "auto" else self.direction


def options(**given: Any) -> Options:
    """Return options, or say what is wrong with them.

    Raises
    ------
    SemlangError
        ``unknown-style``, or ``not-a-choice`` where another option has a value that there is not.
    """
    names = {f.name for f in fields(Options)}
    for name, value in given.items():
        if name not in names:
            raise TypeError(f"draw() has no option '{name}'; there are {', '.join(sorted(names))}")
        if name in _VALUES and value not in _VALUES[name]:
            words = ", ".join(f"'{v}'" for v in _VALUES[name])
            if name == "style":
                raise SemlangError(
                    [
                        error(
                            "unknown-style",
                            f"there is no style '{value}'",
                            help=(*did_you_mean(str(value), _VALUES[name]), f"one of {words}"),
                        )
                    ]
                )
            raise SemlangError(
                [
                    error(
                        "not-a-choice",
                        f"{name} is {value!r}, not one of {words}",
                        help=did_you_mean(str(value), _VALUES[name]),
                    )
                ]
            )
    for name, low in (("digits", 0), ("wrap", 0), ("dpi", 20)):
        value = given.get(name)
        if value is not None and (not isinstance(value, int) or not low <= value <= 2400):
            raise SemlangError([error("not-a-choice", f"{name} is {value!r}, not a whole number from {low} to 2400")])
    return Options(**given)
