import asyncio
import threading
from collections.abc import Callable, Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tenfold.limits import Limits
from tenfold.serve import batching
from tenfold.serve.answers import RequestError
from tenfold.serve.batching import Workers


class Held:
    """A model that answers, for each glyph, its first pixel ten times; not before it is let go."""

    def __init__(self) -> None:
        self.go, self.broken = threading.Event(), False
        self.reader = SimpleNamespace(model=self)
        self.current = SimpleNamespace(reader=self.reader, version="7")

    def calibrated(self, glyphs: np.ndarray) -> np.ndarray:
        assert self.go.wait(60)
        if self.broken:
            raise RuntimeError
        return np.repeat(glyphs[:, 0, :1], 10, axis=1).astype(np.float32)


def glyphs(*marks: int) -> np.ndarray:
    made = np.zeros((len(marks), 28, 28), np.uint8)
    made[:, 0, 0] = marks
    return made


Make = Callable[..., Workers]


@pytest.fixture
def model() -> Iterator[Held]:
    held = Held()
    yield held
    held.go.set()


@pytest.fixture
def make_workers(model: Held, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Workers with one thread."""
    monkeypatch.setattr(batching, "N_THREADS", 1)
    made: list[Workers] = []

    def make(max_queue: int = 100, on_batch: Callable[[int], Any] = lambda _: None, **limits: int) -> Workers:
        made.append(Workers(model, max_queue, Limits(**limits), on_batch))  # type: ignore[arg-type]
        return made[-1]

    yield make
    model.go.set()
    for workers in made:
        workers.close()


def test_a_request_alone_does_not_wait_and_those_that_meet_it_at_work_share_the_next_batch(
    make_workers: Make, model: Held
) -> None:
    sizes: list[int] = []
    workers = make_workers(on_batch=sizes.append)

    async def scenario() -> list[float]:
        tasks = []
        for mark in range(1, 6):
            tasks.append(asyncio.create_task(workers.classify(glyphs(mark))))
            await asyncio.sleep(0)
        assert sizes == [1]
        model.go.set()
        answers = [await task for task in tasks]
        assert {answer.version for answer in answers} == {"7"}
        return [float(answer.probabilities[0, 0]) for answer in answers]

    assert asyncio.run(scenario()) == [1, 2, 3, 4, 5]
    assert sizes == [1, 4]
    assert workers.n_requests == 0


def test_a_batch_has_a_largest_size_and_a_larger_request_one_of_its_own(make_workers: Make, model: Held) -> None:
    sizes: list[int] = []
    workers = make_workers(on_batch=sizes.append, max_batch_glyphs=4)

    async def scenario() -> list[int]:
        asked = [glyphs(9), glyphs(1, 2, 3), glyphs(4, 5), glyphs(*range(9)), glyphs(6)]
        tasks = [asyncio.create_task(workers.classify(one)) for one in asked]
        await asyncio.sleep(0)
        model.go.set()
        return [len((await task).probabilities) for task in tasks]

    assert asyncio.run(scenario()) == [1, 3, 2, 9, 1]
    assert sizes == [1, 3, 2, 9, 1]


def test_a_full_queue_refuses_and_says_when_to_come_again(make_workers: Make, model: Held) -> None:
    workers = make_workers(max_queue=2)

    async def scenario() -> None:
        tasks = [asyncio.create_task(workers.classify(glyphs(1))), asyncio.create_task(workers.run(lambda: 7))]
        await asyncio.sleep(0)
        for work in (workers.classify(glyphs(1)), workers.run(lambda: 7)):
            with pytest.raises(RequestError) as refused:
                await work
            assert refused.value.status == 429
            assert refused.value.headers == {"retry-after": "1"}
        model.go.set()
        await asyncio.gather(*tasks)
        while workers.n_requests:
            await asyncio.sleep(0.01)
        await workers.classify(glyphs(1))

    asyncio.run(scenario())


def test_what_takes_too_long_is_504_but_keeps_its_place_until_the_thread_is_free(make_workers: Make) -> None:
    workers = make_workers(max_queue=1, max_work_s=1)
    go = threading.Event()

    async def scenario() -> None:
        with pytest.raises(RequestError, match="not done within 1 s") as late:
            await workers.run(lambda: go.wait(60))
        assert late.value.status == 504
        assert workers.n_requests == 1
        go.set()
        while workers.n_requests:
            await asyncio.sleep(0.01)
        assert await workers.run(lambda: 7) == 7

    try:
        asyncio.run(scenario())
    finally:
        go.set()


def test_a_request_that_gave_up_is_not_classified(make_workers: Make, model: Held) -> None:
    sizes: list[int] = []
    workers = make_workers(on_batch=sizes.append)

    async def scenario() -> None:
        tasks = [asyncio.create_task(workers.classify(glyphs(mark))) for mark in (1, 2, 3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.wait(tasks[1:2])
        await asyncio.sleep(0)
        assert workers.n_requests == 2
        model.go.set()
        assert [float((await tasks[k]).probabilities[0, 0]) for k in (0, 2)] == [1, 3]

    asyncio.run(scenario())
    assert sizes == [1, 1]


def test_a_batch_that_fails_fails_for_all_in_it_and_the_next_one_does_not(make_workers: Make, model: Held) -> None:
    workers = make_workers()

    async def scenario() -> None:
        model.broken = True
        tasks = [asyncio.create_task(workers.classify(glyphs(mark))) for mark in (1, 2, 3)]
        await asyncio.sleep(0)
        model.go.set()
        assert [type(found) for found in await asyncio.gather(*tasks, return_exceptions=True)] == [RuntimeError] * 3
        model.broken = False
        assert (await workers.classify(glyphs(4))).probabilities[0, 0] == 4

    asyncio.run(scenario())
    assert workers.n_requests == 0


def test_a_picture_that_could_not_be_read_in_time_is_refused_at_once(
    make_workers: Make, model: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock on which each picture takes 20 s; a fifth of that counts at first."""
    monkeypatch.setattr(batching, "time", SimpleNamespace(perf_counter=count(0, 20).__next__))
    workers = make_workers(max_work_s=15)

    async def scenario() -> None:
        await workers.run(lambda: None)
        first = asyncio.create_task(workers.run(model.go.wait))
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="pictures are waiting or worked on, for about 8 s") as refusal:
            await workers.run(lambda: None)
        assert refusal.value.status == 429
        model.go.set()
        await first
        while workers.n_requests:
            await asyncio.sleep(0)
        await workers.run(lambda: None)

    asyncio.run(scenario())
