"""The tables in docs/ are true to what they speak of."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_the_locks_have_hashes_and_no_addresses_and_are_enforced() -> None:
    every, served = locked("requirements.lock"), locked("requirements-serve.lock")
    assert len(every) > 50
    assert {"starlette", "onnxruntime", "typer"} <= {one.split("==")[0] for one in served}
    assert served < every
    assert "--require-hashes --requirement requirements-serve.lock" in (ROOT / "Dockerfile").read_text()
    assert "--require-hashes --requirement requirements.lock" in (ROOT / "Makefile").read_text()
