"""What docs/service.md says of limits is so."""

import re
from pathlib import Path

from tenfold.limits import Limits

PAGE = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
UNITS = {"": 1, " KiB": 2**10, " MiB": 2**20, " million": 10**6}


def test_the_limits_are_those_of_the_documentation() -> None:
    rows = re.findall(r"^\| `TENFOLD_(\w+)`(.*?) \| ([^|]+) \|", PAGE, flags=re.MULTILINE)
    assert len(rows) >= 8
    assert {"DISCARDED_BYTES", "DISCARD_S"} <= {first.removeprefix("MAX_") for first, *_ in rows}  # of a 413 that can be read
    for first, further, values in rows:
        names = [first.lower(), *(f"max{name.lower()}" for name in re.findall(r"`(_\w+)`", further))]
        numbers = re.findall(r"([\d,]*\d)( KiB| MiB| million)?", values)
        assert [getattr(Limits(), name) for name in names] == [int(n.replace(",", "")) * UNITS[unit] for n, unit in numbers]
