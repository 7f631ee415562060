"""Fits of data in partitions are those of the same data in one table."""

from __future__ import annotations

import gc
import json
import socket
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import semlang as sl
from semlang.cli import semlang
from semlang.data.partitions import binding, opening, row_groups, scheduler
from semlang.data.partitions.held import InProcess
from semlang.estimation.conditioning.mixture import Mixture
from semlang.estimation.member import Refinable
from semlang.estimation.partitions.partitioned import Partitioned
from semlang.estimation.partitions.standing import Shared, answer
from semlang.estimation.placing import Placeable
from semlang.estimation.setting import Setting

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 1,500 rows of 150 units in 30 larger ones; two groups that follow each other."""
    rng = np.random.default_rng(3)
    n, units = 1500, 150
    g = np.repeat(np.arange(units), 10)
    s = g // 5
    eta = 0.7 * rng.normal(size=units)[g] + 0.5 * rng.normal(size=30)[s]
    x = rng.normal(size=n)
    out = pd.DataFrame({"s": s, "g": g, "x": 30.0 + 7.0 * x, "w": rng.normal(size=units)[g]})
    out["sex"] = np.where(g < 70, "m", "f")
    out["c"] = pd.Categorical(rng.choice(["lo", "mid", "hi"], n), categories=["lo", "mid", "hi", "never"])
    eta = eta + 0.5 * x
    out["y"] = (rng.random(n) < 1 / (1 + np.exp(-eta))) * 1.0
    out["yes"] = np.where(out["y"] == 1.0, "yes", "no")
    out["z"] = eta + rng.normal(size=n)
    order = np.digitize(eta + rng.logistic(size=n), [-1.0, 1.0])
    out["o"] = pd.Categorical(
        np.array(["low", "none", "high"])[order], categories=["low", "none", "high"], ordered=True
    )
    out["k"] = rng.poisson(np.exp(0.3 * eta))
    out["t"] = rng.weibull(1.3, n) * np.exp(-0.3 * eta)
    out["d"] = (rng.random(n) < 0.7) * 1
    out["f"] = rng.integers(1, 4, units)[g]
    f = rng.normal(size=n)
    for j in (1, 2, 3):
        out[f"i{j}"] = 0.8 * f + 0.6 * rng.normal(size=n)
    other = 0.5 * f + rng.normal(size=n)
    for j in range(1, 6):
        out[f"b{j}"] = (f + rng.logistic(size=n) > 0.2 * j - 0.6) * 1
        out[f"c{j}"] = np.digitize(other + rng.logistic(size=n), [-1.0, 0.5])
    one = rng.random(n) < 0.4
    for j, (p, q) in enumerate(((0.85, 0.2), (0.8, 0.15), (0.75, 0.1), (0.0, 0.7), (0.95, 0.0)), 1):
        out[f"l{j}"] = (rng.random(n) < np.where(one, p, q)) * 1
    out["l"] = np.where(one, 1.0, -1.0) + rng.normal(size=n)
    out["m"] = (rng.random(n) < 1 / (1 + np.exp(-np.where(rng.random(units) < 0.4, 1.2, -1.0)[g]))) * 1
    out["p"] = 0.5 * f + 0.4 * other + 0.4 * f * other + 0.7 * rng.normal(size=n)
    for j in (1, 2, 3):
        out[f"h{j}"] = 0.8 * other + 0.6 * rng.normal(size=n)
    for name in ("x", "i2"):
        out.loc[rng.random(n) < 0.1, name] = np.nan
    return out


@pytest.fixture
def parts(frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a pattern of files that are gone through in partitions, whose borders are not those of units."""
    for k in range(3):
        frame.iloc[k * 500 : (k + 1) * 500].to_parquet(tmp_path / f"p{k}.parquet", row_group_size=93)
    monkeypatch.setattr(opening, "IN_MEMORY", 0)
    monkeypatch.setattr(row_groups, "ROWS", 200)
    return str(tmp_path / "p*.parquet")


