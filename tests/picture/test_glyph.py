import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold import Digits
from tenfold.picture import glyph, ink, is_glyph
from tenfold.picture.glyph import _centred, box
from tenfold.picture.ink import Ink


@pytest.fixture(scope="module")
def digits() -> Digits:
    return tenfold.load("mnist", "test")[:100]


def bar(height: int, width: int, size: int = 100) -> Ink:
    strength = np.zeros((size, size), np.float32)
    strength[10 : 10 + height, 20 : 20 + width] = 1
    return Ink(strength, 1)


@pytest.mark.parametrize(("height", "width"), [(80, 12), (12, 70), (60, 60), (3, 3), (10, 6), (85, 40)])
def test_the_longer_side_becomes_20_pixels_and_the_middle_is_in_the_middle(height: int, width: int) -> None:
    found = glyph(bar(height, width))
    assert found.shape == (28, 28)
    assert found.dtype == np.uint8
    assert found.max() == 255
    x, y, w, h = box(found.astype(np.float32) / np.float32(255))
    assert max(w, h) in (20, 21)
    assert abs(w / h - width / height) < 0.2 * max(1, width / height)
    assert abs(x + w / 2 - 14.5) <= 1
    assert abs(y + h / 2 - 14.5) <= 1


def test_without_ink_a_glyph_is_black() -> None:
    assert not glyph(Ink(np.zeros((9, 9), np.float32), 1)).any()
    assert box(np.zeros((9, 9), np.float32)) is None


def test_nearly_all_digits_of_mnist_are_glyphs_already(digits: Digits) -> None:
    assert np.mean([is_glyph(image) for image in digits.images]) > 0.95
    assert not is_glyph(255 - digits.images[0])
    assert not is_glyph(np.zeros((28, 28), np.uint8))
    assert not is_glyph(np.zeros((20, 20), np.uint8))


@pytest.mark.parametrize("times", [3, 8, 15])
def test_an_enlarged_digit_comes_back_as_it_was(digits: Digits, times: int) -> None:
    """Mean absolute difference of a pixel, of 255; two different digits differ by 25 to 40."""
    differences = []
    for image in digits.images[:30]:
        large = np.asarray(Image.fromarray(image).resize((28 * times, 28 * times), Image.Resampling.BICUBIC))
        differences.append(np.abs(glyph(ink(255 - large)).astype(int) - image).mean())
    assert np.mean(differences) < 8


def test_a_hairline_does_not_fade() -> None:
    thin = np.zeros((400, 400), np.float32)
    thin[50:350, 200] = 1
    assert glyph(Ink(thin, 1)).max() > 200
    assert (glyph(Ink(thin, 1)) > 100).sum() >= 38, "two pixels wide, as the thinnest strokes of MNIST"


def test_where_a_digit_stands_does_not_matter(digits: Digits) -> None:
    page = np.zeros((90, 90), np.float32)
    page[5:33, 7:35] = digits.images[0] / 255
    moved = np.roll(page, (40, 33), axis=(0, 1))
    assert (glyph(Ink(page, 1)) == glyph(Ink(moved, 1))).all()


def enlarged(image: np.ndarray, times: int = 8, margin: tuple[int, int, int, int] = (40, 90, 110, 30)) -> np.ndarray:
    """A digit at several times its size, ink 1 on paper 0, with margins above, below, left and right."""
    size = (28 * times, 28 * times)
    large = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)) / 255
    return np.pad(large, (margin[:2], margin[2:]))


