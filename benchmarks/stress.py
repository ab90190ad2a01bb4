"""The service under stress, on this machine alone: nothing may be answered wrongly or lost once accepted, no memory eaten.

One after the other: slow senders, bodies without end, ten times as much as it can do, a hundred models swapped under load,
SIGTERM under load, and a soak of many requests. Every answer is compared with what the library says of the same digits.

Usage: .venv/bin/python benchmarks/stress.py [REQUESTS]     (default 50,000, of the soak; about ten minutes on 2 quiet cores)
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

import tenfold
from service import PATIENCE_S, Request, as_json, as_picture, as_tensor, closed_loop, converse, ms, open_loop, wait_until_open
from tenfold.read.model import Model

N_GLYPHS, N_CLIENTS = 40, 8
N_SLOW, SLOW_S = 500, 15.0
N_ENDLESS, MOST_SENT = 20, 256 * 2**20
OVERLOAD_S, CAPACITY_S = 10.0, 4.0
N_SWAPS = 100
MOST_GROWTH = 64 * 2**20  # of resident memory
TOLERANCE = 1e-5


class Outcome(NamedTuple):
    """What came of one kind of stress.

    Attributes:
        what: was done.
        answers: how many of each status.
        wrong: answers that say something else than the library, or have a status that they may not have.
        lost: requests that were accepted and never answered.
        note: what else was seen.
    """

    what: str
    answers: Counter[int]
    wrong: int
    lost: int
    note: str = ""

    def row(self) -> str:
        answers = ", ".join(f"{status}: {n:,}" for status, n in sorted(self.answers.items()))
        return f"| {self.what} | {answers} | {self.wrong} | {self.lost} | {self.note} |"


class Question(NamedTuple):
    """A request, and what the answer has to be: by version of the model the label's probabilities, or a text."""

    request: Request
    probabilities: dict[str, NDArray[np.float32]]
    text: str | None = None

    def is_right(self, head: bytes, body: bytes) -> bool:
        if self.text is not None:
            return bool(json.loads(body)["text"] == self.text)
        version = head.partition(b"x-model-version: ")[2].partition(b"\r\n")[0].decode()
        if b"inference-header-content-length" in head.lower():
            found = np.frombuffer(body[-40:], np.float32)
        else:
            found = np.array(json.loads(body)["outputs"][0]["data"], np.float32)
        return version in self.probabilities and bool(np.allclose(found, self.probabilities[version], atol=TOLERANCE))


class Live(NamedTuple):
    """A running service."""

    port: int
    process: subprocess.Popen[bytes]

    def resident(self) -> int:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    n_requests = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    bundled = (files("tenfold.read") / "bundled" / "digits.onnx").read_bytes()
    glyphs = tenfold.load("mnist", "test").images[:N_GLYPHS]
    questions = questions_on(glyphs, [bundled])
    print("| stress | answers | wrong | lost | |\n|---|---|---|---|---|", flush=True)
    outcomes: list[Outcome] = []

    def show(outcome: Outcome) -> None:
        outcomes.append(outcome)
        print(outcome.row(), flush=True)

    with live() as service:
        for stress in (slow_senders, endless_bodies, overload):
            before = service.resident()
            outcome = asyncio.run(stress(service.port, questions))
            show(outcome._replace(note=f"{outcome.note}; {grown(service, before)}"))
    with tempfile.TemporaryDirectory() as folder:
        show(swaps(Path(folder) / "model.onnx", glyphs, [bundled, warmer(bundled)]))
    show(terminated(questions))
    show(soak(questions, n_requests))
    bad = sum(outcome.wrong + outcome.lost for outcome in outcomes)
    print(f"\n{sum(o.answers.total() for o in outcomes):,} answers, {bad} wrong or lost")
    sys.exit(bad > 0)


def questions_on(glyphs: NDArray[np.uint8], contents: Sequence[bytes]) -> list[Question]:
    """Each glyph as JSON and as a binary tensor, and pictures of four digits each."""
    models = [Model(content, "model") for content in contents]
    answers = {str(model.metadata["version"]): model.calibrated(glyphs) for model in models}
    of_each = [{version: values[k] for version, values in answers.items()} for k in range(len(glyphs))]
    asked = [Question(make(glyph), of_each[k]) for k, glyph in enumerate(glyphs) for make in (as_json, as_tensor)]
    if len(contents) > 1:
        return asked
    pictures = [as_picture(glyphs[k : k + 4]) for k in range(0, len(glyphs), 8)]
    reader = tenfold.Reader()
    return [*asked, *(Question(picture, {}, reader.read(picture.body).text) for picture in pictures)]


