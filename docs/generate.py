"""Writes the parts of the documentation that would drift: docs/cli.md, from the command line's own help.

Usage: python docs/generate.py           write it
       python docs/generate.py --check   exit with 1 if it is not up to date, or if the changelog lacks the version
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tenfold import __version__

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "cli.md"
_LEARNING = ("train", "evaluate", "compare", "recipes", "runs", "submit", "export")
COMMANDS = (*_LEARNING, "ensemble", "sweep", "read", "serve", "inspect", "convert", "bench")


def page() -> str:
    """The page, from `tenfold --help` and each command's `--help`, 100 columns wide."""
    parts = ["# The command line", "Made by `make docs` from the commands' own help.", _block("tenfold --help")]
    for command in COMMANDS:
        parts += [f"## tenfold {command}", _block(f"tenfold {command} --help")]
    return "\n\n".join(parts) + "\n"


def _block(command: str) -> str:
    environment = os.environ | {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    arguments = [sys.executable, "-m", "tenfold", *command.split()[1:]]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment)
    text = "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines())
    return f"```\n{text}\n```"


def main() -> int:
    """Write or check."""
    made = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    problems = []
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != made:
        problems.append("docs/cli.md is not up to date; run: make docs")
    if f"## {__version__}" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        problems.append(f"CHANGELOG.md has no section for version {__version__}")
    print("\n".join(problems) or "documentation is in step")
    return len(problems) and 1


if __name__ == "__main__":
    sys.exit(main())
