"""The page's files hold to its policy: nothing inline, nothing from elsewhere, nothing missing, nothing left over."""

import re
from pathlib import Path

import tenfold
from tenfold.limits import Limits

PAGE = Path(tenfold.__file__).parent / "serve" / "page"
INDEX = (PAGE / "index.html").read_text(encoding="utf-8")
NAMESPACES = {"http://www.w3.org/2000/svg"}


def test_nothing_is_inline() -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", INDEX)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", INDEX))
    for module in PAGE.glob("*.js"):
        assert not re.search(
            r"innerHTML|insertAdjacentHTML|\beval\(|new Function|document\.write", module.read_text(encoding="utf-8")
        ), module.name


def test_nothing_comes_from_elsewhere() -> None:
    for file in PAGE.iterdir():
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", file.read_text(encoding="utf-8")))
        assert addresses <= NAMESPACES, file.name


def test_every_file_is_used_and_every_file_used_is_there() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in PAGE.iterdir())
    used = set(re.findall(r"static/([\w.]+)", text)) | set(re.findall(r"from \"\./([\w.]+)\"", text)) | {"index.html"}
    assert used == {file.name for file in PAGE.iterdir()}


def test_modules_are_small() -> None:
    assert max(len(file.read_text(encoding="utf-8").splitlines()) for file in PAGE.glob("*.js")) < 250


def test_the_page_waits_longer_than_the_server_may_take() -> None:
    patience = re.search(r"PATIENCE = ([\d_]+)", (PAGE / "server.js").read_text(encoding="utf-8"))
    limits = Limits()
    assert patience is not None
    assert int(patience[1]) > 1000 * (limits.max_body_s + limits.max_work_s)
