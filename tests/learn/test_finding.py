"""What the finder learns from and how: targets in their cells, one small training that sees a digit, the same in ONNX."""

import re

import numpy as np
import pytest

import tenfold
from tenfold.learn import backend, exporting, finding
from tenfold.learn.composing import Composer
from tenfold.read.finder import CHANNELS, STRIDE, TYPICAL, Finder


def test_the_cells_in_the_middle_of_a_digit_answer_for_it() -> None:
    made = finding.targets(np.array([[100, 40, 12, 24]], np.float32), np.array([7]))
    rows, columns = np.nonzero(made[..., 0] == 7)
    assert len(rows) >= 1
    assert (np.abs(columns * STRIDE + STRIDE / 2 - 106) <= 6).all()
    assert (np.abs(rows * STRIDE + STRIDE / 2 - 52) <= 6).all()
    dx, dy, log_width, log_height = made[rows[0], columns[0], 2:].astype(float)
    assert columns[0] * STRIDE + STRIDE / 2 + dx * TYPICAL == pytest.approx(106, abs=0.1)
    assert rows[0] * STRIDE + STRIDE / 2 + dy * TYPICAL == pytest.approx(52, abs=0.1)
    assert np.exp([log_width, log_height]) * TYPICAL == pytest.approx([12, 24], rel=0.01)
    assert (made[..., 0] != 7).sum() == (made[..., 0] == 10).sum()
    assert made[0, 0, 1] == 1  # far away: paper, and it counts
    assert (made[..., 1] == 0).any()  # around the middle: neither


@pytest.mark.parametrize(("box", "label"), [((100, 40, 12, 24), -1), ((100, 20, 60, 80), 3), ((100, 40, 4, 7), 3)])
def test_cut_digits_and_those_of_other_sizes_are_nobodys(box: tuple[int, ...], label: int) -> None:
    made = finding.targets(np.array([box], np.float32), np.array([label]))
    assert (made[..., 0] == 10).all()
    assert ((made[..., 1] == 0).any()) == (label == -1)


def test_examples_repeat_and_hold_digits() -> None:
    composer = Composer(tenfold.load("mnist", "train")[:1000])
    made = [finding.example(composer, np.random.default_rng([1, k])) for k in range(12)]
    again = finding.example(composer, np.random.default_rng([1, 3]))
    assert (made[3][0] == again[0]).all()
    assert (made[3][1] == again[1]).all()
    assert all(contrast.shape == finding.PATCH for contrast, _ in made)
    assert sum((target[..., 0] < 10).any() for _, target in made) >= 6


def test_parts_of_a_stream_are_the_examples_in_order() -> None:
    digits = tenfold.load("mnist", "train")[:500]
    parts = list(finding.stream(digits, [], n_parts=2, n=3, seed=4, processes=1))
    again = finding.example(Composer(digits), np.random.default_rng([4, 5]))
    assert [len(part.contrasts) for part in parts] == [3, 3]
    assert (parts[1].contrasts[2] == again[0]).all()
    assert (parts[1].targets[2] == again[1]).all()


def test_it_learns_and_onnx_answers_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Eight patches for a few epochs: the loss falls to a fraction; the exported network agrees with Keras."""
    composer = Composer(tenfold.load("mnist", "train")[:1000])
    made = [finding.example(composer, np.random.default_rng([2, k])) for k in range(8)]
    some = finding.Examples(*(np.stack(arrays) for arrays in zip(*made, strict=True)))
    model = finding.train([some], n_steps=12, epochs=6, batch_size=4)
    losses = [float(told) for told in re.findall(r"loss: ([\d.]+)", capsys.readouterr().out)]
    assert len(losses) == 6
    assert losses[-1] < 0.5 * losses[0]
    content = exporting.finder_to_onnx(model, {"joint": {}})
    contrast = some.contrasts[:1].astype(np.float32)
    keras_cells = np.asarray(backend.load_keras().ops.convert_to_numpy(model(contrast[..., None])))[0]
    session = Finder(content)._session
    cells = session.run(["cells"], {"contrast": contrast[:, None]})[0][0]
    assert cells.shape == (CHANNELS, 24, 64)
    np.testing.assert_allclose(cells.transpose(1, 2, 0), keras_cells, atol=0.03)  # weights are kept as float16
    assert content == exporting.finder_to_onnx(model, {"joint": {}})


def test_a_page_seen_at_another_size_has_boxes_to_match() -> None:
    page = Composer(tenfold.load("mnist", "train")[:1000]).page(np.random.default_rng(3), 48, 128, 14.0)
    doubled = finding._resized(page, 2)
    assert doubled.picture.shape == (96, 256)
    assert doubled.picture.dtype == np.uint8
    assert (doubled.boxes == 2 * page.boxes).all()
    assert np.abs(doubled.picture[::2, ::2].astype(float) - page.picture).mean() < 12
    assert finding._resized(page, 1) is page


def test_pages_with_large_digits_are_seen_from_afar_and_no_others() -> None:
    page = Composer(tenfold.load("mnist", "train")[:1000]).line(np.random.default_rng(3), 4, 80.0, cut=False)
    far = finding._reduced(page, 20.0)
    assert np.median(far.boxes[:, 3]) == pytest.approx(20, abs=1)
    assert far.picture.shape[0] == pytest.approx(page.picture.shape[0] * 20 / np.median(page.boxes[:, 3]), abs=1)
    assert finding._reduced(page, 200.0) is page
    nothing = page._replace(boxes=page.boxes[:0], labels=page.labels[:0], rows=page.rows[:0])
    assert finding._reduced(nothing, 20.0) is nothing


def test_all_kinds_of_pages_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    made = dict.fromkeys(("page", "line", "words", "alone", "signed"), 0)

    def counting(kind: str) -> None:
        make = getattr(Composer, kind)

        def noting(self: Composer, *arguments: object) -> object:
            made[kind] += 1
            assert self._varied
            return make(self, *arguments)

        monkeypatch.setattr(Composer, kind, noting)

    for kind in made:
        counting(kind)
    composer = Composer(tenfold.load("mnist", "train")[:1000])
    for k in range(60):
        finding.example(composer, np.random.default_rng([6, k]))
    assert all(made.values())
    assert sum(made.values()) == 60
