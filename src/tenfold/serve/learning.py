"""The routes /learning: learn from the corrections that are kept, see what it brought, take it or go back."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenfold.data.samples import Samples
from tenfold.errors import ModelError, StorageError, TenfoldError
from tenfold.serve.answers import RequestError, answer
from tenfold.serve.bodies import media_type
from tenfold.serve.hand import Hand, why_not
from tenfold.serve.service import Service
from tenfold.serve.settings import Settings

_FORGOTTEN = 0.0005  # of MNIST's validation digits: falls by more are said


class Learning:
    """Answers the routes; only one learning at a time."""

    def __init__(self, settings: Settings) -> None:
        self._off = why_not(settings)
        self._hand = Hand(settings.samples, settings.model) if settings.samples is not None else None
        self._lock = asyncio.Lock()

    async def show(self, request: Request) -> Response:
        """GET /learning: `state`, `progress`, and what the last learning brought."""
        return answer(await self._state(request))

    async def begin(self, request: Request) -> Response:
        """POST /learning: start; 409 if one runs already or nothing has been kept."""
        async with self._ready(request) as hand:
            if (await self._state(request))["state"] == "running":
                raise RequestError(409, "running", "it is learning already; wait for it, or stop it first")
            n = await asyncio.to_thread(_count, hand.samples)
            if not n:
                raise RequestError(409, "no_samples", "no correction has been kept yet; there is nothing to learn from")
            try:
                await asyncio.to_thread(hand.begin, n)
            except (OSError, TenfoldError) as problem:
                raise RequestError(503, "cannot_learn", f"the training cannot be started: {problem}") from problem
            return answer(await self._state(request), 202)

    async def stop(self, request: Request) -> Response:
        """DELETE /learning: stop the one that runs."""
        async with self._ready(request) as hand:
            run = await asyncio.to_thread(hand.newest)
            if run is None or not hand.runs(run):
                raise RequestError(409, "not_running", "it is not learning; there is nothing to stop")
            await asyncio.to_thread(hand.stop, run)
            return answer(await self._state(request))

    async def accept(self, request: Request) -> Response:
        """POST /learning/accept: from now on the model that has learnt reads."""
        async with self._ready(request) as hand:
            run = await asyncio.to_thread(hand.newest)
            if run is None or (await self._state(request))["state"] != "done":
                raise RequestError(409, "not_done", "there is no finished learning to accept")
            await self._swap(request, run, lambda: hand.choose(run), "the model before reads on")
            return answer(await self._state(request))

    async def undo(self, request: Request) -> Response:
        """POST /learning/undo: from now on the model before reads."""
        async with self._ready(request) as hand:
            if hand.chosen is None:
                raise RequestError(409, "nothing_to_undo", "there is nothing to undo: the original model is already in use")
            await self._swap(request, hand.before, hand.go_back, "what was learnt reads on")
            return answer(await self._state(request))

    def _ready(self, request: Request) -> _Ready:
        if self._hand is None or self._off is not None:
            raise RequestError(403, "learning_off", str(self._off))
        if request.method == "POST":
            media_type(request, ("application/json",))
        return _Ready(self._lock, self._hand)

    async def _swap(self, request: Request, run: Path | None, keep: Callable[[], None], otherwise: str) -> None:
        """Serve another run, and keep that it is to be so; undone where it cannot be kept, since a restart would undo it."""
        before = request.app.state.service.models.source
        await self._serve(request, run)
        try:
            await asyncio.to_thread(keep)
        except StorageError as problem:
            await self._serve(request, before)
            raise RequestError(503, "cannot_keep", f"{problem}; {otherwise}") from problem

    async def _serve(self, request: Request, run: Path | None) -> None:
        service: Service = request.app.state.service
        try:
            await service.models.load(run or service.settings.model)
        except ModelError as problem:
            raise RequestError(409, "model_unusable", str(problem)) from problem

    async def _state(self, request: Request) -> dict[str, Any]:
        service: Service = request.app.state.service
        if self._hand is None or self._off is not None:
            return {"state": "off", "message": self._off, "can_undo": False, "active": _first(service)}
        found = await asyncio.to_thread(_described, self._hand, service.limits.max_learning_s)
        chosen = self._hand.chosen
        return found | {
            "can_undo": chosen is not None,
            "active": "adapted" if chosen is not None and service.models.source == chosen else _first(service),
        }


def _first(service: Service) -> str:
    """Which model reads before anything was learnt: the one that ships, or what the service was given."""
    return "bundled" if service.settings.model is None else "given"


class _Ready:
    """Holds the lock, gives the hand."""

    def __init__(self, lock: asyncio.Lock, hand: Hand) -> None:
        self._lock, self._hand = lock, hand

    async def __aenter__(self) -> Hand:
        await self._lock.acquire()
        return self._hand

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


def _count(path: Path) -> int:
    try:
        return len(Samples(path))
    except TenfoldError as problem:
        raise RequestError(409, "samples_unusable", str(problem)) from problem


def _described(hand: Hand, most_s: int) -> dict[str, Any]:
    """The state of the newest run."""
    nothing = {"progress": 0.0, "before": None, "after": None, "mnist_before": None, "mnist_after": None}
    run = hand.newest()
    if run is None:
        return nothing | {"state": "idle", "message": ""}
    if hand.runs(run):
        if time.time() - float(hand.facts(run)["started"]) <= most_s:
            said = f"Learning from {_counted(hand.facts(run)['n'])}, which takes a minute or more; reading goes on meanwhile."
            return nothing | {"state": "running", "progress": hand.progress(run), "message": said}
        hand.stop(run)
        return nothing | {"state": "failed", "message": f"stopped, since it took longer than {most_s:,} s"}
    metrics = hand.metrics(run)
    if metrics is None:
        return nothing | {"state": "failed", "message": hand.complaint(run)}
    state = "idle" if hand.decided(run) else "done"
    return _figures(metrics) | {"state": state, "progress": 1.0, "message": "" if state == "idle" else _told(metrics)}


def _figures(metrics: dict[str, Any]) -> dict[str, Any]:
    """Before and after: {"accuracy", "n"} on corrections that were not learnt from, and on MNIST's validation digits."""
    n_read, n_old = metrics.get("n_corrections_read"), metrics.get("n_validation")
    return {
        "before": {"accuracy": metrics.get("corrections_before"), "n": n_read} if n_read else None,
        "after": {"accuracy": metrics.get("corrections_after"), "n": n_read} if n_read else None,
        "mnist_before": metrics.get("mnist_before") if n_old else None,
        "mnist_after": metrics.get("mnist_after") if n_old else None,
    }


