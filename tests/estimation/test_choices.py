"""Choices and rankings in long form: against R, sums over grids, and the same models said in other ways.

``inputs/choices.csv`` is simulated: 60 persons choose five times each from two to five alternatives, and rank them; the
coefficient of the price varies over persons.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

from semlang.api import Model, load
from semlang.errors import SemlangError
from semlang.results.reading import Reading

DATA = Path(__file__).parent / "inputs/choices.csv"
CHOICE = "chosen :: choice(set=trip)\nchosen ~ price + time"
RANKING = "rank :: ranking(set=trip)\nrank ~ price + time"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    frame = pd.read_csv(DATA)
    return frame.assign(income=np.random.default_rng(1).normal(size=61)[frame.person])


def estimates(fit):
    return dict(zip(fit.params["name"], fit.params["est"], strict=True))


# survival 3.5-3 of R 4.2.2, 2026-11-28: clogit(chosen ~ price + time + factor(alt) + strata(trip)), and
# coxph(Surv(rank, ranked) ~ ... + strata(trip), ties = "breslow"), alternatives that were not ranked censored.
R = [
    ("chosen :: choice(set=trip)\nchosen", -296.16211873,
     [-0.6831118232, 0.4213491721, 0.3603858947, -0.9238705431, -0.0862589775, -0.1259189196]),
    ("rank :: ranking(set=trip)\nrank", -676.660896103,
     [-0.589406921, 0.400228907, 0.521578440, -0.709178134, -0.120366371, -0.100165838]),
    ("top2 :: ranking(set=trip)\ntop2", -506.708050587,
     [-0.6031439249, 0.4069025955, 0.5522755234, -0.7766905444, -0.0074036975, -0.0285110166]),
]  # fmt: skip
SE = [0.0874532, 0.0831522, 0.2048642, 0.2492180, 0.2083937, 0.2120167]


@pytest.mark.parametrize(("text", "loglik", "expected"), R, ids=["choice", "ranking", "two ranks"])
def test_against_r(data, text, loglik, expected):
    fit = Model(f"{text} ~ price + time + factor(alt)").fit(data)
    assert fit.loglik == pytest.approx(loglik, abs=1e-6)
    assert fit.params.est.to_numpy() == pytest.approx(expected, abs=2e-5)  # the log-likelihood is flat to 1e-9 there
    if "choice" in text:
        assert fit.params.se.to_numpy() == pytest.approx(SE, rel=1e-4)


def stages(rows, nu, ranks):
    """Return the log probability of the ranks of all sets of a person: a choice from those that are left a stage."""
    total = 0.0
    for _, at in rows.groupby("trip").indices.items():
        rank = ranks[at]
        for r in range(1, int(np.nanmax(rank)) + 1):
            left = at[~(rank < r)]
            if left.size > 1:
                total += nu[at[rank == r][0]] - np.logaddexp.reduce(nu[left])
    return total


@pytest.mark.parametrize(("kind", "y"), [("choice", "chosen"), ("ranking", "rank"), ("ranking", "top2")])
def test_random_slopes_against_integrals(data, kind, y):
    """The log-likelihood at the estimates by sums over a fine grid; rows in any order."""
    text = f"{y} :: {kind}(set=trip)\n{y} ~ price + time + b[person]:price"
    fit = Model(text).fit(data, points=15)
    e = estimates(fit)
    sd, grid = np.sqrt(e["b[person] ~~ b[person]"]), np.linspace(-7.0, 7.0, 85)
    total = 0.0
    for _, rows in data.groupby("person"):
        x, ranks = rows.price.to_numpy(), rows[y].to_numpy(dtype=float)
        ranks = np.where(ranks == 0, np.nan, ranks) if kind == "choice" else ranks
        fixed = e[f"{y} ~ price"] * x + e[f"{y} ~ time"] * rows.time.to_numpy()
        values = [stages(rows, fixed + sd * v * x, ranks) for v in grid]
        total += np.logaddexp.reduce(values + stats.norm.logpdf(grid)) + np.log(grid[1] - grid[0])
    assert fit.loglik == pytest.approx(total, abs=1e-5)
    mixed = Model(text).fit(data.sample(frac=1.0, random_state=2), points=15)
    assert mixed.loglik == pytest.approx(fit.loglik, abs=1e-9)


def test_classes_against_sums(data):
    fit = Model("cluster: person\nchosen :: choice(set=trip)\nc[person] :: class(2)\nchosen ~ time + c:price").fit(data)
    e = estimates(fit)
    share, total = expit(e["c[person] ~1 (class 1)"]), 0.0
    for _, rows in data.groupby("person"):
        ranks = rows.chosen.where(rows.chosen == 1).to_numpy(dtype=float)
        of = [
            stages(rows, e["chosen ~ time"] * rows.time.to_numpy() + slope * rows.price.to_numpy(), ranks)
            for slope in (e["chosen ~ price (class 1)"], e["chosen ~ price (class 2)"])
        ]
        total += np.logaddexp(np.log(share) + of[0], np.log1p(-share) + of[1])
    assert fit.loglik == pytest.approx(total, abs=1e-6)


@pytest.fixture(scope="module")
def three() -> pd.DataFrame:
    """Return 240 choices from three alternatives, wide: a price each, and what was chosen; 40 persons."""
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({f"price_{a}": rng.normal(size=240).round(2) for a in "abc"})
    frame["person"], frame["trip"] = np.repeat(np.arange(40), 6), np.arange(240)
    u = np.stack([-0.7 * frame[f"price_{a}"] + rng.gumbel(size=240) for a in "abc"], axis=1)
    u[:, 1] += np.repeat(rng.normal(size=40), 6)
    return frame.assign(y=np.array(list("abc"))[u.argmax(axis=1)])


def long(wide: pd.DataFrame) -> pd.DataFrame:
    parts = [wide.assign(alt=a, price=wide[f"price_{a}"], chosen=(wide.y == a).astype(int)) for a in "abc"]
    return pd.concat(parts).assign(b=lambda d: 1.0 * (d.alt == "b"), c=lambda d: 1.0 * (d.alt == "c"))


@pytest.mark.parametrize("more", ["", "person", "class"])
def test_choices_of_equal_sets_are_nominal_responses(three, more):
    """With a constant for each alternative; a random intercept of one, and classes that differ in it."""
    wide = "y :: multinomial(base=a)\ny@a ~ 0 + p*price_a\ny@b ~ 1 + p*price_b\ny@c ~ 1 + p*price_c"
    sets = "chosen :: choice(set=trip)\nchosen ~ price + b + c"
    if more == "person":
        wide, sets = wide + "\ny@b ~ u[person]", sets + " + u[person]:b"
    if more == "class":
        head = "cluster: person\nk[person] :: class(2)\n"
        wide = head + wide.replace("y@b ~ 1", "y@b ~ k")
        sets = head + sets.replace("+ b", "+ k:b")
    first, second = Model(wide).fit(three), Model(sets).fit(long(three))
    assert second.loglik == pytest.approx(first.loglik, abs=2e-6)
    assert estimates(second)["chosen ~ price"] == pytest.approx(estimates(first)["p"], abs=1e-3)


def test_rankings_are_choices_of_choices(data):
    """Each stage of a ranking as a set of its own."""
    parts = []
    for _, rows in data.groupby("trip"):
        for r in range(1, len(rows)):
            left = rows[rows["rank"] >= r]
            parts.append(left.assign(set=len(parts), first=(left["rank"] == r).astype(int)))
    exploded = pd.concat(parts)
    more = " + b[person]:price"
    ranking = Model(RANKING + more).fit(data)
    choices = Model("first :: choice(set=set)\nfirst ~ price + time" + more).fit(exploded)
    assert ranking.loglik == pytest.approx(choices.loglik, abs=1e-7)
    np.testing.assert_allclose(ranking.params.est, choices.params.est, atol=1e-4)


def test_missing_alternatives_and_covariates(data):
    """A row without a response is no alternative; one without a covariate takes its set with it, and it is counted."""
    lost = data.assign(chosen=data.chosen.where((data.alt != 3) | (data.chosen == 1)))
    kept = lost[lost.chosen.notna()]
    assert Model(CHOICE).fit(lost).loglik == pytest.approx(Model(CHOICE).fit(kept).loglik, abs=1e-9)
    some = data.assign(price=data.price.where(data.index != 7))
    fit = Model(CHOICE).fit(some)
    trip = data.trip[7]
    assert fit.loglik == pytest.approx(Model(CHOICE).fit(data[data.trip != trip]).loglik, abs=1e-9)
    assert f"{(data.trip == trip).sum()} rows (price missing)" in fit.summary()


def test_sets_are_numbered_within_units_or_over_all(data):
    """As classes within schools."""
    within = data.assign(trip=1 + (data.trip - 1) % 5)
    more = " + b[person]:price"
    assert Model(CHOICE + more).fit(within).loglik == pytest.approx(Model(CHOICE + more).fit(data).loglik, abs=1e-9)
    with pytest.raises(SemlangError):  # without persons nothing tells the sets apart
        Model(CHOICE).fit(within)


def test_frequencies_are_copies(data):
    counts = data.assign(n=1 + data.trip % 2)
    twice = data[data.trip % 2 == 1].assign(trip=lambda d: d.trip + 1000)
    copied = Model(CHOICE).fit(pd.concat([data, twice]))
    assert Model(f"frequency: n\n{CHOICE}").fit(counts).loglik == pytest.approx(copied.loglik, abs=1e-7)
    weighted = Model(f"weights: rows = n\n{CHOICE}").fit(counts)
    assert weighted.params.est.to_numpy() == pytest.approx(copied.params.est.to_numpy(), abs=1e-5)


@pytest.mark.parametrize("text", [CHOICE + " + b[person]:price", RANKING + " + b[person]:price"])
def test_predictions_and_draws(data, text):
    fit: Reading = Model(text).fit(data, se="none")
    e, y = estimates(fit), text.split(" ")[0]
    grid, w = np.polynomial.hermite_e.hermegauss(61)
    x, w = data.price.to_numpy(), w / w.sum()
    fixed = e[f"{y} ~ price"] * x + e[f"{y} ~ time"] * data.time.to_numpy()
    nu = fixed[:, None] + np.sqrt(e["b[person] ~~ b[person]"]) * x[:, None] * grid
    p = np.exp(nu)
    p = p / pd.DataFrame(p).groupby(data.trip.to_numpy()).transform("sum").to_numpy()
    assert fit.predict()[y].to_numpy() == pytest.approx(p @ w, abs=1e-6)
    for kind in ("marginal", "conditional", "at"):
        total = fit.predict(kind=kind)[y].groupby(data.trip).sum()
        assert total.to_numpy() == pytest.approx(np.ones(len(total)))
    new = data.drop(columns=[y])[data.trip < 9]
    assert fit.predict(data=new)[y].to_numpy() == pytest.approx((p @ w)[: len(new)], abs=1e-6)
    drawn = fit.simulate(seed=4, n=20)
    first = (drawn[y] == 1).groupby([drawn.simulation, drawn.trip]).sum()
    assert (first == 1).all()
    share = (drawn[y] == 1).groupby([drawn.simulation, drawn.time.round(0)]).mean().groupby("time")
    assert share.mean().to_numpy() == pytest.approx(
        pd.Series(p @ w).groupby(data.time.round(0)).mean().to_numpy(), abs=4 * share.std().max() / np.sqrt(20)
    )
    again = Model(text).fit(drawn[drawn.simulation == 1].drop(columns="simulation"), se="none")
    assert again.converged


def test_unranked_alternatives_stay_unranked_in_draws(data):
    drawn = Model("top2 :: ranking(set=trip)\ntop2 ~ price").fit(data).simulate(seed=1)
    sizes = data.groupby("trip").size()
    assert (drawn.groupby("trip").top2.count() == sizes.where(sizes < 4, 2)).all()  # the last of three needs no rank
    assert set(drawn.top2.dropna()) == {1.0, 2.0, 3.0}


@pytest.mark.parametrize(
    ("text", "change", "slug"),
    [
        (CHOICE, {(3, "chosen"): 1, (4, "chosen"): 1}, "not-one-choice"),
        (CHOICE, {(k, "chosen"): 0 for k in range(5)}, "not-one-choice"),
        (RANKING, {(0, "rank"): 1, (1, "rank"): 1}, "tied-ranks"),
        (RANKING, {(0, "rank"): 1.5}, "not-a-rank"),
        (CHOICE + " + b[alt]:price", {}, "set-across-clusters"),
        ("weights: rows = w\n" + CHOICE, {(0, "w"): 2.0}, "set-with-weights"),
        (CHOICE + " + income", {}, "constant-within-set"),
        (CHOICE + " + 1", {}, "constant-within-set"),
        (CHOICE + " + (1 | person)", {}, "constant-within-set"),
        (CHOICE + " + u:price\nu :: normal", {}, "latent-within-set"),
        (CHOICE.replace("(set=trip)", ""), {}, "missing-set"),
        (CHOICE + " + factor(alt):income", {}, "collinear-covariates"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(data, text, change, slug):
    wrong = data.astype(float).assign(w=1.0)
    for (row, column), value in change.items():
        wrong.loc[row, column] = value
    with pytest.raises(SemlangError) as problem:
        Model(text).fit(wrong)
    assert slug in {d.slug for d in problem.value.diagnostics}


def test_gaps_in_ranks_are_said_and_the_order_counts(data):
    rows = data[data.trip == 1].index
    gap = data.drop(rows[data.loc[rows, "rank"].to_numpy() == 2])
    fit = Model(RANKING).fit(gap)
    assert "rank-gap" in {d.slug for d in fit.diagnostics}
    closed = gap.assign(rank=gap.groupby("trip")["rank"].rank())
    assert Model(RANKING).fit(closed).loglik == fit.loglik


def test_factors_times_what_is_constant_within_sets(data):
    """``0*income`` is the margin beside which the factor has contrasts: a coefficient for all alternatives but one."""
    fit = Model(CHOICE + " + factor(alt) + 0*income + factor(alt):income").fit(data)
    assert {n for n in fit.params["name"] if n.endswith("income")} >= {f"chosen ~ alt={a}:income" for a in (2, 3, 4, 5)}
    assert "chosen ~ alt=1:income" not in set(fit.params["name"])
    assert fit.converged


def test_saved_fits_and_reports(data, tmp_path):
    fit = Model(CHOICE + " + b[person]:price").fit(data)
    fit.save(tmp_path / "fit.json")
    fit.report(tmp_path / "report.html")
    back = load(tmp_path / "fit.json")
    assert back.loglik == fit.loglik
    assert back.predict().equals(fit.predict())


@pytest.mark.parametrize("more", ["", " + b[person]:price"])
def test_an_alternative_that_is_never_chosen(data, more):
    """Its constant is at minus infinity, and the rest is the model of the other alternatives."""
    never = data[~data.trip.isin(data[(data.alt == 3) & (data.chosen == 1)].trip)]
    text = "chosen :: choice(set=trip)\nchosen ~ price + factor(alt)" + more
    fit, without = Model(text).fit(never), Model(text).fit(never[never.alt != 3])
    assert estimates(fit)["chosen ~ alt=3"] == -np.inf
    assert "coefficient-at-infinity" in {d.slug for d in fit.diagnostics}
    assert fit.loglik == pytest.approx(without.loglik, abs=1e-6)
    assert estimates(fit)["chosen ~ price"] == pytest.approx(estimates(without)["chosen ~ price"], abs=1e-4)


def test_choices_that_a_covariate_decides(data):
    slow = data.assign(chosen=(data.groupby("trip").time.transform("max") == data.time).astype(int))
    with pytest.raises(SemlangError) as problem:
        Model(CHOICE).fit(slow)
    assert "unbounded-likelihood" in {d.slug for d in problem.value.diagnostics}


def test_effects_on_random_coefficients_are_identified(data):
    """A covariate of the person on the coefficient of the price is its product with the price."""
    slopes = Model(CHOICE + " + b[person]:price\nb ~ income").fit(data, points=15)
    product = Model(CHOICE + " + price:income + b[person]:price").fit(data, points=15)
    assert slopes.loglik == pytest.approx(product.loglik, abs=1e-6)
    assert estimates(slopes)["b[person] ~ income"] == pytest.approx(
        estimates(product)["chosen ~ price:income"], abs=1e-3
    )


def simulated(rng: np.random.Generator, structure: str) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return 100 persons' choices and rankings, six each from two to four alternatives, and the true parameters."""
    size = rng.integers(2, 5, 600)
    trip = np.repeat(np.arange(600), size)
    person = trip // 6
    frame = pd.DataFrame({"person": person, "trip": trip, "price": rng.normal(size=trip.size)})
    frame["time"] = rng.normal(size=trip.size)
    slope, true = np.full(100, -0.8), {"price": -0.8}
    if structure == "two levels":
        slope = slope + 0.7 * rng.normal(size=100)
        true["variance"] = 0.49
    if structure == "class":
        second = rng.random(100) < 0.25
        slope, true = np.where(second, 1.0, -1.5), {"first": -1.5, "second": 1.0, "logit": np.log(3.0)}
    u = slope[person] * frame.price + 0.5 * frame.time + rng.gumbel(size=trip.size)
    frame["rank"] = (-u).groupby(trip).rank()
    return frame.assign(chosen=(frame["rank"] == 1).astype(int)), {"time": 0.5, **true}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("structure", ["none", "two levels", "class"])
