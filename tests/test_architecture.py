"""Who imports whom, and what an installation brings."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_each_floor_imports_only_what_lies_below_it() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_base_install_is_light() -> None:
    names = {requirement.split(">")[0] for requirement in PROJECT["dependencies"]}
    assert names == {"numpy", "scipy", "pillow", "onnxruntime", "typer"}


def test_the_lock_covers_every_requirement_with_hashes_and_holds_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    locked = {line.split("==")[0] for line in lock.splitlines() if "==" in line}
    entries = lock.split("\n")
    assert all("--hash=sha256:" in entries[i + 1] for i, line in enumerate(entries) if "==" in line)
    extras = [r for group in PROJECT["optional-dependencies"].values() for r in group]
    wanted = {r.split(">")[0].split("[")[0].strip() for r in [*PROJECT["dependencies"], *extras]} - {"tenfold"}
    assert wanted <= locked
