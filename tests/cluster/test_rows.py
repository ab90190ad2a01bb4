from pathlib import Path

import pytest
from PIL import Image

from tenfold.cluster import addresses, parts, rows
from tenfold.errors import UsageError


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


def test_by_address_a_folder_has_the_same_rows_whatever_its_files_are_called(tmp_path: Path) -> None:
    small = Image.new("L", (40, 30), 200)
    for name in ("plain.png", "my scan.png", "a#1.png", "what?.png", "100%.png", "100%25.png", "é/à.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        small.save(tmp_path / name)
    for suffix in ("tif", "pdf"):
        small.save(tmp_path / f"three.{suffix}", save_all=True, append_images=[small, small])
    here, there = (
        [row for part in parts.cut([source]) for row in rows.rows(part)] for source in (str(tmp_path), tmp_path.as_uri())
    )
    assert [row.error for row in there] == [None] * 13
    assert [(row.source, row.number) for row in there] == [(Path(row.source).as_uri(), row.number) for row in here]
    assert there[0].picture == Path(here[0].source).read_bytes()


def test_a_listed_file_has_the_options_of_its_folder() -> None:
    address = addresses.inside("s3://bucket/folder/?region=eu-west-1", "b/a 1.csv")
    assert address == "s3://bucket/folder/b/a%201.csv?region=eu-west-1"
    assert addresses.located(address)[1] == "bucket/folder/b/a 1.csv"
    assert addresses.without_query(address).endswith(".csv")


def test_an_address_of_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(UsageError, match=r"a\.txt: expected pictures, a \.parquet or a CSV"):
        list(parts.cut([(tmp_path / "a.txt").as_uri()]))


def test_a_picture_is_a_row_of_its_own(tmp_path: Path) -> None:
    Image.new("L", (40, 30), 200).save(tmp_path / "one.png")
    (part,) = parts.cut([str(tmp_path / "one.png")])
    assert [(row.number, row.picture) for row in rows.rows(part)] == [(0, str(tmp_path / "one.png"))]