@pytest.mark.parametrize(("kind", "y"), [("choice", "chosen"), ("ranking", "rank")])
def test_recovery(kind, y, structure):
    """20 data sets: mean z below 4 / sqrt(20), and intervals that cover as often as a binomial variable at 1e-3."""
    right = {"none": f"{y} ~ time + price", "two levels": f"{y} ~ time + price + b[person]:price",
             "class": f"cluster: person\nc[person] :: class(2)\n{y} ~ time + c:price"}[structure]  # fmt: skip
    names = {"time": f"{y} ~ time", "price": f"{y} ~ price", "variance": "b[person] ~~ b[person]",
             "first": f"{y} ~ price (class 1)", "second": f"{y} ~ price (class 2)",
             "logit": "c[person] ~1 (class 1)"}  # fmt: skip
    z = []
    for seed in range(20):
        frame, true = simulated(np.random.default_rng([seed, len(structure)]), structure)
        p = Model(f"{y} :: {kind}(set=trip)\n{right}").fit(frame).params.set_index("name")
        z.append([(p.est[names[k]] - v) / p.se[names[k]] for k, v in true.items()])
    found = np.array(z)
    assert np.abs(found.mean(axis=0)).max() < 4 / np.sqrt(20)
    inside = int((np.abs(found) < 1.96).sum())
    assert stats.binom.cdf(inside, found.size, 0.95) > 1e-3