def _counted(n: object) -> str:
    return "one correction" if n == 1 else f"{n} corrections"


def _told(metrics: dict[str, Any]) -> str:
    """The result in a sentence, the bad as well as the good."""
    before, after, n = metrics.get("corrections_before"), metrics.get("corrections_after"), metrics.get("n_corrections_read")
    said = f"Learnt from {_counted(metrics.get('n_corrections'))}."
    if isinstance(before, float) and isinstance(after, float) and n:
        tried = f"Tried on {n} of them by trainings that had left them out"
        said += f" {tried}: {round(before * n)} right before, {round(after * n)} after."
        if before == after == 1:
            said += " They were read rightly already: correct some that are not."
        elif after <= before:
            said += " That is no gain: more corrections of the same figures would help."
    old, new = metrics.get("mnist_before"), metrics.get("mnist_after")
    if isinstance(old, float) and isinstance(new, float) and old - new > _FORGOTTEN:
        said += f" Digits by other hands are read worse: {100 * old:.2f} % before, {100 * new:.2f} % now."
    return said


def routes(settings: Settings) -> list[Route]:
    """The routes of this module."""
    learning = Learning(settings)

    def endpoint(method: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        @functools.wraps(method)
        async def answered(request: Request) -> Response:
            return await method(request)

        return answered

    return [
        Route("/learning", endpoint(learning.show), methods=["GET"]),
        Route("/learning", endpoint(learning.begin), methods=["POST"]),
        Route("/learning", endpoint(learning.stop), methods=["DELETE"]),
        Route("/learning/accept", endpoint(learning.accept), methods=["POST"]),
        Route("/learning/undo", endpoint(learning.undo), methods=["POST"]),
    ]
