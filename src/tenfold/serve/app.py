"""The application: its routes and what surrounds them."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tenfold.errors import MissingExtraError, TenfoldNotice

try:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute, Match, Route

    from tenfold.serve import corrections, explaining, inference, learning, metrics, observing, pages, reading, reference
except ModuleNotFoundError as problem:
    raise MissingExtraError("serve", str(problem.name)) from problem

from tenfold.serve.answers import RequestError, refusal
from tenfold.serve.guards import Guarded, InOriginForm
from tenfold.serve.service import Service
from tenfold.serve.settings import Settings


def create_app(settings: Settings) -> Starlette:
    """Make the application.

    Raises:
        ModelError: the model cannot be used.
    """
    warnings.filterwarnings("ignore", category=TenfoldNotice)  # they are for a person at the command line
    service = Service(settings)
    app = Starlette(
        routes=_routes(settings),
        middleware=[
            Middleware(InOriginForm),
            Middleware(observing.Observed, service=service),
            Middleware(Guarded, settings=settings),
        ],
        exception_handlers={RequestError: _refused, HTTPException: _no_route},
        lifespan=_lifespan,
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return app


def _routes(settings: Settings) -> list[BaseRoute]:
    """All routes; those that are called most come first."""
    return [
        *inference.routes(),
        *reading.routes(),
        *explaining.routes(),
        *metrics.routes(),
        *reference.routes(),
        *corrections.routes(settings),
        *learning.routes(settings),
        *pages.routes(),
    ]


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
    service: Service = app.state.service
    watching = asyncio.create_task(service.models.watch())
    yield {"service": service}  # for what is no request to the application: connections.py
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    service.workers.close()
    service.clerks.close()


async def _refused(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestError)
    return refusal(problem, request.url.path)


async def _no_route(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    code, message = {
        404: ("not_found", inference.missing(request.url.path)),
        405: ("method_not_allowed", "this path is not answered to this method"),
    }.get(problem.status_code, ("refused", problem.detail))
    headers = {name.lower(): value for name, value in (problem.headers or {}).items()}
    if problem.status_code == 405:  # Starlette names the methods of one route; others may share its path
        headers["allow"] = ", ".join(sorted(_methods(request)))
        message += f"; expected {headers['allow']}"
    return refusal(RequestError(problem.status_code, code, message, headers), request.url.path)


def _methods(request: Request) -> set[str]:
    """All methods that the path of a request is answered to."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    return {method for route in routes if route.matches(request.scope)[0] != Match.NONE for method in route.methods or ()}
