from pathlib import Path

import pytest
from PIL import Image

from tenfold.cluster import parts, rows


@pytest.mark.parametrize("suffix", ["pdf", "tif"])
def test_pages_keep_their_number_and_those_that_cannot_be_read_are_named(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, path = Image.new("L", (40, 30), 200), tmp_path / f"four.{suffix}"
    small.save(path, save_all=True, append_images=[small.resize((900, 900)), small])
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "100000")
    (part,) = parts.cut([str(path)])
    found = list(rows.rows(part))
    assert [(row.number, row.error is None) for row in found] == [(1, True), (3, True), (0, False)]
    assert f"four.{suffix}#2: " in str(found[-1].error)


def test_a_picture_is_a_row_of_its_own(tmp_path: Path) -> None:
    Image.new("L", (40, 30), 200).save(tmp_path / "one.png")
    (part,) = parts.cut([str(tmp_path / "one.png")])
    assert [(row.number, row.picture) for row in rows.rows(part)] == [(0, str(tmp_path / "one.png"))]
