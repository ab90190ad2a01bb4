"""The service under load, on this machine alone: `tenfold serve` beside a plain FastAPI service with Keras's `model.predict`.

Prints requests a second and the latency that half and 99 % of them stay under, at 1, 8 and 64 clients; how memory grows over
many requests; and what ten times as many pictures as it can read get for answers. The clients run here, on the same cores.

Usage: .venv/bin/python benchmarks/service.py [REQUESTS]     (default 50,000, the requests that memory is watched over)
Needs benchmarks/requirements.txt for the plain service; without it that part is left out.
"""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import tenfold

CLIENTS = (1, 8, 64)
SECONDS = 5.0  # each measurement
WARM_UP = 200  # requests before it
OVERLOAD_S, OVERLOAD_AT_ONCE = 10.0, 600
PATIENCE_S = 60.0


class Request(NamedTuple):
    """A request ready to be sent."""

    path: str
    body: bytes
    headers: tuple[str, ...]

    def bytes_for(self, port: int) -> bytes:
        lines = (f"POST {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(self.body)}", *self.headers)
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class Load(NamedTuple):
    """What came of many requests: answers by status, and the seconds that each took."""

    statuses: Counter[int]
    seconds: NDArray[np.float64]
    taken: float

    @property
    def rate(self) -> float:
        return self.statuses[200] / self.taken

    def row(self) -> str:
        return f"{self.rate:,.0f} | {ms(self.seconds, 50)} | {ms(self.seconds, 99)}"


def main() -> None:
    n_requests = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    digits = tenfold.load("mnist", "test").images
    print(f"{os.cpu_count()} cores, {SECONDS:g} s each\n")
    print("| service | clients | requests a second | p50 | p99 |\n|---|---|---|---|---|")
    with tenfold_service() as port:
        own = [measure(port, "tenfold, JSON", as_json(digits[0]), n) for n in CLIENTS]
        for n in CLIENTS:
            measure(port, "tenfold, binary tensor", as_tensor(digits[0]), n)
        for n in CLIENTS[:2]:
            measure(port, "tenfold, picture of four digits", as_picture(digits), n)
    if importlib.util.find_spec("fastapi"):
        with plain_service() as port:
            plain = [measure(port, "FastAPI, model.predict", as_plain(digits[0]), n) for n in CLIENTS]
        ratios = ", ".join(f"{a.rate / b.rate:.0f}x at {n}" for a, b, n in zip(own, plain, CLIENTS, strict=True))
        print(f"\ntenfold answers {ratios} clients, both with JSON")
    with tenfold_service() as port:
        print(f"\n{memory(port, as_json(digits[0]), n_requests)}")
    with tenfold_service() as port:
        print(f"\n{overload(port, as_picture(digits))}")


