"""The arrays that kernels share, in named groups.

A *batch* is a run of top-level clusters. Its units are numbered level by level, lowest level first: level l has
units ``base[l]`` to ``base[l + 1]``. The coordinates of a unit are its own M_l, then those of its ancestors, so a
row's coordinates are those of its lowest unit. Rows have their number in the data; scratch by row starts at the
first row of the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

from semlang.estimation.kernels.groups import Cube, Group, Integers, Matrix, Vector

__all__ = ["Adjoints", "Fronts", "Lanes", "Nest", "Rows", "Rule", "Scratch", "Tables"]


@dataclass(frozen=True, eq=False)
class Nest(Group):
    """Units of a batch; W is a unit's weight and Om the product of W over the unit and its ancestors."""

    dims: Integers  # (K,) M_l
    tail: Integers  # (K + 1,) M_l + M_{l+1} + ...
    base: Integers  # (K + 1,) first unit of each level
    above: Integers  # (U,) parent, 0 at the top
    first: Integers  # (U,) first child; level 0: first row
    last: Integers  # (U,) one after the last child or row
    weight: Vector  # (U,) W
    total: Vector  # (U,) Om
    mode: Matrix  # (U, max M) modes of a unit's own coordinates, kept between evaluations
    uniform: (
        Integers  # (3,) 1 where all rows have one code, all weights of rows are 1, all f1 are one: they are not read
    )
    plain: Integers  # (U0,) kind of the lowest units whose rows are all of one that `lanes` has, of weight 1; or 0


@dataclass(frozen=True, eq=False)
class Rows(Group):
    """Rows of the data."""

    code: Integers  # (N,)
    y: Vector  # (N,)
    f1: Vector  # (N,)
    f2: Vector  # (N,)
    weight: Vector  # (N,)
    o: Vector  # (N,)
    A: Matrix  # (D, N)
    centred: Matrix  # (D, N) A; of rows of a set less their mean, by their probabilities at the modes
    address: Integers  # by code: where its loop over rows is
    parameters: Integers  # by code: how many row parameters are estimated


@dataclass(frozen=True, eq=False)
class Adjoints(Group):
    """Derivatives of the value with respect to the rows' o, A, f1 and f2."""

    o: Vector
    A: Matrix
    f1: Vector
    f2: Vector


@dataclass(frozen=True, eq=False)
class Rule(Group):
    """Rule of each level; a table of level l has ``size[l]`` nodes, own index fastest."""

    counts: Integers  # (K,) nodes of a level
    size: Integers  # (K + 1,) product of the counts of levels l and above
    z: Cube  # (K, max M, max count)
    log_weight: Matrix  # (K, max count) log |w| + |z|^2 / 2
    sign: Matrix  # (K, max count) sign of w
    largest: Vector  # (K,) largest |z|
    run: Integers  # (1,) nodes of the lowest level that follow each other and differ in the last coordinate alone
    within: Integers  # (M0,) of a sparse rule, lowest level: so many nodes, the first, have zeros before coordinate s
    parent: Integers  # (n0,) the node whose coordinates are those of a node, but the first that is not zero; or (0,)
    calls: Integers  # (1,) address of `node_rows.rows_at_nodes`, 0 where there is one node


@dataclass(frozen=True, eq=False)
class Fronts(Group):
    """By unit: blocks of the Cholesky factor, o = own, a = ancestors' coordinates."""

    F: Cube  # (U, D, D) front
    g: Matrix  # (U, D) gradient
    L: Cube  # (U, M, M) F_oo = L L'
    T: Cube  # (U, M, M) L^-T
    inverse: Cube  # (U, M, M) F_oo^-1
    G: Cube  # (U, M, D) F_oo^-1 F_oa
    path: Matrix  # (U, D) modes of own and ancestors
    newton: Matrix  # (U, M) F_oo^-1 g_o
    step: Matrix  # (U, D) Newton step
    F_bar: Cube  # (U, D, D) adjoint of the front
    b: Matrix  # (U, D) adjoint of the modes
    k: Matrix  # (U, D) H^-1 b
    sum: Vector  # (U,)
    T_bar: Matrix  # (M, M) adjoint of T of one unit
    G_bar: Matrix  # (M, D) adjoint of G of one unit
    product1: Matrix  # (D, D)
    product2: Matrix  # (D, D)


