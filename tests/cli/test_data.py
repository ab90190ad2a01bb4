from pathlib import Path

import numpy as np
import pytest

import tenfold as package
from tenfold.data.sources import load, save


def test_convert_writes_what_was_read(tenfold, tmp_path: Path) -> None:
    first, second = tmp_path / "a.npz", tmp_path / "b.csv.gz"
    assert tenfold("convert", "mnist", first, "--part", "test").code == 0
    result = tenfold("convert", first, second)
    assert result == (0, "", f"{second}: 10,000 digits\n")
    expected, found = load("mnist", "test"), load(second)
    assert (found.images == expected.images).all()
    assert (found.labels == expected.labels).all()


def test_convert_can_leave_the_labels_out_and_be_told_the_format(tenfold, toy_npz: Path, tmp_path: Path) -> None:
    target = tmp_path / "test.dat"
    assert tenfold("convert", toy_npz, target, "--no-labels", "--format", "csv").code == 0
    header = target.read_text().splitlines()[0]
    assert header.startswith("pixel0,pixel1,")


def test_inspect_shows_counts_and_leaves_figures_and_all_pixels(tenfold, toy_npz: Path, tmp_path: Path) -> None:
    result = tenfold("inspect", toy_npz, "--output", tmp_path / "out")
    assert result.code == 0
    assert "785" in result.out
    names = {"pixels.csv", "samples.png", "class_balance.png", "class_means.png", "pixel_deviation.png"}
    assert {p.name for p in (tmp_path / "out").iterdir()} == names
    assert len((tmp_path / "out" / "pixels.csv").read_text().splitlines()) == 785


def test_what_is_printed_of_names_steers_no_terminal(tenfold, toy_npz: Path, tmp_path: Path) -> None:
    digits, other = tmp_path / "d\x1b[31m\udcff.npz", tmp_path / "d\x1b[31m\udcff.csv"
    toy_npz.rename(digits)
    for result in (tenfold("inspect", digits, "-o", tmp_path / "o\x1b"), tenfold("convert", digits, other)):
        assert result.code == 0
        assert r"d\x1b[31m\xff" in result.out + result.err
        assert all(line.isprintable() for line in (result.out + result.err).splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["convert", "nowhere.csv", "x.npz"], "nowhere.csv: no such data set or file"),
        (["convert", "mnist", "x.xyz"], "x.xyz: the name fits no format to write; expected a Kaggle CSV"),
        (["inspect", "nowhere"], "nowhere: no such data set or file"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_2(tenfold, arguments: list[str], said: str) -> None:
    result = tenfold(*arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1


@pytest.fixture
def toy_npz(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "toy.npz"
    np.savez(path, images=rng.integers(0, 256, (50, 28, 28), np.uint8), labels=np.arange(50, dtype=np.uint8) % 10)
    return path


def test_two_sets_of_one_name_are_inspected_into_two_folders(tenfold, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for k, n in (("a", 40), ("b", 50)):
        (tmp_path / k).mkdir()
        save(package.load("mnist", "test")[:n], tmp_path / k / "d.csv")
    for k in ("a", "b", "a"):
        assert tenfold("inspect", f"{k}/d.csv").code == 0
    assert sorted(p.name for p in (tmp_path / "inspections").iterdir()) == ["d.csv", "d.csv-2"]
    refused = tenfold("inspect", "a/d.csv", "-o", "a/d.csv")
    assert (refused.code, refused.err) == (2, "error: a/d.csv is a file; name a folder with --output\n")


@pytest.mark.filterwarnings("always::tenfold.errors.TenfoldNotice")
def test_digits_the_other_way_round_are_a_notice(tenfold, tmp_path: Path) -> None:
    digits, path = package.load("mnist", "test")[:20], tmp_path / "paper.npz"
    save(package.Digits(255 - digits.images, digits.labels, "x"), path)
    for command in (
        ["inspect", path, "-o", tmp_path / "i"],
        ["evaluate", "bundled", "--data", path, "-o", tmp_path / "e"],
        ["submit", "bundled", path, "-o", tmp_path / "s.csv"],
    ):
        result = tenfold(*command)
        assert result.code == 0
        assert "note: paper.npz: bright at the rim, expected white ink on black" in result.err


def test_a_set_is_not_converted_into_itself(tenfold, tmp_path: Path) -> None:
    path, link = tmp_path / "a.csv", tmp_path / "b.csv"
    save(package.load("mnist", "test")[:5], path)
    link.symlink_to(path)
    content = path.read_bytes()
    for target in (path, link):
        refused = tenfold("convert", path, target, "--no-labels")
        assert refused.code == 2
        assert "is what is converted; name another file" in refused.err
    assert path.read_bytes() == content
