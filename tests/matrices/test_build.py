"""The reduced form against matrix algebra on random models."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semlang.graph import ModelGraph, build_graph, triangular_order
from semlang.matrices.build import reduced_form
from semlang.model.elaborate import elaborate
from semlang.model.kinds import KINDS
from semlang.model.table import Covariate, ParameterTable, Row, Variable
from semlang.source import Source
from semlang.syntax.parser import parse

X, Z = Covariate("x"), Covariate("z")
LEVELS = ("rows", "class", "school")


def random_table(seed: int) -> ParameterTable:
    """A recursive model with latent variables on three levels, slopes, covariates and shared labels."""
    rng = random.Random(seed)
    variables: dict[str, Variable] = {}
    for i in range(rng.randint(1, 5)):
        level = rng.choice(LEVELS)
        key = f"f{i}" if level == "rows" else f"f{i}[{level}]"
        variables[key] = Variable(key, f"f{i}", level, "latent", KINDS["normal"])
    n_responses = rng.randint(1, 5)
    for k in range(n_responses):
        kind = KINDS[rng.choice(["gaussian", "gaussian", "binomial"])]
        level = rng.choice(["rows", "rows", "rows", "school"])
        variables[f"y{k}"] = Variable(f"y{k}", f"y{k}", level, "response", kind)
        if level == "rows" and rng.random() < 0.3:
            key = f"y{k}[school]"
            variables[key] = Variable(key, f"y{k}", "school", "component", KINDS["normal"], response=f"y{k}")
    # causes come later in this order, and never from a lower level
    keys = sorted(variables, key=lambda k: (LEVELS.index(variables[k].level), rng.random()))
    rows: list[Row] = []
    n = 0

    def add(target: str, source: str, via: tuple[Covariate, ...], op: str = "~") -> None:
        nonlocal n
        common = {"lhs": target, "rhs": source, "target": target, "source": source, "via": via}
        choice = rng.random()
        if choice < 0.6:
            n += 1
            rows.append(Row(len(rows) + 1, op=op, free=n, parameter=n - 1, **common))
        elif choice < 0.75 and n:
            p = rng.randrange(n)
            rows.append(Row(len(rows) + 1, op=op, free=n, parameter=p, **common))
        else:
            rows.append(Row(len(rows) + 1, op=op, ustart=rng.choice([0.0, 1.0, 1.0, -0.5]), **common))

    vias: list[tuple[Covariate, ...]] = [(), (), (X,), (Z, X), (X, Z)]
    for i, target in enumerate(keys):
        add(target, "", (), "~1")
        for via in ((X,), (Z,)):
            if rng.random() < 0.3:
                add(target, "", via)
        for source in keys[i + 1 :]:
            if rng.random() > 0.5:
                continue
            if variables[source].role == "response":
                if source.split("[")[0] != target.split("[")[0]:
                    add(target, "", (Covariate(source, response=True),) + rng.choice([(), (), (X,)]))
            elif variables[source].response != target:
                add(target, source, rng.choice(vias))
        v = variables[target]
        if v.role != "response" or v.kind.name == "gaussian":
            add(target, target, (), "~~")
    return ParameterTable(Source(""), tuple(rows), variables, n, clusters=LEVELS[1:])


def direct(graph: ModelGraph, theta: np.ndarray, lift: bool, at: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return means and loadings of all variables at values of the covariates by Lambda (I - B)^-1."""
    keys = list(graph.variables)
    index = {k: i for i, k in enumerate(keys)}
    b = np.zeros((len(keys), len(keys)))
    c = np.zeros(len(keys))
    for p in graph.paths:
        value = theta[p.parameter] if p.parameter >= 0 else p.value
        source, via = p.source, p.via
        kinds = [graph.variables[o].kind.name for o in p.observed]
        if lift and kinds == ["gaussian"] and not source:
            source = p.observed[0]
            via = tuple(v for v in via if not v.response)
        value *= np.prod([at[v.column] for v in via])
        if source:
            b[index[p.target], index[source]] += value
        else:
            c[index[p.target]] += value
    inverse = np.linalg.inv(np.eye(len(keys)) - b)
    select = [index[k] for k in graph.responses]
    return (inverse @ c)[select], inverse[select]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_equals_matrix_algebra(seed: int, lift: bool) -> None:
    table = random_table(seed)
    graph = build_graph(table)
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=table.n_parameters)
    at = {name: float(rng.normal()) for name in ("x", "z", *graph.responses)}
    form = reduced_form(graph, lift)
    slots = form.slots(theta)

    def value(product: tuple[Covariate, ...]) -> float:
        powers = [float(c.argument or 1) if c.function == "power" else 1.0 for c in product]
        return float(np.prod([at[c.column] ** power for c, power in zip(product, powers, strict=True)]))

    mean, loadings = direct(graph, theta, lift, at)
    x = np.array([value(p) for p in form.mean_columns])
    d = np.array([value(p) for p in form.random_columns])
    np.testing.assert_allclose(form.mean(slots) @ x, mean, atol=1e-9)
    got = np.einsum("kaj,a->kj", form.loadings(slots), d)
    keys = list(graph.variables)
    wanted = loadings[:, [keys.index(z.key) for z in form.disturbances]]
    np.testing.assert_allclose(got, wanted.reshape(got.shape), atol=1e-9)
    assert form.random_columns[0] == ()
    assert form.mean_columns[0] == ()
    assert len({frozenset(p) for p in form.mean_columns}) == len(form.mean_columns)

    # zetas: all that move, in the triangular order, and their variances
    gone = [k for k in graph.latents if k not in {z.key for z in form.disturbances}]
    assert all((v := graph.variance(k)) is None or v.is_zero for k in gone)
    order = tuple(z.key for z in form.disturbances)
    assert order == tuple(k for k in triangular_order(graph, (*graph.latents, *form.lifted)) if k in order)
    psi, residual = form.psi.matrix(theta), form.theta.matrix(theta)
    for c in graph.covariances:
        v = theta[c.parameter] if c.parameter >= 0 else c.value
        if c.a in order:
            assert psi[order.index(c.a), order.index(c.a)] == v
        elif c.a in graph.responses:
            assert residual[graph.responses.index(c.a), graph.responses.index(c.a)] == v


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_derivatives(seed: int, lift: bool) -> None:
    table = random_table(seed)
    form = reduced_form(build_graph(table), lift)
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=table.n_parameters)
    slots, jacobian = form.jacobian(theta)
    np.testing.assert_array_equal(slots, form.slots(theta))
    step = 1e-6
    for i in range(len(theta)):
        e = np.eye(len(theta))[i] * step
        slope = (form.slots(theta + e) - form.slots(theta - e)) / (2 * step)
        np.testing.assert_allclose(jacobian[:, i], slope, rtol=1e-6, atol=1e-6)
    bar = rng.normal(size=form.n_slots)
    np.testing.assert_allclose(form.gradient(theta, slots, bar), bar @ jacobian, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.randoms())