MODELS = {
    "binary": "y :: binomial(logit)\ny ~ x + (1|g)",
    "text": 'yes :: binomial(probit, success="yes")\nyes ~ x + (1|g)',
    "ordinal": "o :: ordinal(logit)\no ~ x + (1|g)",
    "three levels": "k :: poisson\nk ~ x + (1|s/g)",
    "linear, three levels": "z ~ x + factor(c) + (1|s/g)",
    "groups": "groups: sex\nz ~ x + (1|g)",
    "groups by quadrature": "groups: sex\ny :: binomial(logit)\ny ~ x + (1|g)",
    "missing": "f =~ i1 + i2 + i3",
    "items": "b{1..5} :: binomial(logit)\na =~ b{1..5}",
    "items in groups": "groups: sex\nb{1..5} :: binomial(logit)\na =~ b{1..5}",
    "two factors": "b{1..5} :: binomial(logit)\nc{1..5} :: ordinal(logit)\na =~ b{1..5}\nd =~ c{1..5}",
    "survival": "t :: weibull(event=d)\nt ~ x + (1|g)",
    "frequencies": "frequency: g = f\ny :: binomial(logit)\ny ~ x + (1|g)",
    "robust": "cluster: s\noptions: se = robust\ny :: binomial(logit)\ny ~ x",
    "outer product": "options: se = opg\nz ~ x + (1|g)",
    "equality": "z ~ a*x + b*w + (1|g)\na == b",
    "blocks": "level: 1\nz ~ x\nlevel: 2\nz ~ w\ncluster: g",
    "no latent variable": "c :: multinomial\nc ~ x",
    "an infinite logit": "l{1..3} + l5 :: binomial(logit)\nq :: class(2)\nq =~ l{1..3} + l5",
    "classes by a covariate": "l{1..4} :: binomial(logit)\nq :: class(2)\nq =~ l{1..4}\nq ~ w",
    "classes in groups": "groups: sex\noptions: se = robust, starts = 3\nl{1..3} :: binomial(logit)\nq :: class(2)\n"
    "q =~ l{1..3} + l",
    "classes of units": "m :: binomial(logit)\nq[g] :: class(2)\nm ~ x + q",
    "mass points": "m :: binomial(logit)\nu[g] :: masspoints(2)\nm ~ 1 + u",
    "products": "a =~ i1 + i2 + i3\nb =~ h1 + h2 + h3\np ~ a + b + a:b",
    "integers": "b{1..5} ~ 1\na =~ b{1..5}",
}