def warmer(content: bytes) -> bytes:
    """The model with another temperature and version: other answers, and a name to tell them by."""
    model = onnx.load_model_from_string(content)
    facts = {one.key: one.value for one in model.metadata_props}
    facts |= {"version": "warmer", "temperature": json.dumps(3 * json.loads(facts["temperature"]))}
    helper.set_model_props(model, facts)
    return bytes(model.SerializeToString())


async def ask_all(port: int, questions: Sequence[Question], n_requests: int, asked: asyncio.Event | None = None) -> Outcome:
    """Clients that each wait for an answer before they ask again, until all is asked or one is told to go elsewhere."""
    answers, wrong, lost, left = Counter[int](), 0, 0, n_requests

    async def client() -> None:
        nonlocal wrong, lost, left
        streams = await asyncio.open_connection("127.0.0.1", port)
        while left > 0:
            left -= 1
            question = questions[left % len(questions)]
            try:
                head, body = await converse(*streams, question.request.bytes_for(port))
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                lost += 1
                break
            status = int(head.split(maxsplit=2)[1])
            answers[status] += 1
            wrong += status != 200 or not question.is_right(head, body)
            if asked is not None:
                asked.set()
            if b"connection: close" in head.lower():
                break
        streams[1].close()

    await asyncio.gather(*(client() for _ in range(N_CLIENTS)))
    return Outcome("", answers, wrong, lost)


async def slow_senders(port: int, questions: Sequence[Question]) -> Outcome:
    """Connections that send a byte now and then, while others ask."""
    head = f"POST /read HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n".encode()
    closed, stop = 0, time.monotonic() + SLOW_S

    async def slow(k: int) -> None:
        nonlocal closed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = head if k % 2 else head + b"\r\n"  # half of them never end their headers
        with suppress(OSError):
            writer.write(sent[:-1])
            while time.monotonic() < stop and not reader.at_eof():
                writer.write(b"x")
                await asyncio.sleep(1)
        closed += reader.at_eof()
        writer.close()

    slows = [asyncio.create_task(slow(k)) for k in range(N_SLOW)]
    outcome = Outcome("", Counter(), 0, 0)
    while time.monotonic() < stop:
        some = await ask_all(port, questions, 5 * N_CLIENTS)
        outcome = Outcome("", outcome.answers + some.answers, outcome.wrong + some.wrong, outcome.lost + some.lost)
    await asyncio.gather(*slows)
    return outcome._replace(what=f"{N_SLOW} slow senders, {N_CLIENTS} others", note=f"{closed} of the slow ones ended")


async def endless_bodies(port: int, questions: Sequence[Question]) -> Outcome:
    """Bodies in chunks without end; each has to be refused: 413, or 429 where all together are too much."""
    head = f"POST /read HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + bytes(2**16) + b"\r\n"
    answers, sent = Counter[int](), 0

    async def endless() -> int:
        nonlocal sent
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = asyncio.create_task(reader.readline())
        with suppress(OSError):
            writer.write(head.encode())
            while not answer.done() and sent < N_ENDLESS * MOST_SENT:
                writer.write(chunk)
                sent += len(chunk)
                await writer.drain()
        line = await asyncio.wait_for(answer, PATIENCE_S)
        writer.close()
        return int(line.split()[1]) if line else 0

    refused, others = await asyncio.gather(
        asyncio.gather(*(endless() for _ in range(N_ENDLESS))), ask_all(port, questions, 20 * N_CLIENTS)
    )
    answers.update(refused)
    wrong = others.wrong + sum(status not in (413, 429) for status in refused)
    what = f"{N_ENDLESS} bodies without end, {N_CLIENTS} others"
    return Outcome(what, answers + others.answers, wrong, others.lost, f"{sent / 2**20:,.0f} MB sent")


