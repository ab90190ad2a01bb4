"""The page in a headless Chromium, served by `tenfold serve` in a process of its own; and a hand that writes on it.

Whatever a test does, at its end no request may have left the origin, no policy may have been violated, nothing may have been
complained about in the console.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
]
PATIENCE = 60_000  # milliseconds; tests say what must come, not how soon
IMAGES = Path(__file__).parents[3] / "docs" / "images"

# Strokes in a box that is 1 high.
HAND: dict[int, list[list[tuple[float, float]]]] = {
    0: [[(0.32, 0), (0.1, 0.15), (0, 0.5), (0.1, 0.85), (0.3, 1), (0.52, 0.85), (0.6, 0.5), (0.52, 0.15), (0.32, 0)]],
    1: [[(0.3, 0), (0.3, 1)]],
    2: [[(0.02, 0.22), (0.12, 0.05), (0.32, 0), (0.54, 0.1), (0.54, 0.32), (0.3, 0.65), (0, 0.97), (0.3, 0.95), (0.62, 0.98)]],
    3: [[(0.03, 0.13), (0.3, 0), (0.57, 0.15), (0.5, 0.38), (0.24, 0.46), (0.55, 0.56), (0.62, 0.8), (0.36, 1), (0, 0.88)]],
    4: [[(0.2, 0), (0.12, 0.3), (0, 0.62), (0.3, 0.63), (0.65, 0.6)], [(0.48, 0.25), (0.46, 0.6), (0.42, 1)]],
    5: [
        [(0.08, 0), (0.06, 0.42), (0.3, 0.37), (0.55, 0.5), (0.58, 0.75), (0.36, 0.97), (0.05, 0.95)],
        [(0.08, 0), (0.55, 0.02)],
    ],
    6: [[(0.45, 0), (0.2, 0.25), (0.04, 0.6), (0.08, 0.88), (0.3, 1), (0.52, 0.85), (0.5, 0.62), (0.28, 0.52), (0.06, 0.7)]],
    7: [[(0, 0.05), (0.35, 0.02), (0.66, 0), (0.5, 0.32), (0.38, 0.62), (0.28, 1)]],
    8: [
        [
            (0.5, 0.12),
            (0.3, 0),
            (0.08, 0.12),
            (0.12, 0.32),
            (0.42, 0.58),
            (0.52, 0.8),
            (0.3, 1),
            (0.08, 0.84),
            (0.44, 0.34),
            (0.5, 0.12),
        ]
    ],
    9: [[(0.5, 0.15), (0.3, 0), (0.06, 0.12), (0.06, 0.36), (0.26, 0.48), (0.5, 0.32), (0.52, 0.1), (0.48, 0.55), (0.4, 1)]],
}


class Visit:
    """One person on the page."""

    def __init__(self, page: Any, origin: str) -> None:
        self.page, self.origin = page, origin
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.allowed: list[str] = []  # patterns of complaints that the test provokes
        page.set_default_timeout(PATIENCE)
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error('policy', e.blockedURI, e.violatedDirective))"
        )
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text))
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.goto(f"{origin}/")
        page.wait_for_load_state("networkidle")

    @property
    def labels(self) -> list[str]:
        """What stands in the row of digits."""
        return self.page.locator("#digits b").all_text_contents()

    def sees(self, *labels: str) -> None:
        """Wait until exactly these are read."""
        from playwright.sync_api import expect

        expect(self.page.locator("#digits b")).to_have_text(list(labels))

    def strokes(self, digit: int, x: float, y: float = 0.2, size: float = 0.6) -> list[list[tuple[float, float]]]:
        """In pixels of the window; x, y and size in heights of the pad."""
        return [[self.at(x + u * size, y + v * size) for u, v in stroke] for stroke in HAND[digit]]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place of the pad, in heights of it, as pixels of the window."""
        self.page.locator("#pad").scroll_into_view_if_needed()
        box = self.page.locator("#pad").bounding_box()
        return box["x"] + x * box["height"], box["y"] + y * box["height"]

    def write(self, digit: int, x: float, y: float = 0.2, size: float = 0.6) -> None:
        """Write with the mouse."""
        for stroke in self.strokes(digit, x, y, size):
            self.draw(stroke)

    def draw(self, points: list[tuple[float, float]]) -> None:
        mouse = self.page.mouse
        mouse.move(*points[0])
        mouse.down()
        for point in points[1:]:
            mouse.move(*point, steps=4)
        mouse.up()

    def refuse_once(self, pattern: str) -> list[Any]:
        """Let the server say once that it is busy, to addresses like this; what was asked there, as it comes."""
        self.allowed.append("429")
        turns: list[Any] = []

        def once(route: Any) -> None:
            turns.append(route)
            route.fulfill(status=429, headers={"retry-after": "1"}, body="{}") if len(turns) == 1 else route.continue_()

        self.page.route(pattern, once)
        return turns

    def complained(self) -> list[str]:
        return [text for text in self.complaints if not any(re.search(pattern, text) for pattern in self.allowed)]


@pytest.fixture(scope="module")  # while Playwright is open its event loop runs, and no other test could run one
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        reason = "no Chromium: apt-get install chromium, or set CHROMIUM to its path"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a server that all tests share."""
    with serving(tmp_path_factory.mktemp("served")) as origin:
        yield origin


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The origin of a server that asks for a token, and the token."""
    token = "a-token-of-some-length"
    (tmp_path / "token").write_text(f"{token}\n")
    with serving(tmp_path, "--token", str(tmp_path / "token")) as origin:
        yield origin, token


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """The origin of a server; its corrections lie in the folder."""
    with (folder / "log").open("w+") as log:
        kept = [] if "--no-samples" in options else ["--samples", str(folder / "samples.db")]
        command = [sys.executable, "-m", "tenfold", "serve", "--port", "0", *kept, *options]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield _origin(process, folder / "log")
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def _origin(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the address in its log."""
    for _ in range(600):
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        if found:
            return found[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture
def visit(browser: Any, served: str) -> Iterator[Callable[..., Visit]]:
    """Open the page as somebody with this window, device and theme; nothing is kept of an earlier visit."""
    contexts, visits = [], []
    urllib.request.urlopen(urllib.request.Request(f"{served}/samples", method="DELETE")).close()

    def open_page(origin: str = served, **options: Any) -> Visit:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"} | options))
        contexts.append(context)
        visits.append(Visit(context.new_page(), origin))
        return visits[-1]

    yield open_page
    try:
        for one in visits:
            assert [url for url in one.asked if not url.startswith((f"{one.origin}/", "blob:"))] == []
            assert one.complained() == []
    finally:
        for one in visits:  # a request that a test holds back would end in the next one
            one.page.unroute_all(behavior="ignoreErrors")
        for context in contexts:
            context.close()