@pytest.mark.parametrize("name", MODELS)
def test_a_sum_over_partitions_is_the_fit(
    name: str, frame: pd.DataFrame, parts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = sl.Model(MODELS[name])
    a = model.fit(frame, threads=1).estimate
    b = model.fit(parts, threads=1).estimate
    assert b.plan is not None
    assert b.plan.partitioning is not None
    assert b.plan.partitioning.partitions > 4
    monkeypatch.setattr(binding, "SAMPLE", 600)  # start values and the frame are those of the first rows of each part
    c = model.fit(parts, threads=1).estimate
    assert a.vcov is not None
    se = np.nan_to_num(np.sqrt(np.diag(a.vcov)))
    for other, close in ((b, 1e-8), (c, 2e-4)):  # both end at a decrement below 1e-8, within 1e-4 standard errors
        assert other.loglik == pytest.approx(a.loglik, rel=1e-9)
        assert (np.abs(other.theta - a.theta) <= close * se + 1e-9).all()
        assert other.vcov is not None
        assert np.nan_to_num(np.sqrt(np.diag(other.vcov))) == pytest.approx(se, rel=1e-4)
        for count in ("n_rows", "n_rows_read", "n_top", "n_clusters", "dropped", "left_out", "n_free"):
            assert getattr(other, count) == getattr(a, count)


@pytest.mark.parametrize(
    ("name", "engine"), [("items", "SharedGrid"), ("two factors", "EliminatedGrid"),
                       ("binary", "QuadratureLikelihood"), ("products", "Mixture")]
)  # fmt: skip
def test_what_members_answer(name: str, engine: str, parts: str) -> None:
    """Sums over partitions are those of one member, whatever was asked before."""
    with sl.Model(MODELS[name])._partitions(parts, None, 1) as found:
        assert found is not None
        bound, given = found
        of = bound.model.parameter_table, bound.model.graphs, bound.designs, None, None, 1, None, None
        one, several = Setting(*of).objective(), Setting(*of, given).objective()
        (whole,), (sums,) = one.members, several.members
        assert type(whole).__name__ == engine
        x = np.linspace(0.4, 0.9, one.n)
        first = several.value_and_gradient(x)
        for refined in (False, True):
            if refined and isinstance(whole, Refinable):
                assert isinstance(sums, Refinable)
                assert whole.refine()
                assert sums.refine()
                assert sums.difference(x) == pytest.approx(whole.difference(x), rel=1e-6, abs=1e-9)
                assert len(sums.nodes) == len(whole.nodes)
                assert first[0] != several.value(x)
            value, gradient = one.value_and_gradient(x)
            assert several.value_and_gradient(x)[0] == pytest.approx(value, rel=1e-13)
            assert several.value_and_gradient(x)[1] == pytest.approx(gradient, rel=1e-9, abs=1e-9)
            outer = one.scored(x)[2]()
            assert several.scored(x)[2]() == pytest.approx(outer, rel=1e-9, abs=1e-9 * np.abs(outer).max())
            second = one.hessian(x)
            assert (second is None) == (several.hessian(x) is None)
            if second is not None:
                assert several.hessian(x) == pytest.approx(second, rel=1e-6, abs=1e-6 * np.abs(second).max())
            assert sums.multiplicity.sum() == whole.multiplicity.sum()
        if isinstance(whole, Placeable):
            assert isinstance(sums, Placeable)
            lost = Setting(*of, replace(given, keep=0)).objective()  # members are made anew for every question
            for spread in (0.0, 5.0, 5.0):  # each placement begins at the nodes of the one before
                for member in (whole, sums, lost.members[0]):
                    member.points, member.spread = 9, spread
                    member.place(x)
            value, gradient = one.value_and_gradient(x)
            moved = several.value_and_gradient(x)
            assert moved[0] == pytest.approx(value, rel=1e-13)
            assert moved[1] == pytest.approx(gradient, rel=1e-9, abs=1e-9)
            assert sums.steepness(x) == pytest.approx(whole.steepness(x))
            assert lost.value(x) == moved[0]
            sums.release()
            sums.points = 7
            assert several.value(x) == first[0]
        if isinstance(whole, Mixture):
            lost = Setting(*of, replace(given, keep=0)).objective()
            for at, points in ((x, 3), (1.1 * x, 5)):  # each move begins at the nodes of the one before
                for member in (whole, sums, lost.members[0]):
                    member.points = points
                    assert member.move(at)
            value, gradient = one.value_and_gradient(x)
            moved = several.value_and_gradient(x)
            assert moved[0] == pytest.approx(value, rel=1e-12)
            assert moved[1] == pytest.approx(gradient, rel=1e-8, abs=1e-8)
            assert lost.value(x) == moved[0]
            assert first[0] != moved[0]
        again = Setting(*of, given).objective().value_and_gradient(x)
        assert again[0] == first[0]
        assert np.array_equal(again[1], first[1])


def test_bits_do_not_depend_on_what_stays_in_memory(parts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = sl.Model(MODELS["binary"])
    found = []
    for megabytes in ("0", "1000"):
        monkeypatch.setenv("SEMLANG_MEMORY", megabytes)
        found.append(model.fit(parts, threads=1))
    a, b = (fit.estimate for fit in found)
    assert a.loglik == b.loglik
    assert np.array_equal(a.theta, b.theta)
    assert a.plan is not None
    assert "0 kept in memory" in str(a.plan)
    assert "all kept in memory" in str(b.plan)
    monkeypatch.setenv("SEMLANG_MEMORY", "much")
    with pytest.raises(sl.FitError) as problem:
        model.fit(parts)
    assert problem.value.diagnostics[0].slug == "bad-option-value"


@pytest.mark.parametrize("name", ["binary", "classes by a covariate", "products", "items", "two factors", "missing"])
def test_what_is_not_kept_leaves_memory(name: str, parts: str) -> None:
    """At once: partitions whose parts hold each other would pile up until garbage is looked for."""
    with sl.Model(MODELS[name])._partitions(parts, None, 1) as found:
        assert found is not None
        bound, given = found
        of = bound.model.parameter_table, bound.model.graphs, bound.designs, None, None, 1, None, None
        objective = Setting(*of, replace(given, keep=0)).objective()
        (sums,) = objective.members
        assert isinstance(sums, Partitioned)
        assert isinstance(sums._held, InProcess)
        x = np.linspace(0.4, 0.9, objective.n)
        objective.value(x)
        part = sums._held._value(0)
        gc.collect()
        gc.disable()
        try:
            assert not isinstance(answer(part, "value and gradient", Shared(sums.points), x), Exception)
            held = [weakref.ref(o) for o in (part, *part.part.designs, *part.designs, *part.members)]
            del part
            assert [r() for r in held] == [None] * len(held)
        finally:
            gc.enable()


def test_after_the_fit(frame: pd.DataFrame, parts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = sl.Model(MODELS["binary"])
    whole = model.fit(parts, threads=1)  # few rows are all at hand: the fit can do all that a fit can
    assert len(whole.scores()["g"]) == 150
    monkeypatch.setattr(binding, "SAMPLE", 600)
    fit = model.fit(parts, threads=1)
    assert "Units of g       150" in fit.summary()
    assert fit.to_json()["n_rows"] == whole.to_json()["n_rows"]
    assert np.allclose(fit.predict(frame.head(9))["y"], whole.predict(frame.head(9))["y"], atol=1e-5, equal_nan=True)
    for ask in (fit.scores, fit.predict, fit.residuals, fit.simulate, fit.m2):
        with pytest.raises(sl.FitError) as problem:
            ask()
        assert problem.value.diagnostics[0].slug in ("data-in-partitions", "undefined-measure", "no-residuals")
    fit.save(tmp_path / "fit.json")
    with pytest.raises(sl.FitError) as problem:
        sl.load(tmp_path / "fit.json")
    assert problem.value.diagnostics[0].slug == "data-in-partitions"


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("y :: binomial(logit)\ny ~ x + (1|lost)", "unknown-column"),
        ("k :: binomial(logit)\nk ~ x", "not-binary"),
        ("z :: gamma\nz ~ x", "outside-support"),
    ],
)
def test_what_is_wrong_with_the_data(text: str, slug: str, parts: str) -> None:
    with pytest.raises(sl.errors.SemlangError) as problem:
        sl.Model(text).fit(parts)
    assert problem.value.diagnostics[0].slug == slug


def test_rows_are_counted_in_their_partition(frame: pd.DataFrame, parts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "SAMPLE", 60)
    path = Path(parts).parent / "p1.parquet"
    wrong = pd.read_parquet(path)
    wrong.loc[wrong.index[470], "k"] = -1
    wrong.to_parquet(path, row_group_size=93)
    with pytest.raises(sl.errors.DataError) as problem:
        sl.Model("k :: poisson\nk ~ x + (1|g)").fit(parts)
    assert problem.value.diagnostics[0].slug == "not-count"
    assert "p1.parquet, row group" in problem.value.diagnostics[0].notes[-1]


def test_units_in_several_partitions(frame: pd.DataFrame, parts: str) -> None:
    frame.sample(frac=1.0, random_state=1).to_parquet(Path(parts).parent / "p0.parquet", row_group_size=93)
    with pytest.raises(sl.errors.DataError) as problem:
        sl.Model(MODELS["binary"]).fit(parts)
    assert problem.value.diagnostics[0].slug == "split-units"
    assert "sort_values('g')" in problem.value.diagnostics[0].help[0]


def test_models_that_need_all_rows_read_them(frame: pd.DataFrame, parts: str) -> None:
    pytest.importorskip("distributed")
    known = sl.Model("a :: normal(observed=i2)\na =~ i1 + i3 + h1")
    assert known.fit(parts, threads=1).loglik == known.fit(frame, threads=1).loglik
    for text, why in (
        ("a :: normal(observed=i2)\na =~ i1 + i3 + h1", "known for some"),
        ("k :: poisson\nu[g] :: masspoints()\nk ~ 1 + u", "masspoints(3)"),
    ):
        with pytest.raises(sl.FitError) as problem:
            sl.Model(text).fit(parts, scheduler="local")
        assert problem.value.diagnostics[0].slug == "not-in-partitions"
        assert why in problem.value.diagnostics[0].label


def test_a_maximum_of_the_first_rows_that_is_not_that_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two pairs of classes the first rows favour the one, all rows the other: both are climbed from."""
    monkeypatch.setattr(opening, "IN_MEMORY", 0)
    monkeypatch.setattr(row_groups, "ROWS", 500)
    monkeypatch.setattr(binding, "SAMPLE", 200)
    pairs = (np.array([[0.9, 0.9, 0.1, 0.1, 0.5], [0.1, 0.1, 0.9, 0.9, 0.5]]),
             np.array([[0.9, 0.1, 0.9, 0.1, 0.5], [0.1, 0.9, 0.1, 0.9, 0.5]]))  # fmt: skip
    rng = np.random.default_rng(0)
    frames = []
    for k in range(2):
        one = rng.integers(0, 2, 1000)
        first = rng.random(1000) < np.where(np.arange(1000) < 100, 0.55, 0.45)
        p = np.where(first[:, None], pairs[0][one], pairs[1][one])
        frames.append(pd.DataFrame((rng.random(p.shape) < p) * 1, columns=[f"b{j}" for j in range(1, 6)]))
        frames[-1].to_parquet(tmp_path / f"p{k}.parquet", row_group_size=500)
    model = sl.Model("b{1..5} :: binomial(logit)\nq :: class(2)\nq =~ b{1..5}")
    fit = model.fit(str(tmp_path / "p*.parquet"), threads=1)
    assert fit.loglik == pytest.approx(model.fit(pd.concat(frames), threads=1).loglik, abs=1e-6)


def test_separated_responses_are_refused(frame: pd.DataFrame, parts: str) -> None:
    path = Path(parts).parent / "p0.parquet"
    for k in range(3):
        frame.iloc[k * 500 : (k + 1) * 500].assign(y=lambda f: (f["w"] > 0) * 1.0).to_parquet(
            path.with_name(f"p{k}.parquet"), row_group_size=93
        )
    with pytest.raises(sl.FitError) as problem:
        sl.Model("y :: binomial(logit)\ny ~ w + (1|g)").fit(parts)
    assert problem.value.diagnostics[0].slug == "not-in-partitions"


def test_a_scheduler_needs_partitions(frame: pd.DataFrame) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(sl.errors.DataError) as problem:
        sl.Model(MODELS["binary"]).fit(frame, scheduler="local")
    assert problem.value.diagnostics[0].slug == "no-partitions"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "gopher://x:1"])
def test_nobody_at_the_address(address: str, parts: str) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(sl.FitError) as problem:
        sl.Model(MODELS["binary"]).fit(parts, scheduler=address)
    assert problem.value.diagnostics[0].slug == "no-scheduler"


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9])
def test_another_one_at_the_address(words: bytes, parts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(scheduler, "CONNECT", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        there: list[socket.socket] = []

        def listen() -> None:
            for _ in range(2):  # who knocks, and who asks
                there.append(server.accept()[0])
                there[-1].sendall(words)

        threading.Thread(target=listen, daemon=True).start()
        with pytest.raises(sl.FitError) as problem:
            sl.Model(MODELS["binary"]).fit(parts, scheduler=f"tcp://127.0.0.1:{server.getsockname()[1]}")
        for one in there:
            one.close()
    assert problem.value.diagnostics[0].slug == "no-scheduler"
    assert ("something else" if words else "no answer") in problem.value.diagnostics[0].label


def test_without_dask(parts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(sl.FitError) as problem:
        sl.Model(MODELS["binary"]).fit(parts, scheduler="local")
    assert problem.value.diagnostics[0].slug == "missing-extra"
    assert 'semlang[scale]"' in problem.value.diagnostics[0].help[0]


def test_the_command_line(parts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "SAMPLE", 600)
    (tmp_path / "m.sem").write_text(MODELS["binary"])
    model, output = str(tmp_path / "m.sem"), str(tmp_path / "fit.json")
    done = CliRunner().invoke(semlang, ["plan", model, "--data", parts])
    assert "partitions, 1,500 rows" in done.output
    done = CliRunner().invoke(semlang, ["fit", model, "--data", parts, "-o", output])
    assert done.exit_code == 0
    assert json.loads(Path(output).read_text())["result"]["n_clusters"] == {"g": 150}
    done = CliRunner().invoke(semlang, ["show", output])
    assert done.exit_code == 1
    assert "data-in-partitions" in done.output


def test_missing_predictors_are_refused(frame: pd.DataFrame, parts: str) -> None:
    path = Path(parts).parent
    for k in range(3):
        part = frame.iloc[k * 500 : (k + 1) * 500].copy()
        part.loc[part.index[3::7], "y"] = np.nan
        part.to_parquet(path / f"p{k}.parquet", row_group_size=93)
    with pytest.raises(sl.FitError) as problem:
        sl.Model("y :: binomial(logit)\nz ~ y + (1|g)\ny ~ w").fit(parts)
    assert problem.value.diagnostics[0].slug == "not-in-partitions"
    assert "missing" in problem.value.diagnostics[0].label


def test_what_is_rare_is_looked_at(frame: pd.DataFrame, parts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A level, and a covariate that varies, far from the first rows of a partition."""
    rare = frame.assign(c=np.where(frame.index % 200 > 190, "rare", "often"), w=(frame.index % 500 > 480) * 1.0)
    path = Path(parts).parent
    for k in range(3):
        rare.iloc[k * 500 : (k + 1) * 500].to_parquet(path / f"p{k}.parquet", row_group_size=93)
    monkeypatch.setattr(binding, "SAMPLE", 120)
    model = sl.Model("y :: binomial(logit)\ny ~ w + factor(c)")
    assert model.fit(parts).loglik == pytest.approx(model.fit(rare).loglik, rel=1e-9)


@pytest.mark.parametrize("kind", ["binary", "count", "continuous"])
def test_what_overlaps_far_from_the_first_rows(
    kind: str, frame: pd.DataFrame, parts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rows of the partitions are separated, all rows are not."""
    rng = np.random.default_rng(5)
    w = (rng.random(1500) < 0.1) * 1.0 if kind != "continuous" else rng.normal(size=1500)
    first = frame.index % 100 < 40
    if kind == "count":
        y = (frame["k"] + 3).where(w == 0.0, frame["y"].where(~first, 0.0))
    else:
        y = frame["y"].where(~first & (np.abs(w) < 1.5), (w > 0.0) * 1.0)
    data = frame.assign(w=w, y=y.astype(float))
    path = Path(parts).parent
    for k in range(3):
        data.iloc[k * 500 : (k + 1) * 500].to_parquet(path / f"p{k}.parquet", row_group_size=100)
    monkeypatch.setattr(row_groups, "ROWS", 100)
    monkeypatch.setattr(binding, "SAMPLE", 300)
    model = sl.Model("y :: binomial(logit)\ny ~ w" if kind != "count" else "y :: poisson\ny ~ w")
    fit = model.fit(parts, threads=1)
    assert fit.loglik == pytest.approx(model.fit(data, threads=1).loglik, rel=1e-9)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for data in (str(tmp_path / "no*.parquet"), [tmp_path / "no.parquet"]):
        for address in (None, "local"):
            with pytest.raises(sl.errors.DataError) as problem:
                sl.Model(MODELS["binary"]).fit(data, scheduler=address)
            assert problem.value.diagnostics[0].slug == "missing-file"
