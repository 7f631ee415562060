"""The scheduler of a fit on workers: one that is there, or processes of this machine for the time of the fit."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from semlang.diagnostics import Diagnostic, error
from semlang.errors import FitError
from semlang.interrupts import blocked

if TYPE_CHECKING:
    from concurrent.futures import Future

    from distributed import Client, LocalCluster

__all__ = ["client_of", "refuse_without_dask"]

T = TypeVar("T", bound=Any)

CONNECT = 10
"""Seconds after which a scheduler that does not answer is not there."""

ONE_THREAD = {
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "SEMLANG_THREADS": "1",
}
"""Set in workers that are started here: processes are the parallel part."""


def refuse_without_dask() -> None:
    """Raise where dask.distributed is not installed."""
    if importlib.util.find_spec("distributed") is None:
        raise FitError(
            [error("missing-extra", "a scheduler needs the package distributed", help='pip install "semlang[scale]"')]
        )


@contextmanager
def client_of(scheduler: str, processes: int) -> Iterator[Client]:
    """Connect to a scheduler, or start one with worker processes for ``local``.

    Parameters
    ----------
    scheduler : str
        ``local``, or an address like ``tcp://10.0.0.5:8786``.
    processes : int
        Of a local scheduler.

    Raises
    ------
    FitError
        ``missing-extra``, ``no-scheduler``, ``no-workers``.
    """
    refuse_without_dask()
    import multiprocessing

    from distributed import Client, LocalCluster

    if scheduler != "local":
        try:
            _knock(scheduler)
            client = Client(scheduler, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as problem:
            text = str(problem).split("\n")[0]
            raise FitError([unreachable(scheduler, text)]) from None
        with client:
            yield client
        return
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(1)  # a worker that is just being started reads a script that starts workers
    import dask

    with ExitStack() as stack:
        stack.enter_context(
            dask.config.set({"distributed.scheduler.work-stealing": False, "distributed.comm.timeouts.connect": "10s"})
        )
        try:
            cluster = _apart_from_interrupts(
                lambda: LocalCluster(
                    n_workers=processes, threads_per_worker=1, processes=True, host="127.0.0.1",
                    dashboard_address=None, silence_logs=50, env=ONE_THREAD, memory_limit=0,
                )
            )  # fmt: skip
            stack.enter_context(_closing(cluster))
        except RuntimeError as problem:
            raise FitError([not_started(str(problem))]) from None
        yield stack.enter_context(_closing(Client(cluster, set_as_default=False)))


@contextmanager
def _closing(one: T) -> Iterator[T]:
    """Close a client or a cluster in the end; who interrupts that has the fit nevertheless."""
    try:
        yield one
    finally:
        with suppress(KeyboardInterrupt):
            one.close()


def _apart_from_interrupts(start: Callable[[], LocalCluster]) -> LocalCluster:
    """Return a cluster whose processes do not get what Ctrl-C sends to all processes of a terminal.

    They are started by another thread, in which it is blocked; this one can be interrupted, and a cluster that is still
    to come then is closed as soon as it is there.
    """

    from concurrent.futures import ThreadPoolExecutor

    def apart() -> LocalCluster:
        with blocked():
            return start()

    pool = ThreadPoolExecutor(1)
    starting = pool.submit(apart)
    pool.shutdown(wait=False)
    try:
        return starting.result()
    except KeyboardInterrupt:
        starting.add_done_callback(_close_late)
        raise


def _close_late(starting: Future[LocalCluster]) -> None:
    """Close a cluster that nobody waits for any more; where the process is ending, that may have been done."""
    if starting.exception() is None:
        with suppress(Exception):
            starting.result().close()


def _knock(scheduler: str) -> None:
    """Raise where no scheduler answers at an address: a client that does not get through takes long to be closed.

    Raises
    ------
    OSError, ValueError
    """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    from distributed.comm.addressing import get_address_host_port, parse_address
    from distributed.comm.registry import get_backend
    from distributed.core import rpc

    protocol = parse_address(scheduler)[0]
    get_backend(protocol)
    if protocol in ("tcp", "tls"):  # tells at once that nobody listens
        with socket.create_connection(get_address_host_port(scheduler), timeout=CONNECT):
            pass

    async def identity() -> str:
        there = rpc(scheduler, timeout=CONNECT)
        try:
            answer = await asyncio.wait_for(there.identity(), CONNECT)
        finally:
            there.close_comms()
        return str(answer["type"])

    with ThreadPoolExecutor(1) as pool:  # a notebook has a loop of its own in this thread
        try:
            kind = pool.submit(asyncio.run, identity()).result()
        except TimeoutError:
            raise OSError(f"no answer in {CONNECT} seconds") from None
        except (OSError, ValueError):
            raise
        except Exception:  # bytes of another protocol are read as lengths and types of anything
            raise OSError("something else answers there") from None
    if kind != "Scheduler":
        raise OSError(f"a {kind.lower()} answers there")


def not_started(text: str) -> Diagnostic:
    """Return the finding that processes of this machine did not start."""
    return error(
        "no-workers",
        "the worker processes did not start",
        label=text.split("\n")[0][:200],
        notes="a new process reads the script that it is started from",
        help='in a script, put what it does under  if __name__ == "__main__":',
    )


def unreachable(scheduler: str, text: str) -> Diagnostic:
    """Return the finding that there is no scheduler at an address."""
    return error(
        "no-scheduler",
        f"there is no scheduler at '{scheduler}'",
        label=text[:200],
        help=(
            "start one with  dask scheduler, and workers with  dask worker ADDRESS",
            "--scheduler local starts processes of this machine",
        ),
    )
