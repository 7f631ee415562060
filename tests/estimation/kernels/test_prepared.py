"""Kernels are compiled when a road that takes them is known: those that are called, and no others."""

import pytest
from designs import Design

from semlang.estimation import quadrature
from semlang.estimation.kernels.declaring import Kernel


def noting(real, called):
    def method(self, *arguments):
        called.add(self.name)
        return real(self, *arguments)

    return method


@pytest.fixture
def seen(monkeypatch):
    """Return the names of kernels that were prepared, and of those that were called."""
    prepared, called = set(), set()
    monkeypatch.setattr(quadrature, "prepare", lambda kernels: prepared.update(k.name for k in kernels))
    for way in ("__call__", "packed", "address"):
        real = getattr(Kernel, way)
        monkeypatch.setattr(
            Kernel, way, lambda self, *a, real=real, **n: (called.add(self.name), real(self, *a, **n))[1]
        )
    return prepared, called


@pytest.mark.parametrize("pairs", [[("binomial", "logit")], [("negbinomial", "log")]], ids=["plain", "parameters"])
@pytest.mark.parametrize("structure", ["r=2", "(1,1)"])
@pytest.mark.parametrize("points", [1, 3])
def test_what_is_prepared_is_called(seen, pairs, structure, points):
    prepared, called = seen
    design = Design(pairs, structure)
    inputs = design.inputs(design.theta)
    model = quadrature.NestedQuadrature(design.y, design.codes, quadrature.Tree.from_ids(design.ids), design.dims)
    model.evaluate(*inputs, points)
    apart = {"reverse"}  # is called by the chain, behind the adjoints
    assert prepared - apart <= called
    assert "node_moments" not in prepared
    model.posterior(*inputs, points)
    assert ("node_moments" in prepared) is (points > 1)
    assert prepared - apart <= called
    known = {kernel.name for nodes in (False, True) for kernel in model._kernels(nodes, True)}
    assert called & known <= prepared