def tight(strength: np.ndarray) -> np.ndarray:
    rows, columns = (np.flatnonzero((strength > 0.25).any(axis)) for axis in (1, 0))
    return strength[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def across(strength: np.ndarray) -> np.ndarray:
    return np.add.outer(np.linspace(0, 0.4, strength.shape[0]), np.linspace(0, 0.6, strength.shape[1]))


def towards_corners(strength: np.ndarray) -> np.ndarray:
    return np.add.outer(*(np.linspace(-1, 1, n) ** 2 for n in strength.shape))


def noise(strength: np.ndarray, sigma: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, sigma, strength.shape)


CONDITIONS = {
    "small": lambda g: 255 - 255 * enlarged(g, 3, (9, 40, 20, 14)),
    "light on dark": lambda g: 255 * enlarged(g),
    "grey": lambda g: 200 - 140 * enlarged(g),
    "light from one side, more than the ink makes up": lambda g: 210 - 90 * enlarged(g) - 100 * across(enlarged(g)),
    "dark corners": lambda g: (220 - 150 * enlarged(g)) * (1 - 0.25 * towards_corners(enlarged(g))),
    "noise": lambda g: 220 - 180 * enlarged(g) + noise(enlarged(g), 5),
    "strong noise": lambda g: 220 - 180 * enlarged(g) + noise(enlarged(g), 15),
    "pencil": lambda g: 200 - 40 * enlarged(g) + noise(enlarged(g), 5),
    "two levels": lambda g: 255 - 255 * (enlarged(g) > 0.5),
    "cropped to the ink": lambda g: 255 - 255 * np.pad(tight(enlarged(g)), 2),
    "a large page": lambda g: 255 - 255 * enlarged(g, 8, (500, 200, 100, 900)),
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_digit_is_the_same_on_any_paper_in_any_light(digits: Digits, condition: str) -> None:
    """Mean absolute difference of a pixel, of 255, over 20 digits: 6 to 8 (15 if the centre is wrong by half a pixel)."""
    differences = []
    for image in digits.images[:20]:
        picture = np.clip(np.rint(CONDITIONS[condition](image)), 0, 255).astype(np.uint8)
        differences.append(np.abs(glyph(ink(picture)).astype(int) - image).mean())
    assert np.mean(differences) < 9
    assert max(differences) < 27


def test_a_round_digit_cut_out_along_its_ink_is_not_turned_inside_out(digits: Digits) -> None:
    """Two zeros: a surface can follow their arcs, so that their middle looks like the ink; under even light there is none."""
    for image in digits.images[[39, 94]]:
        picture = np.rint(CONDITIONS["cropped to the ink"](image)).astype(np.uint8)
        assert np.abs(glyph(ink(picture)).astype(int) - image).mean() < 25


def test_a_faint_line_is_found_in_noise(digits: Digits) -> None:
    """Six times the noise; without smoothing Otsu's threshold parts the noise of the paper in two, and nothing is found."""
    for image in digits.images[:30]:
        faint = 200 - 30 * enlarged(image) + noise(enlarged(image), 5)
        assert np.abs(glyph(ink(np.rint(faint).astype(np.uint8))).astype(int) - image).mean() < 27


def test_15_either_polarity_gives_the_same_glyph(digits: Digits) -> None:
    for image in digits.images[:20]:
        for condition in ("grey", "dark corners", "noise", "cropped to the ink"):
            picture = np.clip(np.rint(CONDITIONS[condition](image)), 0, 255).astype(np.uint8)
            one, other = glyph(ink(picture)), glyph(ink(255 - picture))
            assert np.abs(one.astype(int) - other).mean() < 1


def test_the_centre_of_mass_lies_where_mnist_has_it(digits: Digits) -> None:
    """Each digit, cut to its ink and centred again, is back at its very pixel: the middle is pixel 14, rounded."""
    for image in digits.images:
        rows, columns = (np.flatnonzero(image.any(axis)) for axis in (1, 0))
        cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert (_centred(cut.astype(np.float32) / np.float32(255)) == image).all()


@pytest.mark.parametrize(("width", "height"), [(60, 1), (1, 60), (300, 1), (1000, 3)])
def test_a_line_keeps_its_direction(width: int, height: int) -> None:
    found = glyph(bar(height, width, size=1100))
    w, h = box(found / 255)[2:]
    assert max(w, h) in (20, 21)
    assert (w > 4 * h) == (width > height)


@pytest.mark.parametrize(
    ("width", "profile"), [(6, (255, 255, 0)), (8, (255, 255, 0)), (10, (255, 255, 0)), (12, (255, 255, 102))]
)
def test_a_stroke_thinner_than_two_pixels_is_widened_to_two(width: int, profile: tuple[int, int, int]) -> None:
    """The edge of a square of 100x100, of which a fifth is kept: from outside to inside."""
    square = np.ones((100, 100), np.float32)
    square[width:-width, width:-width] = 0
    found = glyph(Ink(square, 1))
    assert tuple(found[14, 4:7]) == tuple(found[14, 23:20:-1]) == tuple(found[4:7, 14]) == profile


@pytest.mark.parametrize("stands", [True, False])
def test_a_line_too_faint_to_be_measured_is_not_widened(stands: bool) -> None:
    line = np.full((100, 1), 0.4, np.float32)
    found = glyph(Ink(line if stands else line.T, 1))
    assert box(found / 255)[2:] == ((1, 20) if stands else (20, 1))


@pytest.mark.parametrize("turns", range(4))
def test_what_has_most_ink_at_one_end_stays_inside(turns: int) -> None:
    """A bar across the end of a stem: its centre of mass comes as near to the middle as fits."""
    stem = np.zeros((20, 20), np.float32)
    stem[:, 9:11] = 1
    stem[:5] = 1
    turned = np.rot90(stem, turns)
    x, y = {0: (4, 8), 1: (8, 4), 2: (4, 0), 3: (0, 4)}[turns]
    expected = np.zeros((28, 28), np.uint8)
    expected[y : y + 20, x : x + 20] = 255 * turned
    assert (glyph(Ink(turned, 1)) == expected).all()


def test_noise_does_not_widen_strokes(digits: Digits) -> None:
    """Where the width of strokes was measured along their middle, every speck counted as a stroke."""
    clean, noisy = (
        np.mean([glyph(ink(np.clip(CONDITIONS[c](image), 0, 255).astype(np.uint8))).mean() for image in digits.images[:20]])
        for c in ("grey", "strong noise")
    )
    assert noisy < 1.1 * clean


def ring(height: int, width: int, thickness: float) -> np.ndarray:
    """A leaning ellipse, ink 1 on paper 0."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.clip((thickness - np.abs(np.hypot(1.3 * x + 0.1 * y, y) - 0.6)) * 30, 0, 1)


@pytest.mark.parametrize(
    ("strength", "mean", "deviation", "middle"),
    [
        (ring(200, 160, 0.015), 26.5, 69.4, (14.0, 14.5)),
        (ring(130, 90, 0.2), 40.1, 87.4, (14.0, 13.5)),
        (ring(16, 12, 0.2), 35.1, 79.4, (14.5, 13.5)),
        (np.pad(ring(60, 80, 0.1), ((50, 5), (4, 40))), 41.7, 86.5, (13.5, 14.0)),
        (np.pad(np.ones((70, 3)), 5), 12.9, 55.7, (14.5, 13.5)),
    ],
    ids=["hairline", "thick", "small", "off the middle", "bar"],
)
def test_glyphs_are_as_they_were(strength: np.ndarray, mean: float, deviation: float, middle: tuple[float, float]) -> None:
    """The networks were trained and measured on such glyphs; whoever changes them has to do both again."""
    found = glyph(Ink(strength.astype(np.float32), 1)).astype(float)
    assert (found.mean(), found.std()) == pytest.approx((mean, deviation), abs=0.3)
    centre = (found.sum(0) @ np.arange(28), found.sum(1) @ np.arange(28)) / found.sum()
    assert centre == pytest.approx(middle, abs=0.05)
    assert is_glyph(found.astype(np.uint8))


@pytest.mark.parametrize(
    ("rows", "columns", "is_one"),
    [
        ((4, 23), (13, 15), True),  # 19 long, a pixel above the middle
        ((4, 25), (13, 15), True),
        ((3, 25), (13, 15), False),  # 22 long
        ((5, 23), (13, 15), False),  # 18
        ((5, 24), (12, 14), False),  # one and a half pixels to the left
        ((3, 23), (13, 15), False),
    ],
)
def test_a_glyph_may_be_a_pixel_longer_or_shorter_or_off(rows: tuple[int, int], columns: tuple[int, int], is_one: bool) -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[slice(*rows), slice(*columns)] = 255
    assert is_glyph(pixels) is is_one
    assert is_glyph(pixels.T.copy()) is is_one


@pytest.mark.parametrize(("haze", "is_one"), [(63, True), (64, False)])
def test_haze_under_a_quarter_does_not_make_a_glyph_longer(haze: int, is_one: bool) -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[2:26, 13:15] = haze
    pixels[4:24, 13:15] = 255
    assert is_glyph(pixels) is is_one


def test_a_digit_off_its_place_or_size_is_no_glyph(digits: Digits) -> None:
    image = digits.images[0]
    assert not is_glyph(np.roll(image, 3, axis=0))
    assert not is_glyph(np.roll(image, -3, axis=1))
    small = np.asarray(Image.fromarray(image).resize((20, 20), Image.Resampling.BOX))
    assert not is_glyph(np.pad(small, 4))