def test_order_of_rows_changes_only_order(seed: int, lift: bool, shuffler: random.Random) -> None:
    table = random_table(seed)
    rows = list(table.rows)
    shuffler.shuffle(rows)
    other = ParameterTable(table.source, tuple(rows), table.variables, table.n_parameters, table.clusters)
    one, two = (reduced_form(build_graph(t), lift) for t in (table, other))
    theta = np.random.default_rng(seed).normal(size=table.n_parameters)
    assert one.disturbances == two.disturbances
    assert one.lifted == two.lifted
    assert one.n_slots == two.n_slots
    for columns, values in (("mean_columns", "mean"), ("random_columns", "loadings")):
        parts = []
        for form in (one, two):
            names = [tuple(sorted(c.name for c in p)) for p in getattr(form, columns)]
            matrix = getattr(form, values)(form.slots(theta))
            parts.append({name: matrix[:, i] for i, name in enumerate(names)})
        assert parts[0].keys() == parts[1].keys()
        for name in parts[0]:
            np.testing.assert_allclose(parts[0][name], parts[1][name], atol=1e-9)
    np.testing.assert_array_equal(one.psi.matrix(theta), two.psi.matrix(theta))
    np.testing.assert_array_equal(one.theta.matrix(theta), two.theta.matrix(theta))


