"""Values on the workers of dask.distributed: pinned, computed again by the scheduler where a worker is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from semlang.diagnostics import Diagnostic, error
from semlang.errors import FitError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["OnWorkers"]

WAIT = 60
"""Seconds in which the first worker has to come."""


class OnWorkers:
    """Values on workers.

    A value is a task that depends on that of the stage before, never on scattered data, so that the scheduler can
    compute it again. A question is one task a worker.

    Parameters
    ----------
    client : distributed.Client
    values : sequence
        Futures, or descriptions of partitions that travel.
    """

    def __init__(self, client: Client, values: Sequence[Any]) -> None:
        self.client, self._values = client, list(values)
        self.size = len(self._values)

    def map(self, function: Callable[..., Any], /, *arguments: Any, keep: int | None = None) -> OnWorkers:
        """Return the values of a function of these; all of them stay on their workers."""
        workers = self._workers()
        name = f"semlang-{getattr(function, '__name__', 'value')}-{uuid4().hex[:8]}"
        return OnWorkers(
            self.client,
            [
                self.client.submit(
                    function, value, *arguments, key=f"{name}-{k}", workers=[workers[k % len(workers)]],
                    allow_other_workers=True, pure=False,
                )
                for k, value in enumerate(self._values)
            ],
        )  # fmt: skip

    def ask(self, function: Callable[..., Any], /, *arguments: Any) -> list[Any]:
        """Return the answers of a function, in the order of the partitions.

        Raises
        ------
        FitError
            ``workers-lost``.
        """
        from distributed import CancelledError, KilledWorker

        name = f"semlang-ask-{getattr(function, '__name__', 'value')}-{uuid4().hex[:8]}"
        try:
            tasks = {
                worker: (
                    numbers,
                    self.client.submit(
                        answers, [self._values[k] for k in numbers], function, *arguments, key=f"{name}-{n}",
                        workers=[worker], allow_other_workers=True, pure=False,
                    ),
                )
                for n, (worker, numbers) in enumerate(self._where().items())
            }  # fmt: skip
            found: dict[int, Any] = {}
            for numbers, task in tasks.values():
                found.update(zip(numbers, task.result(), strict=True))
        except (KilledWorker, CancelledError, OSError) as problem:
            raise FitError([lost(str(problem))]) from None
        return [found[k] for k in range(self.size)]

    def _workers(self) -> list[str]:
        """Return the addresses of the workers, waiting for the first where there is none.

        Raises
        ------
        FitError
            ``no-workers``.
        """
        try:
            self.client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError:
            raise FitError([nobody()]) from None
        workers = sorted(self.client.scheduler_info(n_workers=-1)["workers"])
        if not workers:  # the last one has gone since
            raise FitError([lost("there is no worker any more")])
        return workers

    def _where(self) -> dict[str, list[int]]:
        """Return which values each worker has; those that are nowhere are divided among all."""
        workers = self._workers()
        futures = [v for v in self._values if hasattr(v, "key")]
        holders = self.client.who_has(futures) if futures else {}
        out: dict[str, list[int]] = {}
        for k, value in enumerate(self._values):
            have = holders.get(getattr(value, "key", None)) or ()
            out.setdefault(min(have) if have else workers[k % len(workers)], []).append(k)
        return out


def answers(values: Sequence[Any], function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Return a function of several values, with one thread of linear algebra: workers are the parallel part."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        return [function(value, *arguments) for value in values]


def nobody() -> Diagnostic:
    """Return the finding that a scheduler has no workers."""
    return error(
        "no-workers",
        f"the scheduler has no workers: none came in {WAIT} seconds",
        help="start some with  dask worker ADDRESS",
    )


def lost(text: str) -> Any:
    """Return the finding that workers were lost."""
    return error(
        "workers-lost",
        "workers of the scheduler were lost, and what they held could not be computed again",
        label=text.split("\n")[0][:200],
        help="look at the workers' logs; where memory ran out, take more workers or smaller partitions",
    )