@dataclass(frozen=True, eq=False)
class Scratch(Group):
    """By row of the batch; r, w and what follows carry the row's weight."""

    nu: Vector
    r: Vector  # l'
    w: Vector  # -l''
    w1: Vector  # -l'''
    e: Vector  # adjoint of nu through w
    value: Matrix  # (3, n) l, dl/df1, dl/df2 at the modes
    mixed: Matrix  # (4, n) dl'/df1, -dl''/df1, dl'/df2, -dl''/df2
    tile: Vector  # (5 * TILE,) output of a loop over rows
    low: Integers  # (K,) units of one cluster
    high: Integers  # (K,)
    state: Integers  # by top-level cluster: of the search for its mode
    decrement: Vector  # by top-level cluster: of its last step
    slope: Vector  # by top-level cluster: along its last step


@dataclass(frozen=True, eq=False)
class Tables(Group):
    """At the nodes: upper levels by unit (numbered from base[1]), rows of the lowest units by upper node."""

    v: Cube  # (Uup, D, n1) coordinates
    f: Matrix  # (Uup, n1) log of the integrand, then conditional probabilities
    slope: Cube  # (Uup, D, n1) derivatives with respect to the nodes
    pi: Matrix  # (Uup, n1) posterior probabilities times weights
    tau: Cube  # (U0, M0, n1) sums of p times slope of the lowest units
    tau_z: Cube  # (U0, M0 * M0, n1) the same times z
    row: Cube  # (3 + M0, n1, n) expectations given the upper nodes: l', l' v, dl/df1, dl/df2
    node: Matrix  # (D, n0) coordinates of the nodes of one unit
    centre: Matrix  # (M0, n1) the own ones of z = 0
    bound: Vector  # (D,) largest absolute coordinates of the nodes
    log_f: Vector  # (n0,)
    product: Vector  # (n0,)
    factor: Matrix  # (2, n0 or more) exp(a'v) and exp(-a'v) of rows that share loadings a; scratch of other rows
    weights: Matrix  # (1 + M0, n0) p, p z
    density: Cube  # (3, rows at a time + 3, n0) l', dl/df1, dl/df2
    buffer: Matrix  # (4, TILE) input of a loop over rows
    message: Vector  # (n1,)


@dataclass(frozen=True, eq=False)
class Lanes(Group):
    """Units of one dimension side by side: arrays of w lanes; x is a node of the units above, j a row of a lane."""

    unit: Integers  # (w,) of each lane, from 0
    first: Integers  # (w,) first row
    count: Integers  # (w,) rows; 0 in lanes that are free
    longest: Integers  # (1,) most rows of a lane
    o: Matrix  # (j, w)
    a: Matrix  # (j, w) loading of the own coordinate
    y: Matrix  # (j, w)
    above: Cube  # (Da, j, w) loadings of the ancestors' coordinates
    e: Matrix  # (j, w) exp(nu) at node x and z = 0
    move: Cube  # (n, j, w) exp(a T z)
    one: Cube  # (n0, j, w) 1 + exp(nu); of counts exp(nu)
    expected: Cube  # (2, j, w) expectations of l', and of l' z or l' v
    of_lane: Matrix  # (D, w) numbers of its unit
    at_0: Vector  # (w,) sum y nu at z = 0
    by_z: Vector  # (w,) sum y a T
    product: Matrix  # (n, w) of 1 + g; then probabilities of the nodes
    log_one: Matrix  # (n, w) sum log(1 + g), of counts sum g; then the sum of the rows' log densities
    row_centre: Vector  # (w,)
    row_scale: Vector  # (w,)
    slope: Vector  # (w,) sum a E[l']
    slope_z: Vector  # (w,) sum a E[l' z]
    centre: Matrix  # (n1, w) by unit: own coordinate of z = 0
    scale: Vector  # (w,) by unit: T
    log_det: Vector  # (w,) by unit: log L
    furthest: Matrix  # (D, w) by unit: largest absolute coordinates
    f: Matrix  # (n0, w) by unit: log of the integrand, then conditional probabilities
    sum: Vector  # (w,) by unit
    message: Matrix  # (n1, w) by unit: log of the integral
    z_mean: Matrix  # (n1, w) by unit
    z_square: Matrix  # (n1, w) by unit
