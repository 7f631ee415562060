"""Sums over partitions on the workers of dask.distributed: two processes on loopback, one of which is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.data.partitions import opening, row_groups
from semlang.data.partitions.on_workers import OnWorkers, answers

distributed = pytest.importorskip("distributed")
pytest.importorskip("pyarrow")

TEXT = "y :: binomial(logit)\ny ~ x + factor(c) + (1|g)"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 2,000 rows of 200 units."""
    rng = np.random.default_rng(1)
    n, units = 2000, 200
    g = np.repeat(np.arange(units), 10)
    x = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-0.5 * x - rng.normal(size=units)[g]))) * 1.0
    out = pd.DataFrame({"g": g, "x": x, "c": rng.choice(list("abc"), n), "y": y})
    one = rng.random(n) < 0.4
    for j, (p, q) in enumerate(((0.85, 0.2), (0.8, 0.15), (0.75, 0.1), (0.1, 0.7)), 1):
        out[f"l{j}"] = (rng.random(n) < np.where(one, p, q)) * 1
    a = rng.normal(size=n)
    b = 0.4 * a + rng.normal(size=n)
    for j in (1, 2):
        out[f"i{j}"], out[f"h{j}"] = a + rng.normal(size=n), b + rng.normal(size=n)
    return out.assign(w=0.5 * a + 0.4 * b + 0.4 * a * b + rng.normal(size=n))


