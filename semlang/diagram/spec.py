"""A path diagram as data: what is drawn, where, and with which words."""

from __future__ import annotations

from dataclasses import dataclass, field

Point = tuple[float, float]
"""A place in points (1/72 inch); y grows upwards."""


@dataclass(frozen=True, slots=True)
class Node:
    """A variable, or the small dot at which a random slope meets a path.

    Parameters
    ----------
    key : str
    label : str
        Name to be shown; `superscript` is GLLAMM's level number or ''.
    shape : str
        ``ellipse`` (latent), ``box`` (observed) or ``point``.
    level : str
        The frame that it stands in: ``rows`` or a cluster.
    x, y, width, height : float
        Centre and size.
    """

    key: str
    label: str
    shape: str
    level: str
    superscript: str = ""
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Edge:
    """A path, a covariance, or the short arrow of a residual.

    Parameters
    ----------
    source, target : str
        Keys of nodes; `source` is '' for a residual.
    label : str
        Parameter label, fixed value or estimate.
    dashed : bool
        Whether the parameter is fixed.
    both : bool
        Whether both ends have heads (a covariance).
    curve : four points
        Control points of a cubic curve from tail to head.
    place : point, optional
        Centre of the label.
    """

    source: str
    target: str
    label: str = ""
    dashed: bool = False
    both: bool = False
    headless: bool = False
    curve: tuple[Point, ...] = ()
    place: Point | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The rounded frame of a level: all variables inside vary over its units.

    Parameters
    ----------
    level, label : str
    left, bottom, right, top : float
    """

    level: str
    label: str
    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Text:
    """Words that stand beside a node: the variance of an exogenous latent variable."""

    label: str
    place: Point


@dataclass(frozen=True, slots=True)
class DiagramSpec:
    """Everything that a backend needs to draw a path diagram.

    Parameters
    ----------
    nodes, edges, frames, texts : tuple
        Frames are ordered from the outermost to the innermost.
    title : str
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    frames: tuple[Frame, ...] = ()
    texts: tuple[Text, ...] = ()
    title: str = ""
    style: str = "gllamm"
    notes: tuple[str, ...] = field(default=())