async def overload(port: int, questions: Sequence[Question]) -> Outcome:
    """Ten times as many pictures a second as are read, whether earlier ones are answered or not."""
    picture = questions[-1].request
    capacity = (await closed_loop(port, picture, N_CLIENTS, seconds=CAPACITY_S)).rate
    load, ready = await open_loop(port, picture, 10 * capacity, OVERLOAD_S)
    wrong = sum(n for status, n in load.statuses.items() if status not in (200, 429, 503))
    note = f"{capacity:.0f} pictures a second read before; p99 {ms(load.seconds, 99)}, readiness p99 {ms(ready, 99)}"
    return Outcome(f"ten times the capacity for {OVERLOAD_S:g} s", load.statuses, wrong, 0, note)


def swaps(file: Path, glyphs: NDArray[np.uint8], contents: Sequence[bytes]) -> Outcome:
    """Models swapped under load; every tenth file is corrupt and has to leave the one before."""
    questions = questions_on(glyphs, contents)
    put(file, contents[0])
    with live("--model", str(file), "--allow-load") as service:
        return asyncio.run(swap_under_load(service.port, file, questions, contents))


async def swap_under_load(port: int, file: Path, questions: Sequence[Question], contents: Sequence[bytes]) -> Outcome:
    load = f"POST /v2/repository/models/digits/load HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n\r\n".encode()
    total, refused, wrong, slowest = Outcome("", Counter(), 0, 0), 0, 0, 0.0
    for k in range(N_SWAPS):
        asking = asyncio.create_task(ask_all(port, questions, 4 * N_CLIENTS))
        corrupt = k % 10 == 9
        put(file, b"corrupt" if corrupt else contents[1 - k % 2])
        started = time.perf_counter()
        streams = await asyncio.open_connection("127.0.0.1", port)
        head, _ = await converse(*streams, load)
        streams[1].close()
        slowest = max(slowest, time.perf_counter() - started)
        status = int(head.split(maxsplit=2)[1])
        refused += status == 400
        wrong += status != (400 if corrupt else 200)
        some = await asking
        total = Outcome("", total.answers + some.answers, total.wrong + some.wrong, total.lost + some.lost)
    note = f"{refused} corrupt ones refused; the slowest took {slowest:.1f} s"
    return total._replace(what=f"{N_SWAPS} models swapped under load", wrong=total.wrong + wrong, note=note)


def terminated(questions: Sequence[Question]) -> Outcome:
    """SIGTERM while clients ask; each has to be answered until it is told to go elsewhere."""
    with live() as service:

        async def scenario() -> Outcome:
            asked = asyncio.Event()
            asking = asyncio.create_task(ask_all(service.port, questions, 10**6, asked))
            await asked.wait()
            service.process.send_signal(signal.SIGTERM)
            return await asking

        outcome = asyncio.run(scenario())
        started = time.monotonic()
        code = service.process.wait(PATIENCE_S)
        note = f"exit code {code}, {time.monotonic() - started:.1f} s after the last answer"
    return outcome._replace(what="SIGTERM under load", note=note, wrong=outcome.wrong + (code != 0))


def soak(questions: Sequence[Question], n_requests: int) -> Outcome:
    """Many requests of all kinds; memory may not grow."""
    with live() as service:
        asyncio.run(ask_all(service.port, questions, min(1000, n_requests)))
        before = service.resident()
        outcome = asyncio.run(ask_all(service.port, questions, n_requests))
        growth = service.resident() - before
        note = grown(service, before)
    return outcome._replace(what=f"soak of {n_requests:,}", note=note, wrong=outcome.wrong + (growth > MOST_GROWTH))


def grown(service: Live, before: int) -> str:
    return f"memory {before / 2**20:.0f} MB, {(service.resident() - before) / 2**20:+.0f} MB"


def put(file: Path, content: bytes) -> None:
    """Replace a file at one blow."""
    beside = file.with_suffix(".new")
    beside.write_bytes(content)
    os.replace(beside, file)


@contextmanager
def live(*arguments: str) -> Iterator[Live]:
    """A service as a process of its own, on a free port; it has ended when the block has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        samples = str(Path(folder) / "samples.db")
        command = [sys.executable, "-m", "tenfold", "serve", "--port", str(port), "--samples", samples, *arguments]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            wait_until_open(process, port)
            yield Live(port, process)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