@pytest.fixture
def parts(frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a pattern of files of eight partitions."""
    for k in range(2):
        frame.iloc[k * 1000 : (k + 1) * 1000].to_parquet(tmp_path / f"p{k}.parquet", row_group_size=130)
    monkeypatch.setattr(row_groups, "ROWS", 250)
    return str(tmp_path / "p*.parquet")


@pytest.fixture
def here(parts: str, monkeypatch: pytest.MonkeyPatch) -> sl.results.fit.Fit:
    """Return the fit of the partitions in this process."""
    with monkeypatch.context() as patch:
        patch.setattr(opening, "IN_MEMORY", 0)
        return sl.Model(TEXT).fit(parts, threads=1)


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Return a cluster of two processes."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def same(a: Any, b: Any) -> bool:
    """Whether two fits have the same bits."""
    a, b = a.estimate, b.estimate
    return bool(a.loglik == b.loglik and np.array_equal(a.theta, b.theta) and np.array_equal(a.vcov, b.vcov))


pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.mark.slow
def test_a_worker_that_is_killed_changes_no_bit(parts: str, here: Any, cluster: Any) -> None:
    with distributed.Client(cluster) as client:
        victim = next(iter(client.run(os.getpid).values()))
        seen: list[str] = []

        def watch(line: str) -> None:
            seen.append(line)
            if len(seen) == 4:
                os.kill(victim, signal.SIGKILL)

        fit = sl.Model(TEXT).fit(parts, scheduler=cluster.scheduler_address, progress=watch)
        assert len(seen) > 6
        assert victim not in client.run(os.getpid).values()
    assert same(fit, here)
    assert fit.estimate.plan is not None
    assert "on 2 workers" in str(fit.estimate.plan)


CONDITIONED = {
    "classes": "l{1..4} :: binomial(logit)\nq :: class(2)\nq =~ l{1..4}",
    "products": "a =~ i1 + i2\nb =~ h1 + h2\nw ~ a + b + a:b",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CONDITIONED)
def test_sums_over_states_when_a_worker_is_killed(
    name: str, frame: pd.DataFrame, parts: str, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nodes that have moved move once more where a partition is computed again."""
    with monkeypatch.context() as patch:
        patch.setattr(opening, "IN_MEMORY", 0)
        here = sl.Model(CONDITIONED[name]).fit(parts, threads=1)
    whole = sl.Model(CONDITIONED[name]).fit(frame, threads=1)
    assert here.loglik == pytest.approx(whole.loglik, abs=1e-6)
    with distributed.Client(cluster) as client:
        victim = next(iter(client.run(os.getpid).values()))
        iterations: list[str] = []

        def watch(line: str) -> None:
            if line.startswith("iteration"):
                iterations.append(line)
                if len(iterations) == 2:
                    os.kill(victim, signal.SIGKILL)

        fit = sl.Model(CONDITIONED[name]).fit(parts, scheduler=cluster.scheduler_address, progress=watch)
        assert len(iterations) > 2
        assert victim not in client.run(os.getpid).values()
    assert same(fit, here)


@pytest.mark.slow
def test_one_process_or_two(parts: str, here: Any) -> None:
    for processes in (1, 2):
        assert same(sl.Model(TEXT).fit(parts, scheduler="local", threads=processes), here)


@pytest.mark.slow
def test_a_frame_of_dask(frame: pd.DataFrame, cluster: Any) -> None:
    dataframe = pytest.importorskip("dask.dataframe")
    given = dataframe.from_pandas(frame, npartitions=6)
    model = sl.Model(TEXT)
    with pytest.raises(sl.errors.DataError) as problem:
        model.fit(given)
    assert problem.value.diagnostics[0].slug == "split-units"
    together, whole = given.shuffle("g"), model.fit(frame, threads=1)
    for scheduler in (None, cluster.scheduler_address):
        fit = model.fit(together, scheduler=scheduler)
        assert fit.loglik == pytest.approx(whole.loglik, rel=1e-9)
        assert fit.estimate.theta == pytest.approx(whole.estimate.theta, abs=1e-6)


class Deaf:
    """A client whose workers die of every task."""

    def submit(self, *arguments: Any, **options: Any) -> Deaf:
        return self

    def result(self) -> None:
        raise distributed.KilledWorker("task", SimpleNamespace(address="tcp://a:1"), 3)

    def wait_for_workers(self, n: int, timeout: int) -> None:
        pass

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": {"tcp://a:1": {}}}


def test_a_script_that_every_worker_would_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from semlang.data.partitions.scheduler import client_of

    def fails(**options: Any) -> None:
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", fails)
    with pytest.raises(sl.FitError) as problem, client_of("local", 1):
        pass
    assert problem.value.diagnostics[0].slug == "no-workers"
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(SystemExit), client_of("local", 1):
        pass


def test_a_cluster_is_started_apart_from_interrupts() -> None:
    """Its processes do not get what Ctrl-C sends to all; who interrupts the start closes it."""
    from semlang.data.partitions import scheduler

    closed: list[bool] = []
    cluster: Any = SimpleNamespace(close=lambda: closed.append(True))
    seen: list[set[signal.Signals | int]] = []

    def start() -> Any:
        seen.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        return cluster

    assert scheduler._apart_from_interrupts(start) is cluster
    assert signal.SIGINT in seen[0]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

    def slow() -> Any:
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        return cluster

    with pytest.raises(KeyboardInterrupt):
        scheduler._apart_from_interrupts(slow)
    for _ in range(100):
        if closed:
            break
        time.sleep(0.02)
    assert closed == [True]
    with scheduler._closing(SimpleNamespace(close=interrupt)):  # the fit is there
        pass


def interrupt() -> None:
    raise KeyboardInterrupt


def test_workers_that_stay_lost() -> None:
    client: Any = Deaf()
    with pytest.raises(sl.FitError) as problem:
        OnWorkers(client, [1, 2]).ask(int)
    assert problem.value.diagnostics[0].slug == "workers-lost"


class Alone(Deaf):
    """A client whose scheduler has no workers."""

    def wait_for_workers(self, n: int, timeout: int) -> None:
        raise TimeoutError


def test_a_scheduler_without_workers() -> None:
    client: Any = Alone()
    with pytest.raises(sl.FitError) as problem:
        OnWorkers(client, [1, 2]).map(int)
    assert problem.value.diagnostics[0].slug == "no-workers"


def test_partitions_of_dask_do_not_depend_on_the_columns(frame: pd.DataFrame, parts: str) -> None:
    """Parquet files of which few columns are read would be joined."""
    dataframe = pytest.importorskip("dask.dataframe")
    model = sl.Model(TEXT)
    wide = frame.assign(**{f"w{k}": np.arange(2000.0) for k in range(40)})
    for rows in (wide, wide.sample(frac=1.0, random_state=1)):
        for k in range(2):
            rows.iloc[k * 1000 : (k + 1) * 1000].to_parquet(Path(parts).parent / f"p{k}.parquet")
        if rows is wide:
            fit = model.fit(dataframe.read_parquet(parts), threads=1)
            assert fit.loglik == pytest.approx(model.fit(frame, threads=1).loglik, rel=1e-9)
        else:
            with pytest.raises(sl.errors.DataError) as problem:
                model.fit(dataframe.read_parquet(parts))
            assert problem.value.diagnostics[0].slug == "split-units"


def test_a_task_answers_for_all_values_of_its_worker() -> None:
    assert answers([1, 2], lambda value, more: value + more, 10) == [11, 12]
