import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tenfold import Digits
from tenfold.errors import DataError
from tenfold.learn import figures, style
from tenfold.learn.evaluation import Evaluation

pytestmark = pytest.mark.one_backend

HISTORY = {
    "epoch": [1, 2, 3],
    "loss": [0.5, 0.2, 0.1],
    "accuracy": [0.85, 0.94, 0.97],
    "val_loss": [0.3, 0.2, 0.25],
    "val_accuracy": [0.90, 0.93, 0.95],
}


@pytest.fixture(scope="module")
def judged() -> Evaluation:
    """200 digits; a 4 read as 9 with 98 %, a 4 read as 9 with 60 %, and a 7 read as 1 with 70 % are the mistakes."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10, dtype=np.uint8), 20)
    read, sure = labels.copy(), np.full(200, 0.95, np.float32)
    for i, wrong, confidence in ((4, 9, 0.98), (14, 9, 0.6), (7, 1, 0.7)):
        read[i], sure[i] = wrong, confidence
    probabilities = np.repeat((1 - sure[:, None]) / 9, 10, axis=1)
    probabilities[np.arange(200), read] = sure
    images = rng.integers(0, 256, (200, 28, 28)).astype(np.uint8)
    return Evaluation(Digits(images, labels, "toy"), probabilities.astype(np.float32))


@pytest.fixture(scope="module")
def flawless(judged: Evaluation) -> Evaluation:
    right = np.flatnonzero(judged.correct)
    return Evaluation(judged.digits[right], judged.probabilities[right])


def texts(figure: Figure) -> list[str]:
    """All that can be read in a figure, without empty strings."""
    found = [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_visible()]
    return [text for text in found if text]


def drawn(figure: Figure, tmp_path: Path) -> tuple[int, int]:
    """Save a figure; return the size of its PNG in pixels."""
    style.save(figure, tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as image:
        assert image.format == "PNG"
        assert set(image.info) <= {"dpi"}, "no software, no time"
        return image.size


def test_curves_name_the_lines_and_say_where_validation_was_best(tmp_path: Path) -> None:
    figure = figures.curves(HISTORY, "toy: how it learned")
    found = texts(figure)
    assert "toy: how it learned" in found
    assert "validation accuracy best in epoch 3: 95.00 %" in found
    assert "validation loss lowest in epoch 2: 0.2000" in found
    assert {"training\n97.00 %", "validation\n95.00 %", "training\n0.1000", "validation\n0.2500"} <= set(found)
    assert drawn(figure, tmp_path) == (1575, 690)


def test_curves_keep_the_names_of_lines_apart_that_end_at_the_same_place() -> None:
    same = HISTORY | {"val_loss": HISTORY["loss"], "val_accuracy": HISTORY["accuracy"]}
    for axes in figures.curves(same, "same").axes:
        low, high = sorted(text.get_position()[1] for text in axes.texts)
        assert high - low == pytest.approx(0.15)
        assert 0.05 < low < high < 0.95, "clear of the title and of the axis below"


def test_curves_without_validation_say_so() -> None:
    figure = figures.curves(HISTORY | {"val_loss": [None] * 3, "val_accuracy": [None] * 3}, "final")
    found = texts(figure)
    assert "nothing was held out for validation" in found
    assert "training loss lowest in epoch 3: 0.1000" in found
    assert not any("validation\n" in text for text in found)


@pytest.mark.parametrize("n", [1, 30, 200])
def test_curves_of_any_length(n: int, tmp_path: Path) -> None:
    falling = (1 / np.arange(1, n + 1)).tolist()
    rising = [1 - value / 2 for value in falling]
    history = {"epoch": list(range(1, n + 1)), "loss": falling, "val_loss": falling, "accuracy": rising, "val_accuracy": rising}
    drawn(figures.curves(history, "long"), tmp_path)


def test_curves_of_a_run_that_diverged(tmp_path: Path) -> None:
    nan = float("nan")
    figure = figures.curves(HISTORY | {"loss": [0.5, nan, nan], "val_loss": [0.4, float("inf"), nan]}, "diverged")
    assert "validation loss lowest in epoch 1: 0.4000" in texts(figure)
    drawn(figure, tmp_path)
    drawn(figures.curves(HISTORY | {"val_loss": [nan] * 3}, "diverged"), tmp_path)


def test_confusion_matrix_has_counts_and_the_share_of_each_class_that_is_right(judged: Evaluation, tmp_path: Path) -> None:
    figure = figures.confusion_matrix(judged)
    found = texts(figure)
    assert "98.50 % of 200 digits are read right" in found
    assert "toy; mostly 4 read as 9 (2), 7 read as 1 (1)" in found
    assert "18\n90.0 %" in found
    assert found.count("20\n100.0 %") == 8
    cells = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert cells[9.5, 4.5] == "2"
    assert cells[4.5, 9.5] == "", "no 9 was read as 4"
    drawn(figure, tmp_path)


def test_confusion_matrix_of_a_class_without_digits(judged: Evaluation, tmp_path: Path) -> None:
    few = Evaluation(judged.digits[:3], judged.probabilities[:3])
    figure = figures.confusion_matrix(few)
    assert "0\n–" in texts(figure)
    drawn(figure, tmp_path)


def test_mistakes_come_with_label_prediction_and_confidence_the_surest_first(judged: Evaluation, tmp_path: Path) -> None:
    figure = figures.mistakes(judged)
    shown = [(axes.get_title(), axes.get_xlabel()) for axes in figure.axes if axes.get_visible()]
    assert shown == [("is 4, read 9", "98 % sure"), ("is 7, read 1", "70 % sure"), ("is 4, read 9", "60 % sure")]
    assert "3 of 200 digits read wrongly" in texts(figure)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), judged.digits.images[4])
    drawn(figure, tmp_path)


def test_mistakes_beyond_the_most_are_left_out_and_it_is_said(judged: Evaluation) -> None:
    figure = figures.mistakes(judged, most=2)
    assert "toy; here the 2 that it was surest of" in texts(figure)


def test_no_mistakes_are_a_figure_too(flawless: Evaluation, tmp_path: Path) -> None:
    figure = figures.mistakes(flawless)
    assert "No mistakes: all 197 digits are read right" in texts(figure)
    drawn(figure, tmp_path)
    drawn(figures.confusion_matrix(flawless), tmp_path)
    drawn(figures.calibration(flawless), tmp_path)


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.6, "60 %"), (0.9954, "99.54 %"), (0.99995, "> 99.99 %"), (1.0, "> 99.99 %")]
)
def test_a_confidence_is_never_rounded_up_to_certainty(judged: Evaluation, confidence: float, words: str) -> None:
    probabilities = np.full((1, 10), (1 - confidence) / 9, np.float32)
    probabilities[0, 3] = confidence
    figure = figures.mistakes(Evaluation(judged.digits[:1], probabilities))
    assert f"{words} sure" in texts(figure)


def test_calibration_has_a_point_and_a_count_for_each_bin_with_digits(judged: Evaluation, tmp_path: Path) -> None:
    figure = figures.calibration(judged)
    found = texts(figure)
    assert f"94.7 % sure on average, 98.5 % right: off by {100 * judged.ece:.2f} points (ECE)" in found
    assert "fullest bin: 198 digits, 95.0 % sure, 99.5 % right" in found
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_markerfacecolor() == "white" for line in points] == [True, True, False], (
        "hollow where there are few digits"
    )
    assert {"1", "198"} <= set(found)
    drawn(figure, tmp_path)


def test_calibration_shows_what_a_reader_gets_and_behind_it_what_the_network_says(judged: Evaluation, tmp_path: Path) -> None:
    figure = figures.calibration(replace(judged, temperature=2.0))
    assert f"grey: before temperature (off by {100 * judged.ece:.2f})" in " ".join(texts(figure))
    drawn(figure, tmp_path)


def test_coverage_says_how_many_to_refuse(judged: Evaluation, flawless: Evaluation, tmp_path: Path) -> None:
    figure = figures.coverage(judged)
    assert "99.9 % right is never reached" in texts(figure), "the surest digit of all is wrong"
    drawn(figure, tmp_path)
    assert "99.9 % are right without refusing any" in texts(figures.coverage(flawless))


def test_corruptions_have_a_row_each_with_the_hardest_below(tmp_path: Path) -> None:
    figure = figures.corruptions({"fog": [0.5, 0.4], "shift": [1.0, 0.9]}, "mine")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["shift", "fog"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["100.0", "90.0", "50.0", "40.0"]
    assert "70.0 % right on corrupted digits on average" in texts(figure)
    drawn(figure, tmp_path)


def test_sample_grid_has_a_row_for_each_class(judged: Evaluation, tmp_path: Path) -> None:
    figure = figures.sample_grid(judged.digits)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list("0123456789")
    sheet = figure.axes[0].images[0].get_array()
    assert sheet.shape == (300, 360)
    np.testing.assert_array_equal(sheet[91:119, 1:29], judged.digits.images[3], "the first 3 opens the fourth row")
    drawn(figure, tmp_path)


def test_sample_grid_without_labels_or_with_few_digits(judged: Evaluation, tmp_path: Path) -> None:
    figure = figures.sample_grid(judged.digits.unlabelled())
    assert not figure.axes[0].get_yticks().size
    drawn(figure, tmp_path)
    drawn(figures.sample_grid(judged.digits[:3]), tmp_path)


def test_class_balance_counts_the_classes(judged: Evaluation, tmp_path: Path) -> None:
    digits = judged.digits[: 10 * 19 + 1]
    figure = figures.class_balance(digits)
    assert [bar.get_height() for bar in figure.axes[0].patches] == digits.counts.tolist()
    assert "0 is the most frequent class (20), 1 the least (19)" in texts(figure)
    drawn(figure, tmp_path)
    with pytest.raises(DataError, match="no labels"):
        figures.class_balance(digits.unlabelled())


def test_class_means_are_means(judged: Evaluation, tmp_path: Path) -> None:
    digits = judged.digits[:9]
    figure = figures.class_means(digits)
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), digits.images[3])
    assert (figure.axes[9].get_title(), figure.axes[9].get_xlabel()) == ("9", "0 digits")
    drawn(figure, tmp_path)
    alone = figures.class_means(digits.unlabelled())
    np.testing.assert_allclose(alone.axes[0].images[0].get_array(), digits.images.mean(axis=0))
    drawn(alone, tmp_path)


def test_pixel_deviation_is_numpys(judged: Evaluation, tmp_path: Path) -> None:
    images = judged.digits.images.copy()
    images[:, :2] = 7
    figure = figures.pixel_deviation(Digits(images, None, "toy"))
    found = figure.axes[0].collections[0].get_array()
    np.testing.assert_allclose(np.asarray(found).reshape(28, 28), images.std(axis=0, ddof=1), rtol=1e-12)
    assert "56 of 784 pixels never change" in texts(figure)
    assert "standard deviation (grey levels of 0–255)" in texts(figure)
    drawn(figure, tmp_path)


@pytest.mark.parametrize("draw", [figures.confusion_matrix, figures.mistakes, figures.calibration, figures.coverage])
def test_same_data_give_the_same_bytes(draw: Callable[[Evaluation], Figure], judged: Evaluation, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        style.save(draw(judged), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_settings_of_the_user_neither_change_nor_matter_even_in_threads(tmp_path: Path) -> None:
    style.save(figures.curves(HISTORY, "toy"), tmp_path / "plain.png")
    with mpl.rc_context({"font.size": 30, "savefig.bbox": "tight", "axes.facecolor": "black"}):
        before = dict(mpl.rcParams)

        def draw(number: int) -> bytes:
            style.save(figures.curves(HISTORY, "toy"), tmp_path / f"{number}.png")
            return (tmp_path / f"{number}.png").read_bytes()

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(draw, range(5))) == {(tmp_path / "plain.png").read_bytes()}
        assert dict(mpl.rcParams) == before


def test_a_name_is_text_and_never_a_formula(judged: Evaluation, tmp_path: Path) -> None:
    named = Evaluation(judged.digits.named(r"$\frac{1}{$ of a very long path/to/digits.csv"), judged.probabilities)
    figure = figures.calibration(named)
    assert any("…" in text for text in texts(figure))
    drawn(figure, tmp_path)
    drawn(figures.sample_grid(judged.digits.named(r"$\frac{1}{$")), tmp_path)


def test_a_name_in_bytes_that_are_no_text_is_escaped(tmp_path: Path) -> None:
    figure = figures.curves(HISTORY, "r\udce9\x1b: how it learned")
    assert r"r\xe9\x1b: how it learned" in texts(figure)
    drawn(figure, tmp_path)


def test_a_home_that_cannot_be_written_to_is_nothing_to_speak_of() -> None:
    code = "from tenfold.learn import style; import logging; print(logging.getLogger('matplotlib').level)"
    places = ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in places} | {"HOME": "/dev/null"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
