"""Every command and every piece of Python in the README runs, in order, as a reader would type it."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tenfold.read.model import load_bundled

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Shown to somebody who has no checkout yet, or needs what tests have not: they are seen by hand (CONTRIBUTING.md).
NOT_HERE = ("git clone", "cd ", "make ", "pip install", "tensorboard ", "tenfold serve")


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [part.removeprefix(".venv/bin/") for part in parts if part and not part.startswith(NOT_HERE)]


@pytest.mark.slow
def test_the_readme_runs(tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment.pop("KERAS_BACKEND", None)

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    run("tenfold", "train", "--recipe", "classic", "--epochs", "1", "--run", "runs/classic")  # `make train`, shortened
    found = commands()
    assert len(found) >= 12
    for command in found:
        run("bash", "-c", command)
    for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        run(sys.executable, "-c", block)
    assert len((tmp_path / "submission.csv").read_text().splitlines()) == 28_001


def test_links_of_the_documentation_lead_somewhere() -> None:
    pages = [ROOT / name for name in ("README.md", "MODEL_CARD.md", "CONTRIBUTING.md", "RESULTS.md", "CHANGELOG.md")]
    for page in [*pages, *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_model_card_names_the_model_that_ships() -> None:
    content = (ROOT / "src/tenfold/read/bundled/digits.onnx").read_bytes()
    card = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert hashlib.sha256(content).hexdigest() in card
    assert load_bundled().metadata["version"] in card