def test_sets_are_what_bic_counts():
    """AIC and BIC do not change with alternatives that nobody looks at, but for what these do to the likelihood."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"trip": np.repeat(np.arange(50), 4), "x": rng.normal(size=200), "k": np.repeat([1, 2], 100)})
    utility = data.x + rng.gumbel(size=200)
    rank = utility.groupby(data.trip).rank(ascending=False).astype(int)
    data = data.assign(chosen=(rank == 1).astype(int), rank=rank, w=1 + data.trip % 2)
    for text in ("chosen :: choice(set=trip)\nchosen ~ x", "rank :: ranking(set=trip)\nrank ~ x"):
        fit = Model(text).fit(data)
        assert fit.bic == pytest.approx(np.log(50.0) - 2.0 * fit.loglik)
        assert "(n = 50)" in fit.summary()
        assert fit.to_json()["information"]["n"] == 50
        assert Model("frequency: w\n" + text).fit(data).estimate.n_top == 75
        assert Model("groups: k\n" + text).fit(data).estimate.n_top == 50
        gone = data.assign(x=data.x.where(data.trip > 1))  # two sets are left out
        assert Model(text).fit(gone).estimate.n_top == 48
        people = data.assign(person=data.trip // 5)
        assert Model(text + " + b[person]:x").fit(people).estimate.n_top == 10
