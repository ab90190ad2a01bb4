"""Where trainings run: in processes of this machine, or on a Ray cluster. Both do the same with them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from tenfold import limits
from tenfold.cluster import trainings
from tenfold.cluster.trainings import DiedError, Outcome, Training
from tenfold.errors import MissingExtraError, UsageError


class Place(Protocol):
    """Runs trainings, as many at once as it has workers; each is tried again, from its checkpoint, if its process dies."""

    n_workers: int

    def start(self, training: Training) -> Future[Outcome]:
        """Begin a training, or let it wait for a free worker."""


@contextmanager
def opened(address: str | None, n_processes: int | None) -> Iterator[Place]:
    """A place to run trainings: a Ray cluster where an address is given, else processes of this machine.

    Args:
        address: of a Ray cluster; `auto` joins the one that runs here or starts one, `local` always starts one; None: no Ray.
        n_processes: so many at once on this machine; one a core by default.

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: there is no cluster at this address.
    """
    if address is None:
        here = Here(n_processes or os.cpu_count() or 1)
        try:
            yield here
        finally:
            here.close()
    else:
        with joined(address) as ray:
            yield OnRay(ray)


class Here:
    """Processes of this machine."""

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._pool = ThreadPoolExecutor(n_workers)
        self._over = threading.Event()

    def start(self, training: Training) -> Future[Outcome]:
        return self._pool.submit(self._tried, training)

    def close(self) -> None:
        """End what still runs."""
        self._over.set()
        self._pool.shutdown(cancel_futures=True)

    def _tried(self, training: Training) -> Outcome:
        said = ""
        for _ in range(limits.from_environment().max_attempts):
            if self._over.is_set():
                return Outcome("stopped")
            try:
                return trainings.run(training, self._over.is_set)
            except DiedError as problem:
                said = str(problem)
        return Outcome("failed", said)


class OnRay:
    """Tasks of a Ray cluster, one core each."""

    def __init__(self, ray: Any) -> None:
        self.n_workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._run = ray.remote(trainings.run).options(
            num_cpus=1,
            max_retries=limits.from_environment().max_attempts - 1,
            retry_exceptions=[DiedError],
            scheduling_strategy="SPREAD",
        )

    def start(self, training: Training) -> Future[Outcome]:
        future: Future[Outcome] = self._run.remote(training).future()
        return future


def outcome(future: Future[Outcome]) -> Outcome:
    """How a training ended, whatever a cluster did with it."""
    try:
        return future.result()
    except Exception as problem:  # Ray raises a dozen types for lost workers and nodes
        cause = getattr(problem, "cause", None) or problem
        return Outcome("failed", next(iter(str(cause).splitlines()), type(cause).__name__))


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """Be connected to a Ray cluster; gives the module `ray`. Address `local` starts one, `auto` only if none runs here.

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: there is no cluster at this address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # what is read and learnt here is nobody's business
    try:
        import ray
    except ModuleNotFoundError as problem:
        raise MissingExtraError("cluster", "ray") from problem
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    try:
        ray.init(address=address, **quiet)
    except ConnectionError as problem:
        if address != "auto":
            raise UsageError(
                f"--cluster {address}: no Ray cluster answers there; start one with: ray start --head"
            ) from problem
        ray.init(num_cpus=os.cpu_count(), include_dashboard=False, _node_ip_address="127.0.0.1", **quiet)
    except (ValueError, RuntimeError) as problem:
        said = next(iter(str(problem).splitlines()), "")
        raise UsageError(f"--cluster {address}: {said[:160]}; expected auto, or an address such as 10.0.0.1:6379") from problem
    try:
        yield ray
    finally:
        ray.shutdown()
