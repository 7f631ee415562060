"""A placed diagram as plain data, from which the page draws it."""

from __future__ import annotations

from typing import Any

from semlang.diagram.spec import DiagramSpec, Point

MARGIN = 8.0


def placed(spec: DiagramSpec) -> dict[str, Any]:
    """Return nodes, edges, frames and texts; places in points from the upper left corner, y downwards."""
    boxes = [(n.x - n.width / 2, n.y - n.height / 2, n.x + n.width / 2, n.y + n.height / 2) for n in spec.nodes]
    boxes += [(f.left, f.bottom, f.right, f.top) for f in spec.frames]
    boxes += [(x, y, x, y) for e in spec.edges for x, y in e.curve]
    boxes += [(t.place[0] - 20, t.place[1] - 8, t.place[0] + 20, t.place[1] + 8) for t in spec.texts]
    left, bottom = (min((b[k] for b in boxes), default=0.0) - MARGIN for k in (0, 1))
    right, top = (max((b[k] for b in boxes), default=0.0) + MARGIN for k in (2, 3))

    def place(p: Point) -> list[float]:
        return [round(p[0] - left, 2), round(top - p[1], 2)]

    def box(x: float, y: float, w: float, h: float) -> list[float]:
        return [*place((x - w / 2, y + h / 2)), round(w, 2), round(h, 2)]

    def words(label: str, at: Point | None) -> dict[str, Any] | None:
        return {"text": label, "box": box(*at, 6.0 * len(label), 11.0)} if label and at else None

    return {
        "width": round(right - left, 2),
        "height": round(top - bottom, 2),
        "title": spec.title,
        "nodes": [
            {"key": n.key, "label": n.label, "superscript": n.superscript, "shape": n.shape, "level": n.level}
            | {"box": box(n.x, n.y, n.width, n.height)}
            for n in spec.nodes
        ],
        "edges": [
            {"source": e.source, "target": e.target, "path": [place(p) for p in e.curve], "dashed": e.dashed}
            | {"heads": [e.both, not e.headless], "label": words(e.label, e.place)}
            for e in spec.edges
        ],
        "frames": [
            {"level": f.level, "label": words(f.label, (f.right - 8 - 3.2 * len(f.label), f.bottom + 10))}
            | {"box": box((f.left + f.right) / 2, (f.bottom + f.top) / 2, f.right - f.left, f.top - f.bottom)}
            for f in spec.frames
        ],
        "texts": [{"label": words(t.label, t.place)} for t in spec.texts],
    }
