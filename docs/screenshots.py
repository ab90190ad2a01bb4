"""The pictures of the page, in docs/images/page-*.png: served, written on and photographed in a headless Chromium.

Run it with: .venv/bin/python docs/screenshots.py
It needs Chromium (apt-get install chromium, or its path in CHROMIUM). Letters look as here with the font Inter installed
(apt-get install fonts-inter); the page takes the system's font where there is none.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import expect, sync_playwright

IMAGES = Path(__file__).with_name("images")
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
EXACT = 112  # of a palette's 256 colours


def main() -> None:
    """Start a server, visit it four times and photograph."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "tenfold", "serve", "--port", "0", "--samples", f"{folder}/samples.db"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            address = address_of(process)
            chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
                for scheme in ("light", "dark"):
                    photograph(browser, address, device, size, scheme)
            browser.close()
        finally:
            process.terminate()
            process.communicate()


def address_of(process: subprocess.Popen[str]) -> str:
    """Where the server listens, as its log says."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            return found[0]
    raise SystemExit("tenfold serve ended before it listened")


def photograph(browser: Any, address: str, device: str, size: dict[str, int], scheme: str) -> None:
    """The page with the example on it; in light, on a desktop, also how it thinks."""
    context = browser.new_context(
        viewport=size, color_scheme=scheme, reduced_motion="reduce", has_touch=device == "phone", device_scale_factor=2
    )
    page = context.new_page()
    page.goto(address)
    page.click("#example")
    expect(page.locator("#digits b")).to_have_text(["7", "3"])
    expect(page.locator("#layers figure h3").last).to_have_text("Why a 3?")
    page.mouse.move(size["width"] / 2, 1)
    save(page.screenshot(), f"page-{device}-{scheme}")
    if (device, scheme) == ("desktop", "light"):
        save(page.locator("#thinking").screenshot(), "page-thinking", halved=True)
    context.close()


def save(png: bytes, name: str, halved: bool = False) -> None:
    """Write a picture with a palette, which keeps it under 150 kB."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    if halved:
        image = image.reduce(2)
    image.thumbnail((1920, 1920), Image.Resampling.LANCZOS)
    image.quantize(palette=palette_of(image), dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)


def palette_of(image: Image.Image) -> Image.Image:
    """256 colours: the commonest as they are, since the eye knows them from large areas, and some for what lies between."""
    counted = sorted(image.getcolors(image.width * image.height) or [], reverse=True)
    between = image.quantize(256 - EXACT, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(int(v) for _, colour in counted[:EXACT] for v in colour), *between])
    return palette


if __name__ == "__main__":
    main()
