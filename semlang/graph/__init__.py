"""The model as a graph: one for each group."""

from semlang.graph.build import build_graph, build_graphs
from semlang.graph.model_graph import Covariance, ModelGraph, Path
from semlang.graph.order import cyclic_parts, find_cycle, triangular_order

__all__ = [
    "Covariance",
    "ModelGraph",
    "Path",
    "build_graph",
    "build_graphs",
    "cyclic_parts",
    "find_cycle",
    "triangular_order",
]
