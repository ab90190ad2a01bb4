"""Work in threads, with a bounded queue; glyphs that several requests bring at once are classified in one go."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tenfold.limits import Limits
from tenfold.serve.answers import RequestError
from tenfold.serve.models import Models

T = TypeVar("T")
N_THREADS = os.cpu_count() or 1
_N_CLERKS, _MOST_AT_CLERKS = 4, 12  # all of them have waited in vain before a service that shall end is ended
_NEWEST = 0.2  # share of the newest in the mean time of a picture


class Classified(NamedTuple):
    """Calibrated probabilities, float32 (N, 10), and the version of the model that gave them."""

    probabilities: NDArray[np.float32]
    version: str


class _Waiting(NamedTuple):
    glyphs: NDArray[np.uint8]
    answer: asyncio.Future[Classified]


class Clerks:
    """A few threads for work on files that other programs may hold: whoever waits for these keeps nobody else waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_N_CLERKS, "files")
        self._n_requests = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Do some work in a thread.

        Raises:
            RequestError: 429 if a dozen others wait already.
        """
        if self._n_requests >= _MOST_AT_CLERKS:
            raise RequestError(
                429, "queue_full", "others wait for the same file already; try again later", {"retry-after": "5"}
            )
        loop = asyncio.get_running_loop()
        future: Future[T] = self._threads.submit(work)
        self._n_requests += 1
        future.add_done_callback(lambda _: _later(loop, self._leave))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the threads end when they have done what they are at."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _leave(self) -> None:
        self._n_requests -= 1


class Workers:
    """Threads that read pictures and classify glyphs, and the bounded queue before them.

    A batch never waits for others to join: what comes while all threads are busy makes up the next one.

    Attributes:
        n_requests: how many wait or are worked on.
        on_batch: is told how many glyphs each batch has.
    """

    def __init__(self, models: Models, max_queue: int, limits: Limits, on_batch: Callable[[int], None]) -> None:
        self.n_requests = 0
        self.on_batch = on_batch
        self._models, self._max_queue, self._limits = models, max_queue, limits
        # Pictures take a thousand times as long as glyphs, which therefore have threads of their own.
        self._for_pictures = ThreadPoolExecutor(N_THREADS, "pictures")
        self._for_glyphs = ThreadPoolExecutor(N_THREADS, "glyphs")
        self._waiting: deque[_Waiting] = deque()
        self._n_batches = 0  # under way
        self._n_pictures, self._picture_s = 0, 0.0  # waiting or worked on; what one took of late

    def check_room(self) -> None:
        """Refuse a request that would find the queue full, before its body is read.

        Raises:
            RequestError: 429.
        """
        if self.n_requests >= self._max_queue:
            message = f"{self.n_requests} requests are waiting or worked on already; try again later"
            raise RequestError(429, "queue_full", message, {"retry-after": "1"})

    async def run(self, work: Callable[[], T]) -> T:
        """Do some work in a thread.

        Raises:
            RequestError: 429 if the queue is full, 504 if it takes too long.
        """
        self.check_room()
        self._refuse_long_wait()
        loop = asyncio.get_running_loop()
        future: Future[T] = self._for_pictures.submit(self._timed, work)
        self.n_requests += 1
        self._n_pictures += 1
        # Its place is free when the thread is done, even if the answer is no longer waited for.
        future.add_done_callback(lambda _: _later(loop, self._leave_picture))
        return await self._in_time(asyncio.wrap_future(future))

    async def classify(self, glyphs: NDArray[np.uint8]) -> Classified:
        """Classify glyphs, uint8 (N, 28, 28), together with those of other requests.

        Raises:
            RequestError: 429 if the queue is full, 504 if it takes too long.
        """
        self.check_room()
        answer: asyncio.Future[Classified] = asyncio.get_running_loop().create_future()
        self.n_requests += 1
        answer.add_done_callback(lambda _: self._leave())
        self._waiting.append(_Waiting(glyphs, answer))
        self._start_batch()
        return await self._in_time(answer)

    def close(self) -> None:
        """Let the threads end when they have done what they are at."""
        for executor in (self._for_pictures, self._for_glyphs):
            executor.shutdown(wait=False, cancel_futures=True)

    async def _in_time(self, answer: asyncio.Future[T]) -> T:
        try:
            return await asyncio.wait_for(answer, self._limits.max_work_s)
        except TimeoutError as problem:
            message = f"not done within {self._limits.max_work_s} s; try again later, or send less at once"
            raise RequestError(504, "took_too_long", message) from problem

    def _refuse_long_wait(self) -> None:
        """On a slow machine a full queue would take longer than an answer may: who was let in should be answered."""
        wait_s = (self._n_pictures + 1) / N_THREADS * self._picture_s
        if self._n_pictures >= N_THREADS and wait_s > self._limits.max_work_s / 2:
            message = f"{self._n_pictures} pictures are waiting or worked on, for about {wait_s:.0f} s; try again later"
            raise RequestError(429, "queue_full", message, {"retry-after": "1"})

    def _timed(self, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return work()
        finally:
            self._picture_s += _NEWEST * (time.perf_counter() - started - self._picture_s)

    def _leave_picture(self) -> None:
        self._n_pictures -= 1
        self._leave()

    def _leave(self) -> None:
        self.n_requests -= 1

    def _start_batch(self) -> None:
        """Classify what waits, as much as one batch takes, if a thread is free."""
        if self._n_batches >= N_THREADS:
            return
        batch: list[_Waiting] = []
        n_glyphs = 0
        while self._waiting and (not batch or n_glyphs + len(self._waiting[0].glyphs) <= self._limits.max_batch_glyphs):
            one = self._waiting.popleft()
            if not one.answer.done():
                batch.append(one)
                n_glyphs += len(one.glyphs)
        if not batch:
            return
        self._n_batches += 1
        self.on_batch(n_glyphs)
        loop = asyncio.get_running_loop()
        glyphs = batch[0].glyphs if len(batch) == 1 else np.concatenate([one.glyphs for one in batch])
        future = self._for_glyphs.submit(self._classified, glyphs)
        future.add_done_callback(lambda done: _later(loop, self._finish, batch, done))

    def _classified(self, glyphs: NDArray[np.uint8]) -> Classified:
        served = self._models.current
        return Classified(served.reader.model.calibrated(glyphs), served.version)

    def _finish(self, batch: list[_Waiting], done: Future[Classified]) -> None:
        self._n_batches -= 1
        self._start_batch()
        problem, start = done.exception(), 0
        for glyphs, answer in batch:
            stop = start + len(glyphs)
            if not answer.done():
                if problem is None:
                    classified = done.result()
                    answer.set_result(Classified(classified.probabilities[start:stop], classified.version))
                else:
                    answer.set_exception(problem)
            start = stop


def _later(loop: asyncio.AbstractEventLoop, work: Callable[..., None], *arguments: object) -> None:
    """Do something in the loop's thread; if the service has ended meanwhile, nothing is left to do."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(work, *arguments)
