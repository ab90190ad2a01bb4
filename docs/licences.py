"""Writes docs/licences.md: the licence of every package in requirements.lock, from the metadata of what is installed.

`python docs/licences.py` writes, `--check` compares and refuses a licence that is not among the compatible ones. A package that
the lock names only for another system or Python is not installed here and is taken over from the page as it stands.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE, LOCK = ROOT / "docs" / "licences.md", ROOT / "requirements.lock"

# Licences that let Apache-2.0 software use a library, by what stands in metadata. MPL-2.0 and LGPL do so as long as the library
# itself stays as it is, which it does: nothing of it is copied.
COMPATIBLE = (
    r"Apache|MIT|BSD|ISC|PSF|Python Software Foundation|Python-2|Zlib|Unlicense|HPND|MIT-CMU|0BSD|CC0|Zope|ZPL|"
    r"Mozilla Public License 2|MPL[- ]2|LGPL|Lesser General Public"
)
HEADER = """# Licences

What `requirements.lock` installs, with the licence that each package's metadata name. tenfold itself is Apache-2.0; all of
these may be used by it. `python docs/licences.py` writes this page, a test compares it.

| package | licence | used by |
|---|---|---|
"""


def main(arguments: list[str]) -> int:
    """Write the page, or compare it; 1 if it is old or a licence does not fit."""
    page = HEADER + "".join(f"| {name} | {licence} | {use} |\n" for name, licence, use in rows())
    listed = page.splitlines()[len(HEADER.splitlines()) :]
    unfit = [line for line in listed if not re.search(COMPATIBLE, line.split(" | ")[1], re.I)]
    if unfit:
        print("not known to be compatible:", *unfit, sep="\n", file=sys.stderr)
        return 1
    if "--check" in arguments:
        same = PAGE.is_file() and PAGE.read_text() == page
        if not same:
            print("docs/licences.md is old; write it with: python docs/licences.py", file=sys.stderr)
        return 0 if same else 1
    PAGE.write_text(page)
    return 0


def rows() -> list[tuple[str, str, str]]:
    """Name, licence and use of each locked package, by name."""
    known = _known()
    extras = _extras()
    return [(name, _licence(name) or known.get(name, "unknown"), extras.get(name, "others of these")) for name in locked()]


def locked() -> list[str]:
    """The names in requirements.lock, sorted."""
    return sorted(set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", LOCK.read_text(), re.M)))


def _licence(name: str) -> str | None:
    """What the metadata of an installed package say, shortest first: expression, classifier, text."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    metadata = found.metadata
    expression = metadata.get("License-Expression")
    classified = [c.rsplit(" :: ", 1)[1] for c in metadata.get_all("Classifier", []) if c.startswith("License :: OSI")]
    said = (metadata.get("License") or "").strip().splitlines()
    text = expression or ", ".join(classified) or (said[0] if said and said[0] != "UNKNOWN" else "") or _of_file(found)
    return " ".join(text.replace("|", "/").split())[:80] or None


def _of_file(found: Distribution) -> str:
    """The licence that the file LICENSE of a package is, by its words."""
    marks = {"Apache License": "Apache-2.0", "Permission is hereby granted": "MIT", "Redistribution and use": "BSD"}
    for file in found.files or ():
        if "LICENSE" in file.name.upper() or "LICENCE" in file.name.upper():
            text = file.read_text()
            return next((licence for mark, licence in marks.items() if mark in text), "")
    return ""


def _known() -> dict[str, str]:
    """What the page says already."""
    if not PAGE.is_file():
        return {}
    return dict(re.findall(r"^\| (\S+) \| (.+?) \|", PAGE.read_text(), re.M))


def _extras() -> dict[str, str]:
    """Which part of tenfold asks for a package itself."""
    found: dict[str, list[str]] = {}
    for need in distribution("tenfold").requires or ():
        name = re.split(r"[^A-Za-z0-9._-]", need)[0].lower().replace("_", "-")
        extra = re.search(r"extra == ['\"](\w+)['\"]", need)
        found.setdefault(name, []).append(f"[{extra[1]}]" if extra else "tenfold")
    return {name: ", ".join(dict.fromkeys(uses)) for name, uses in found.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