def measure(port: int, name: str, request: Request, n_clients: int) -> Load:
    asyncio.run(closed_loop(port, request, n_clients, n_requests=WARM_UP // 4))
    load = asyncio.run(closed_loop(port, request, n_clients, seconds=SECONDS))
    if set(load.statuses) != {200}:
        raise SystemExit(f"{name}: {load.statuses}")
    print(f"| {name} | {n_clients} | {load.row()} |", flush=True)
    return load


def memory(port: int, request: Request, n_requests: int) -> str:
    """The growth of resident memory over many requests, after a thousand."""
    asyncio.run(closed_loop(port, request, 8, n_requests=1000))
    before = resident(port)
    load = asyncio.run(closed_loop(port, request, 8, n_requests=n_requests))
    grown = (resident(port) - before) / 2**20
    return f"memory: {before / 2**20:.0f} MB, {grown:+.1f} MB after {load.statuses.total():,} requests at 8 clients"


def overload(port: int, request: Request) -> str:
    """Ten times as many pictures a second as are read at 8 clients, whether earlier ones are answered or not."""
    capacity = asyncio.run(closed_loop(port, request, 8, seconds=SECONDS)).rate
    load, ready = asyncio.run(open_loop(port, request, 10 * capacity, OVERLOAD_S))
    statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(load.statuses.items()))
    return (
        f"ten times the capacity ({capacity:.0f} pictures a second) for {OVERLOAD_S:g} s: answers {statuses}; "
        f"p50 {ms(load.seconds, 50)}, p99 {ms(load.seconds, 99)}; readiness p99 {ms(ready, 99)}"
    )


async def closed_loop(port: int, request: Request, n_clients: int, n_requests: int = 10**9, seconds: float = 1e9) -> Load:
    """Clients that each wait for an answer before they ask again."""
    sent, left = request.bytes_for(port), n_requests
    statuses, taken = Counter[int](), list[float]()
    started = time.perf_counter()

    async def client() -> None:
        nonlocal left
        async with connection(port) as ask:
            while left > 0 and time.perf_counter() - started < seconds:
                left -= 1
                begun = time.perf_counter()
                statuses[await ask(sent)] += 1
                taken.append(time.perf_counter() - begun)

    await asyncio.gather(*(client() for _ in range(n_clients)))
    return Load(statuses, np.array(taken), time.perf_counter() - started)


async def open_loop(port: int, request: Request, rate: float, seconds: float) -> tuple[Load, NDArray[np.float64]]:
    """Requests at a rate, each on a connection that is free or new; and how long readiness took to be told meanwhile."""
    sent, free = request.bytes_for(port), list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    statuses, taken, ready = Counter[int](), list[float](), list[float]()
    probe = f"GET /v2/health/ready HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    started = time.perf_counter()

    async def one() -> None:
        begun = time.perf_counter()
        streams = free.pop() if free else await asyncio.open_connection("127.0.0.1", port)
        statuses[await exchange(*streams, sent)] += 1
        taken.append(time.perf_counter() - begun)
        free.append(streams)

    async def watch() -> None:
        async with connection(port) as ask:
            while time.perf_counter() - started < seconds:
                begun = time.perf_counter()
                if await ask(probe) != 200:
                    raise SystemExit("not ready under load")
                ready.append(time.perf_counter() - begun)
                await asyncio.sleep(0.02)

    tasks, watching, n = set[asyncio.Task[None]](), asyncio.create_task(watch()), 0
    while (now := time.perf_counter() - started) < seconds:
        while n < now * rate and len(tasks) < OVERLOAD_AT_ONCE:
            task = asyncio.create_task(one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            n += 1
        await asyncio.sleep(0.001)
    await asyncio.gather(watching, *tasks)
    for _, writer in free:
        writer.close()
    return Load(statuses, np.array(taken), time.perf_counter() - started), np.array(ready)


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[Callable[[bytes], asyncio.Future[int]]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield lambda sent: asyncio.ensure_future(exchange(reader, writer, sent))
    finally:
        writer.close()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> int:
    """Send a request, read the answer, return its status."""
    head, _ = await converse(reader, writer, sent)
    return int(head.split(maxsplit=2)[1])


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> tuple[bytes, bytes]:
    """Send a request, read the answer: its head and its body."""
    writer.write(sent)
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
        return head, await reader.readexactly(int(length))


def as_json(glyph: NDArray[np.uint8]) -> Request:
    tensor = {"name": "images", "shape": [1, 28, 28], "datatype": "UINT8", "data": glyph.ravel().tolist()}
    return Request("/v2/models/digits/infer", json.dumps({"inputs": [tensor]}).encode(), ("Content-Type: application/json",))


def as_tensor(glyph: NDArray[np.uint8]) -> Request:
    parameters = {"binary_data_size": glyph.size}
    tensor = {"name": "images", "shape": [1, 28, 28], "datatype": "UINT8", "parameters": parameters}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return Request("/v2/models/digits/infer", head + glyph.tobytes(), (f"Inference-Header-Content-Length: {len(head)}",))


def as_picture(glyphs: NDArray[np.uint8]) -> Request:
    """A PNG of 400 x 120 pixels with four digits, dark on light."""
    page = np.full((120, 400), 255, np.uint8)
    for k, glyph in enumerate(glyphs[:4]):
        page[15:105, 5 + 98 * k : 95 + 98 * k] -= np.asarray(Image.fromarray(glyph).resize((90, 90)))
    file = io.BytesIO()
    Image.fromarray(page).save(file, "PNG")
    return Request("/read", file.getvalue(), ("Content-Type: image/png",))


def as_plain(glyph: NDArray[np.uint8]) -> Request:
    return Request("/predict", json.dumps({"image": glyph.tolist()}).encode(), ("Content-Type: application/json",))


@contextmanager
def tenfold_service() -> Iterator[int]:
    with tempfile.TemporaryDirectory() as folder:
        samples = str(Path(folder) / "samples.db")
        with service([sys.executable, "-m", "tenfold", "serve", "--samples", samples, "--port"]) as port:
            yield port


@contextmanager
def plain_service() -> Iterator[int]:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-m", "uvicorn", "--app-dir", here, "--log-level", "warning", "plain_service:app", "--port"]
    with service(command) as port:
        yield port


@contextmanager
def service(command: list[str]) -> Iterator[int]:
    """A service as a process of its own, on a free port; it has ended when the block has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_until_open(process, port)
        _PROCESSES[port] = process.pid
        yield port
    finally:
        process.terminate()
        process.wait()


_PROCESSES: dict[int, int] = {}


def wait_until_open(process: subprocess.Popen[bytes], port: int) -> None:
    started = time.monotonic()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError as problem:
            if process.poll() is not None or time.monotonic() - started > PATIENCE_S:
                raise SystemExit(f"the service did not start: {' '.join(map(str, process.args))}") from problem  # type: ignore[arg-type]
            time.sleep(0.1)


def resident(port: int) -> int:
    """The resident memory of the service's process, in bytes."""
    pages = int(Path(f"/proc/{_PROCESSES[port]}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def ms(seconds: NDArray[np.float64], percent: float) -> str:
    return f"{1000 * float(np.percentile(seconds, percent)):.1f} ms"


if __name__ == "__main__":
    main()