def test_a_cycle_has_no_reduced_form() -> None:
    variables = {k: Variable(k, k, "rows", "response", KINDS["gaussian"]) for k in ("a", "b")}
    rows = tuple(
        Row(i, t, "~", s, free=i, parameter=i - 1, target=t, via=(Covariate(s, response=True),))
        for i, (t, s) in enumerate((("a", "b"), ("b", "a")), 1)
    )
    graph = build_graph(ParameterTable(Source(""), rows, variables, 2))
    with pytest.raises(ValueError, match="a -> b -> a"):
        reduced_form(graph)


def written(text: str) -> ModelGraph:
    table, _ = elaborate(parse(Source(text))[0]).answer
    assert table is not None
    return build_graph(table)


def test_level_blocks_regress_on_the_part_within() -> None:
    """In lavaan's level blocks y2 stands for its part of that level, elsewhere for its observed value."""
    graph = written("level: 1\n y1 ~ a*y2\n y2 ~~ y2\nlevel: 2\n y1 ~~ y2\n")
    theta = np.full(graph.table.n_parameters, 0.5)
    lifted, plain = (reduced_form(graph, lift) for lift in (True, False))
    place = {z.key: j for j, z in enumerate(lifted.disturbances)}
    loadings = lifted.loadings(lifted.slots(theta))[0, 0]
    assert loadings[place["y2"]] == 0.5
    assert loadings[place["y2[between]"]] == 0
    place = {z.key: j for j, z in enumerate(plain.disturbances)}
    assert plain.loadings(plain.slots(theta))[0, 0, place["y2[between]"]] == -0.5

    both = written("cluster: g\ny1 + y2 :: gaussian\ny1 ~ a*y2\ny1[g] ~~ y1[g]\ny2[g] ~~ y2[g]\n")
    form = reduced_form(both, lift=True)
    theta = np.full(both.table.n_parameters, 0.5)
    place = {z.key: j for j, z in enumerate(form.disturbances)}
    assert form.loadings(form.slots(theta))[0, 0, place["y2[g]"]] == 0.5


def test_lifting_spreads_along_covariances() -> None:
    graph = written("y1 ~ x\ny2 ~ y1\ny3 ~ x\ny1 ~~ y3\ny2 ~~ 0*y3\n")
    form = reduced_form(graph, lift=True)
    assert form.lifted == ("y1", "y3")
    assert reduced_form(graph).lifted == ()
    assert not {int(k) for k in form.theta.i} & {form.responses.index(k) for k in form.lifted}


def test_offsets_and_thresholds() -> None:
    graph = written("y :: poisson\ny ~ x + offset(z)\nw | t1 + t2\nw | t2 ~ x\nw ~ x\n")
    form = reduced_form(graph)
    k = form.responses.index("y")
    assert [[c.name for c in p] for p in form.offsets[k]] == [["offset(z)"]]
    first, second = form.thresholds[form.responses.index("w")]
    assert [a.via for a in first] == [()]
    assert [[c.name for c in a.via] for a in second] == [[], ["x"]]


def test_equal_coefficients_share_a_slot() -> None:
    graph = written("i{1..9} :: binomial\nf =~ a*i{1..9}\nf ~~ 1*f\n")
    form = reduced_form(graph)
    assert form.n_slots == 1 + 9 + len({int(c[3]) for c in form.loading_cells} - {0})
    assert form.n_slots <= 11
