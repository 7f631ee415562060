"""Any model fitted by two plans gives one answer."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss

from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints

IRT = "b{1..4} :: binomial(logit)\nf =~ b{1..4}\nf ~~ 1*f\nf =~ NA*b1"
PLAIN = {
    "item response": IRT,
    "mixed model": "cluster: school\nb1 :: binomial(logit)\nb1 ~ z + (1 | school)",
    "factor": "f =~ g1 + g2 + g3\nf ~ z",
    "regressions": "p1 :: poisson(log)\np1 ~ z\no1 :: ordinal(logit)\no1 ~ z",
}


def plain(text, bind, units, points):
    model, designs, _ = bind(text).bind(units)
    constraints = Constraints(model.parameter_table)
    return assemble(model.parameter_table, model.graphs, designs, constraints, True, points, 1, scaled=False)


@pytest.fixture
def bind():
    from semlang.api import Model

    return Model


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize("classes", [1, 2])
def test_one_class_or_two_equal_ones_are_no_class(conditional, bind, units, text, classes):
    """A class that nothing but its probability knows leaves the model as it is."""
    without = plain(text, bind, units, 9)
    level = "[school]" if "cluster" in text else ""
    response = next(name for name in ("g1", "b1", "p1") if name in text or name[0] + "{1" in text)
    mixture = f"{text}\nc{level} :: class({classes})\n{response} ~ 0*c@1:z\n"
    at = conditional(mixture, units, points=9)
    theta = {
        (r.lhs, r.op, r.rhs): at.theta[r.parameter] for r in at.table.rows if r.parameter >= 0 and not r.klass
    }  # fmt: skip
    own = bind(text).bind(units)[0].parameter_table
    values = np.zeros(own.n_parameters)
    for r in own.rows:
        if r.parameter >= 0:
            values[r.parameter] = theta[r.lhs, r.op, r.rhs]
    expected = without.members[0].value(without.parametrisation.coordinates(values))
    assert at.member.value(at.x) == pytest.approx(expected, rel=1e-10)


def test_mass_points_at_nodes_are_quadrature(conditional, units):
    """Nine mass points at Gauss-Hermite locations, with its weights as masses, are the ordinary rule of nine points."""
    z, w = hermegauss(9)
    values = {f"u~1@{k + 1}": 0.6 * z[k] for k in range(9)}
    values |= {f"mass(u)~1@{k + 1}": np.log(w[k] / w[8]) for k in range(9)}
    values |= {"b1~1": 0.2, "b2~1": -0.3, "b1~z": 0.3, "b2~u": 1.0}
    text = "b1 + b2 :: binomial(logit)\nb1 ~ 1 + z + u\nb2 ~ 1 + u\n"
    mass = conditional(text + "u :: masspoints(9)", units, values)
    nu = 0.6 * z[:, None]
    total = 0.0
    for row in units.itertuples():
        at = np.zeros(9)
        for y, eta in ((row.b1, 0.2 + 0.3 * row.z + nu[:, 0]), (row.b2, -0.3 + nu[:, 0])):
            if y == y:
                at += -np.logaddexp(0, -(2 * y - 1) * eta)
        total += np.log(np.exp(at) @ w / np.sqrt(2 * np.pi))
    assert mass.member.value(mass.x) == pytest.approx(total, rel=1e-10)


def test_nodes_are_the_closed_form(conditional, bind, units):
    """A product with coefficient 0: conditioning on a factor by nodes gives the closed form's value."""
    text = "f1 =~ g1 + g2\nf2 =~ g3 + g4\np1 ~ f1 + f2"
    model, designs, _ = bind(text).bind(units)
    closed = assemble(
        model.parameter_table, model.graphs, designs, Constraints(model.parameter_table), False, None, 1, scaled=False
    )
    at = conditional(text + " + 0*f1:f2", units, points=15)
    theta = {(r.lhs, r.op, r.rhs): at.theta[r.parameter] for r in at.table.rows if r.parameter >= 0}
    values = np.zeros(model.parameter_table.n_parameters)
    for r in model.parameter_table.rows:
        if r.parameter >= 0:
            values[r.parameter] = theta[r.lhs, r.op, r.rhs]
    assert at.member.value(at.x) == pytest.approx(closed.value(values), abs=1e-5)


def test_order_of_rows_does_not_matter(conditional, units):
    text = "cluster: school\nb{1..4} :: binomial(logit)\nc :: class(2)\nc =~ b{1..4}\nc ~ z + u[school]"
    one = conditional(text, units)
    other = conditional(text, units.sample(frac=1.0, random_state=2).reset_index(drop=True))
    assert other.member.value(other.x) == pytest.approx(one.member.value(one.x), rel=1e-12)


def test_frequencies_are_repeated_rows(conditional, units):
    text = "b{1..3} :: binomial(logit)\nc :: class(2)\nc =~ b{1..3}\nc ~ z"
    one = conditional("frequency: fr\n" + text, units)
    other = conditional(text, units.loc[units.index.repeat(units.fr.astype(int))].reset_index(drop=True))
    assert other.member.value(other.x) == pytest.approx(one.member.value(one.x), rel=1e-12)
    assert one.member.used == other.member.used
