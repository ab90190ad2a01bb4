"""Writes docs/limits.md from src/tenfold/limits.py: each limit, its default, what for. `--check` compares."""

from __future__ import annotations

import re
import sys
from dataclasses import fields
from pathlib import Path

from tenfold import limits

PAGE = Path(__file__).parent / "limits.md"
HEADER = """# Limits

What tenfold takes in is bounded. Each limit can be changed for a process through the environment, such as
`TENFOLD_MAX_PICTURE_PIXELS=200000000 tenfold read big.tif`; what is over a limit is refused in one line that names it.

| variable | default | of what |
|---|---|---|
"""


def page() -> str:
    """The page, from the fields of `Limits` and the comments beside them."""
    source = Path(str(limits.__file__)).read_text()
    comments = dict(re.findall(r"^    (max_\w+): int = [^#\n]+(?:# (.+))?$", source, re.M))
    names = [field.name for field in fields(limits.Limits)]
    rows = (f"| `TENFOLD_{name.upper()}` | {_shown(name)} | {comments.get(name) or _by_name(name)} |" for name in names)
    return HEADER + "\n".join(rows) + "\n"


def _shown(name: str) -> str:
    value = getattr(limits.Limits(), name)
    mebibytes = f" ({value // 2**20} MiB)" if name.endswith("_bytes") and value % 2**20 == 0 else ""
    return f"{value:,}{' s' if name.endswith('_s') else ''}{mebibytes}"


def _by_name(name: str) -> str:
    return name.removeprefix("max_").removesuffix("_s").replace("_", " ")


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text() != page())
    PAGE.write_text(page())
