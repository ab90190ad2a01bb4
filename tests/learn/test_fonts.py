"""The fonts of Debian that reviewers are trained with."""

from pathlib import Path

import pytest

from tenfold.errors import DataError
from tenfold.learn import fonts


def test_they_come_in_one_order_from_whatever_folders(tmp_path: Path) -> None:
    for k, name in enumerate(reversed(fonts.NAMES)):
        folder = tmp_path / ("opentype" if k % 2 else "truetype")
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.{'otf' if k % 2 else 'ttf'}").touch()
    (tmp_path / "truetype" / "Another.ttf").touch()
    assert [file.stem for file in fonts.of_debian(tmp_path)] == list(fonts.NAMES)


def test_what_is_missing_is_said_with_what_installs_it(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"43 fonts are missing, Delphine first; run apt-get install fonts-comic-neue .*fonts-sjfonts"
    ):
        fonts.of_debian(tmp_path)
