"""What the routes share."""

from __future__ import annotations

from threading import Lock

from tenfold import limits
from tenfold.serve.batching import Clerks, Workers
from tenfold.serve.bodies import Bodies
from tenfold.serve.hand import first_model
from tenfold.serve.metrics import Metrics
from tenfold.serve.models import Models
from tenfold.serve.settings import Settings


class Service:
    """What the routes share; they find it as `request.app.state.service`.

    Attributes:
        settings: as the service was started.
        limits: the bounds on what it takes in.
        models: the model that is served; `await models.load(path)` serves another.
        workers: threads for work, behind a bounded queue.
        clerks: threads for the file of corrections.
        bodies: reads the bodies of requests.
        large: held while a large picture is worked on.
        metrics: what Prometheus is told.
        draining: whether the service is about to end; it still answers, but calls itself not ready.
    """

    def __init__(self, settings: Settings) -> None:
        """Load the model.

        Raises:
            ModelError: it cannot be used.
        """
        self.settings = settings
        self.limits = limits.from_environment()
        self.metrics = Metrics()
        self.models = Models(first_model(settings))
        self.workers = Workers(self.models, settings.max_queue, self.limits, self.metrics.batch_glyphs.observe)
        self.clerks = Clerks()
        self.bodies = Bodies(self.limits)
        self.large = Lock()
        self.draining = False
