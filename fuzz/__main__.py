"""`python fuzz TARGET [SECONDS]`: hands one target ever new bytes, led by which lines they reach (atheris, libFuzzer).

What is found lies in fuzz/found/TARGET; what made a target fail is printed, with the file that holds it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
_LONGEST = 2**14
_MOST_MEGABYTES = 2048
_SLOW_S = 25

with atheris.instrument_imports(include=["tenfold", "zipfile", "gzip", "PIL", "json", "numpy.lib", "python_multipart"]):
    from targets import LIMITS, TARGETS


def main(target: str, seconds: str = "60") -> None:
    """Fuzz one target for so many seconds."""
    os.environ.update(LIMITS)
    found = HERE / "found" / target
    found.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-rss_limit_mb={_MOST_MEGABYTES}", f"-timeout={_SLOW_S}"]
    options += [f"-artifact_prefix={found}/failed-", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, str(found), str(HERE / "corpus" / target)], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
