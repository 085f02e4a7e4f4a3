# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where work items are proved: here, one after the other, or on the workers of a Ray cluster. Adding one is adding a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from verifiable_ml.errors import BackendUnavailable, InvalidInput
from verifiable_ml.proving.sumcheck.native import THREADS, threads

Item = TypeVar("Item")


class Engine(Protocol):
    """It answers for each item once, in any order, as soon as it is done: with what the job gave, or what went wrong."""

    def run(self, job: Callable[[Item], bytes], items: Iterable[Item]) -> Iterator[tuple[Item, bytes | Exception]]:
        """Job and items can be pickled. A worker that dies is an answer, and no end of the others'."""


class LocalEngine:
    """In this process."""

    name = "local"

    def run(self, job: Callable[[Item], bytes], items: Iterable[Item]) -> Iterator[tuple[Item, bytes | Exception]]:
        """One after the other: each proof takes all cores already."""
        for item in items:
            try:
                yield item, job(item)
            except Exception as error:
                yield item, error


class RayEngine:
    """A Ray cluster: the one at RAY_ADDRESS, else one of this machine, which ends with this process.

    Each task counts as VML_THREADS processors, and takes no more: one unless that is set, so that a machine proves as many items
    at once as it has.
    """

    name = "ray"

    def __init__(self) -> None:
        """Raises BackendUnavailable."""
        self._ray = _ray()

    def run(self, job: Callable[[Item], bytes], items: Iterable[Item]) -> Iterator[tuple[Item, bytes | Exception]]:
        """One task an item. Retries are not left to Ray: it would repeat what cannot succeed."""
        ray = self._ray
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False)
        count = threads() or 1
        asked = {"max_retries": 0, "num_cpus": count, "runtime_env": {"env_vars": {THREADS: str(count)}}}
        shared, call = ray.put(job), ray.remote(**asked)(_call)
        running = {call.remote(shared, item): item for item in items}
        try:
            while running:
                (done, *_), _ = ray.wait(list(running), num_returns=1)
                yield running.pop(done), _answer(ray, done)
        finally:
            for task in running:
                ray.cancel(task, force=True)


def _call(job: Callable[[Any], bytes], item: Any) -> bytes:
    return job(item)


def _answer(ray: Any, task: Any) -> bytes | Exception:
    try:
        return bytes(ray.get(task))
    except ray.exceptions.RayTaskError as error:
        return error.cause if isinstance(error.cause, Exception) else RuntimeError(str(error))
    except ray.exceptions.RayError as error:
        return RuntimeError(f"{type(error).__name__}: {error}")


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        hint = "pip install 'verifiable-ml[ray]', or use `--engine local`"
        raise BackendUnavailable(thing="engine `ray`", reason="it is not installed", hint=hint) from error
    return ray


ENGINES: dict[str, type[Engine]] = {LocalEngine.name: LocalEngine, RayEngine.name: RayEngine}


def engine(name: str) -> Engine:
    """The engine of that name. Raises InvalidInput, BackendUnavailable."""
    if name not in ENGINES:
        raise InvalidInput(thing=f"engine `{name}`", reason="there is none of that name", hint=f"one of {', '.join(ENGINES)}")
    return ENGINES[name]()
