import numpy as np
import pytest

import tenfold
from tenfold.learn import clutter, composing, marks
from tenfold.learn.composing import Composer
from tenfold.learn.sheets import Page
from tenfold.learn.typeset import Type

pytestmark = pytest.mark.one_backend


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer(tenfold.load("mnist", "train")[:2000], clutter.packaged_fonts())


def whole(composer: Composer, seed: int) -> Page:
    return composer.page(np.random.default_rng(seed), 200, 300, 32, cut=False)


def test_digits_lie_inside_the_page_row_by_row_from_left_to_right(composer: Composer) -> None:
    for seed in range(20):
        page = whole(composer, seed)
        assert page.picture.shape == (200, 300)
        assert page.picture.dtype == np.uint8
        assert len(page.boxes) == len(page.labels) == len(page.rows)
        assert set(page.labels) <= set(range(10))
        assert (page.boxes >= 0).all()
        assert (page.boxes[:, :2] + page.boxes[:, 2:] <= (300, 200)).all()
        assert (np.diff(page.rows) >= 0).all()
        for row in np.unique(page.rows):
            assert (np.diff(page.boxes[page.rows == row, 0]) > 0).all()
        assert page.text.replace("\n", "") == "".join(map(str, page.labels))


def test_a_digit_that_the_rim_cuts_has_no_label_unless_little_is_cut(composer: Composer) -> None:
    pages = [composer.page(np.random.default_rng(seed), 60, 100, 40) for seed in range(30)]
    labels = np.concatenate([page.labels for page in pages])
    assert 0.1 < (labels == -1).mean() < 0.9


def test_digits_are_about_as_high_as_asked(composer: Composer) -> None:
    heights = np.concatenate([whole(composer, seed).boxes[:, 3] for seed in range(20)])
    assert 26 < np.median(heights) < 36


def test_the_same_numbers_give_the_same_page(composer: Composer) -> None:
    one, same = whole(composer, 5), whole(composer, 5)
    assert (one.picture == same.picture).all()
    assert (one.boxes == same.boxes).all()
    assert not (whole(composer, 6).picture == one.picture).all()


def test_a_picture_of_words_has_ink_and_no_digit(composer: Composer) -> None:
    pages = [composer.words(np.random.default_rng(seed)) for seed in range(30)]
    assert all(page.text == "" and not len(page.boxes) for page in pages)
    inked = [(page.picture < np.median(page.picture) - 20).mean() for page in pages]
    assert np.median(inked) > 0.02
    assert (composer.words(np.random.default_rng(3)).picture == pages[3].picture).all()
    assert Composer(tenfold.load("mnist", "test")).words(np.random.default_rng(1)).picture.std() > 1, "by hand, without fonts"


