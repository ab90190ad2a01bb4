"""Metrics for Prometheus: counts and times of requests, of the queue, of batches. No user data: see `observing`."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """Counts and times, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self.requests = Counter("tenfold_requests", "Requests answered.", labels, registry=self.registry)
        self.errors = Counter(
            "tenfold_errors", "Requests that failed by a fault of the service.", ["route"], registry=self.registry
        )
        self.seconds = Histogram(
            "tenfold_request_seconds",
            "From the headers of a request to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_glyphs = Histogram(
            "tenfold_batch_glyphs",
            "Glyphs classified in one go.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096),
            registry=self.registry,
        )
        self.open_requests = Gauge("tenfold_open_requests", "Requests under way.", registry=self.registry)
        self.queue = Gauge("tenfold_queue_requests", "Requests that wait or are worked on.", registry=self.registry)
        self.model = Gauge("tenfold_model", "The model that is served, by its version.", ["version"], registry=self.registry)

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self.registry)


async def metrics(request: Request) -> Response:
    """GET /metrics."""
    service = request.app.state.service
    service.metrics.queue.set(service.workers.n_requests)
    service.metrics.model.clear()
    service.metrics.model.labels(service.models.current.version).set(1)
    return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"})


def routes() -> list[Route]:
    """The routes of this module."""
    return [Route("/metrics", metrics)]
