"""An application in this process (`make_client`), and a service as a process of its own (`start`, `live`)."""

import io
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold.serve.app import create_app
from tenfold.serve.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks for httpx2 instead of httpx
    from starlette.testclient import TestClient

PATIENCE_S = 60


@pytest.fixture(scope="session")
def glyphs() -> np.ndarray:
    """Ten test digits of MNIST, 0 to 9 in order: uint8 (10, 28, 28)."""
    digits = tenfold.load("mnist", "test")
    return np.stack([digits.images[digits.known_labels == label][1] for label in range(10)])


@pytest.fixture(scope="session")
def png(glyphs: np.ndarray) -> bytes:
    """A picture of a 4 and a 2, dark on light."""
    page = np.full((120, 220), 255, np.uint8)
    for x, label in ((10, 4), (110, 2)):
        page[10:110, x : x + 100] -= np.asarray(Image.fromarray(glyphs[label]).resize((100, 100)))
    return as_png(page)


@pytest.fixture(scope="session")
def make_png() -> Callable[[np.ndarray], bytes]:
    return as_png


@pytest.fixture(scope="session")
def make_digit(glyphs: np.ndarray) -> Callable[[int], bytes]:
    """A picture of one digit, dark on light."""
    return lambda label: as_png(255 - np.asarray(Image.fromarray(glyphs[label]).resize((90, 90))))


def as_png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """A client of an application made with these settings."""
    with ExitStack() as stack:

        def make(**settings: object) -> TestClient:
            app = create_app(Settings(**{"samples": tmp_path / "samples.db"} | settings))  # type: ignore[arg-type]
            return stack.enter_context(TestClient(app, base_url="http://localhost:8000"))

        yield make


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()


class Live:
    """A service as a process of its own.

    Attributes:
        lines: what it logged so far.
    """

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        command = [sys.executable, "-m", "tenfold", "serve", "--port", "0", "--samples", str(folder / "samples.db"), *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
        self.lines: list[dict[str, object]] = []
        self._arriving: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._collect, daemon=True).start()
        self.url = str(self.wait_for("listening")["url"]).rstrip("/")
        self.host, port = self.url.removeprefix("http://").split(":")
        self.port = int(port)

    def wait_for(self, event: str) -> dict[str, object]:
        """The next log line of this event."""
        while True:
            line = json.loads(self._arriving.get(timeout=PATIENCE_S))
            self.lines.append(line)
            if line["event"] == event:
                return line

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def memory(self) -> int:
        """Its resident memory in bytes; 0 where Linux does not tell."""
        if sys.platform != "linux":
            return 0
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _collect(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._arriving.put(line)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Start a service with further arguments and environment variables; it ends with the test."""
    started: list[Live] = []

    def begin(*arguments: str, **environment: str) -> Live:
        started.append(Live(tmp_path, *arguments, **environment))
        return started[-1]

    yield begin
    _end(started)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service for tests that leave it as it was; its limits are low."""
    service = Live(
        tmp_path_factory.mktemp("live"),
        TENFOLD_MAX_HEADER_S="1",
        TENFOLD_MAX_BODY_S="2",
        TENFOLD_MAX_DISCARD_S="1",
        TENFOLD_MAX_IDLE_S="2",
        TENFOLD_MAX_CONNECTIONS="400",
        TENFOLD_MAX_REQUEST_BYTES=str(2**20),
        TENFOLD_MAX_DISCARDED_BYTES=str(32 * 2**20),
    )
    yield service
    _end([service])


def _end(services: list[Live]) -> None:
    for service in services:
        if service.process.poll() is None:
            service.process.kill()
        service.process.wait()
        assert service.process.stderr is not None
        service.process.stderr.close()