def test_some_numbers_are_printed_in_one_line_and_alike(composer: Composer, monkeypatch: pytest.MonkeyPatch) -> None:
    types: list[Type | None] = []
    digit = Type.digit

    def noting(self: Type, label: int, height: float) -> np.ndarray:
        types.append(self)
        return digit(self, label, height)

    monkeypatch.setattr(Type, "digit", noting)
    n_digits = sum(len(whole(composer, seed).labels) for seed in range(60))
    assert 0.03 * n_digits < len(types) < 0.3 * n_digits
    assert len(set(types)) > 5
    types.clear()
    written = Composer(tenfold.load("mnist", "test"), clutter.packaged_fonts(), printed=0.0)
    assert sum(len(whole(written, seed).labels) for seed in range(20)) > 100
    assert not types
    printer = Composer(tenfold.load("mnist", "test"), clutter.packaged_fonts(), printed=1.0)
    for seed in range(10):
        page = printer.line(np.random.default_rng(seed), 5, 40, cut=False)
        ends = page.boxes[:, 1] + page.boxes[:, 3]
        slope = np.polyfit(page.boxes[:, 0], ends, 1)
        assert np.abs(ends - np.polyval(slope, page.boxes[:, 0])).max() < 2.5
        assert np.ptp(page.boxes[:, 3]) < 2


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The signs that are drawn and the strength of their ink."""
    signs: list[tuple[str, int]] = []
    mark = marks.mark

    def noting(ink: np.ndarray, kind: str, *others: float) -> float:
        signs.append((kind, int(others[-1])))
        return mark(ink, kind, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(marks, "mark", noting)
    return signs


def test_all_signs_stand_beside_numbers_in_the_ink_of_these(composer: Composer, drawn: list[tuple[str, int]]) -> None:
    for seed in range(150):
        whole(composer, seed)
    assert {kind for kind, _ in drawn} == set(marks.SHARES)
    pale = np.mean([strength < 255 for _, strength in drawn])
    assert 0.03 < pale < 0.3, "beside numbers in print"
    drawn.clear()
    written = Composer(tenfold.load("mnist", "test"), clutter.packaged_fonts(), printed=0.0)
    for seed in range(100):
        whole(written, seed)
    assert {strength for _, strength in drawn} == {255}


def test_what_is_opened_before_a_number_is_closed_after_it(
    composer: Composer, drawn: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composing, "_ENCLOSED", 1.0)
    for seed in range(20):
        drawn.clear()
        composer.line(np.random.default_rng(seed), 4, 40, cut=False)
        opening, closing = drawn[0][0], drawn[-1][0]
        assert (opening, closing) in marks.ENCLOSING


def test_without_fonts_all_is_written() -> None:
    page = whole(Composer(tenfold.load("mnist", "test")), 1)
    assert len(page.labels)


def test_where_a_digit_is_the_paper_is_darker(composer: Composer) -> None:
    darker = []
    for seed in range(30):
        page = composer.line(np.random.default_rng(seed), 3, 40)
        for x, y, width, height in page.boxes.astype(int):
            around = page.picture[:, max(0, x - width) : x + 2 * width]
            darker.append(np.median(around) - page.picture[y : y + height, x : x + width].min() > 10)
    assert np.mean(darker) > 0.9


def test_a_line_has_so_many_digits_and_no_more_room_than_they_need(composer: Composer) -> None:
    for n in (1, 4, 9):
        page = composer.line(np.random.default_rng(1), n, 30)
        assert len(page.labels) == n
        assert page.picture.shape[0] <= 66
        assert page.picture.shape[1] < (n + 2) * 90


def test_a_drawing_has_ink_and_no_digit(composer: Composer) -> None:
    for seed in range(10):
        page = composer.drawing(np.random.default_rng(seed))
        assert page.text == ""
        assert page.boxes.shape == (0, 4)
        assert 60 <= page.picture.shape[0] <= 400
        assert np.ptp(page.picture) > 20
    again = composer.drawing(np.random.default_rng(9))
    assert (again.picture == page.picture).all()


def test_digits_alone_are_whole_and_half_of_the_pictures_end_at_their_ink(composer: Composer) -> None:
    pages = [composer.alone(np.random.default_rng([7, k])) for k in range(40)]
    closely = 0
    for page in pages:
        height, width = page.picture.shape
        assert 0 <= len(page.labels) <= 3
        assert (page.boxes[:, :2] >= 0).all()
        assert (page.boxes[:, :2] + page.boxes[:, 2:] <= (width + 1, height + 1)).all()
        closely += len(page.boxes) > 0 and page.boxes[:, 3].max() > 0.7 * height
    assert 10 <= closely <= 34


def test_numbers_among_signs_hold_digits_and_ink_that_is_none(composer: Composer) -> None:
    pages = [composer.signed(np.random.default_rng([8, k])) for k in range(20)]
    assert sum(len(page.labels) for page in pages) > 60
    assert len({len(page.picture) for page in pages}) > 10
    for page in pages:
        assert (np.sort(page.boxes[:, 0]) == page.boxes[:, 0]).all()
        assert set(page.rows.tolist()) <= {0}
        assert page.text.isdigit()


def test_varied_pages_have_other_forms_and_as_many_digits(composer: Composer) -> None:
    pages, varied = ([whole(some, seed) for seed in range(15)] for some in (composer, composer.varied()))
    assert any((one.picture != other.picture).any() for one, other in zip(pages, varied, strict=True))
    assert 0.7 < sum(len(page.labels) for page in varied) / sum(len(page.labels) for page in pages) < 1.4


def test_now_and_then_there_is_a_picture_of_another_kind(composer: Composer, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for kind in ("words", "drawing"):
        monkeypatch.setattr(composer, kind, lambda random, kind=kind: made.append(kind) or whole(composer, 1))
    given = [composer.now_and_then({"words": 0.3, "drawing": 0.1}, np.random.default_rng([9, k])) for k in range(200)]
    assert 40 <= made.count("words") <= 80
    assert 8 <= made.count("drawing") <= 35
    assert sum(page is not None for page in given) == len(made)
