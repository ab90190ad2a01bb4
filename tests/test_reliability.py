"""The tables in docs/ are true to what they speak of."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text()
ROWS = {int(number): held for number, held in re.findall(r"^\| (\d+) \| .+? \| (.+) \|$", PAGE, re.M)}


def test_every_fault_is_held_by_a_test() -> None:
    assert sorted(ROWS) == list(range(1, 56))


@pytest.mark.parametrize("number", sorted(ROWS))
def test_the_tests_named_exist(number: int) -> None:
    links = re.findall(r"\[(test_\w+)\]\(\.\./(tests/[\w/]+\.py)\)", ROWS[number])
    assert links
    for name, path in links:
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.M), f"{path}::{name}"


def test_every_link_of_the_pages_leads_somewhere() -> None:
    for page in (ROOT / "docs" / "reliability.md", ROOT / "SECURITY.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("script", ["licences.py", "limits.py"])
def test_what_is_generated_is_new(script: str) -> None:
    """And every licence is among those known to be compatible."""
    done = subprocess.run([sys.executable, ROOT / "docs" / script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}run: python docs/{script}"


def locked(name: str) -> set[str]:
    """The versions in a lock file, each with a hash."""
    lock = (ROOT / name).read_text()
    pinned = re.findall(r"^(\S+==\S+).* \\\n    --hash=sha256:", lock, re.M)
    assert len(pinned) == len(re.findall(r"^\S+==", lock, re.M))
    assert "://" not in lock
    return set(pinned)


def test_the_container_is_built_with_what_is_locked() -> None:
    """Built in isolation, a wheel would fetch the newest of what builds it."""
    container = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes --requirement requirements-build.lock" in container
    for line in re.findall(r"^.*pip (?:install|wheel) .*$", container, re.M):
        assert "--require-hashes" in line or "--no-build-isolation" in line or "--no-index" in line
    copied = re.findall(r"^COPY (.+) \S+$", container, re.M)[0].split()
    assert {f"!{name}" for name in copied} <= set((ROOT / ".dockerignore").read_text().split())
    found = {one.split("==")[0] for one in locked("requirements-build.lock")}
    needed = {"hatchling"}
    while needed:
        assert needed <= found
        needed = {name for one in needed for name in _needs(one)} - {"hatchling"}


def _needs(name: str) -> set[str]:
    """What a library requires, however it is used."""
    required = [Requirement(one) for one in metadata.requires(name) or ()]
    return {one.name for one in required if one.marker is None or one.marker.evaluate({"extra": ""})}


def test_the_locks_have_hashes_and_no_addresses_and_are_enforced() -> None:
    every, served = locked("requirements.lock"), locked("requirements-serve.lock")
    assert len(every) > 50
    assert {"starlette", "onnxruntime", "typer"} <= {one.split("==")[0] for one in served}
    assert served < every
    assert locked("requirements-build.lock") < every
    assert "--require-hashes --requirement requirements-serve.lock" in (ROOT / "Dockerfile").read_text()
    assert "--require-hashes --requirement requirements.lock" in (ROOT / "Makefile").read_text()
