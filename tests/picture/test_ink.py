import numpy as np
import pytest

from tenfold.picture import Ink, grey, has_dark_rim, ink, inks, main_part
from tenfold.picture.ink import _calmed, _without_specks, otsu


def page(height: int = 120, width: int = 100) -> np.ndarray:
    """Light paper with a dark, vertical stroke."""
    pixels = np.full((height, width), 220, np.uint8)
    pixels[30:90, 45:53] = 40
    return pixels


def stroke(height: int = 120, width: int = 100) -> np.ndarray:
    return page(height, width) < 100


def test_ink_is_where_the_pen_went() -> None:
    found = ink(page())
    assert found.scale == 1
    assert found.strength.dtype == np.float32
    assert ((found.strength > 0.5) == stroke()).all()


def test_15_polarity_does_not_matter() -> None:
    one, other = ink(page()).strength, ink(255 - page()).strength
    assert np.abs(one - other).max() < 0.02


def test_light_may_fall_unevenly() -> None:
    y, x = np.mgrid[:120, :100]
    shaded = page() * (1 - 0.004 * x - 0.002 * y)
    assert ((ink(shaded.astype(np.uint8)).strength > 0.5) == stroke()).mean() > 0.995


def test_noise_of_the_paper_is_no_ink() -> None:
    noisy = page() + np.random.default_rng(0).normal(0, 6, (120, 100))
    found = ink(np.clip(noisy, 0, 255).astype(np.uint8)).strength > 0.5
    assert (found == stroke()).mean() > 0.99
    assert not found[:, :35].any()


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (28, 28), (200, 150)])
def test_13_uniform_paper_has_no_ink(value: int, shape: tuple[int, int]) -> None:
    assert not ink(np.full(shape, value, np.uint8)).strength.any()


def test_faint_noise_alone_is_no_ink() -> None:
    assert not ink(np.random.default_rng(0).integers(200, 214, (80, 80), np.uint8)).strength.any()


@pytest.mark.parametrize("contrast", [15, 16])
def test_ink_is_at_least_16_darker_than_its_paper(contrast: int) -> None:
    pixels = np.full((120, 100), 200, np.uint8)
    pixels[30:90, 45:53] -= contrast
    assert ((ink(pixels).strength > 0.5) == (stroke() & (contrast >= 16))).all()


def test_a_speck_beside_a_digit_is_dropped() -> None:
    pixels = page()
    pixels[5:7, 5:7] = 40
    assert not ink(pixels).strength[:20, :20].any()


@pytest.mark.parametrize(("shape", "reach"), [((100, 100), 1), ((300, 300), 3), ((100, 300), 3)])
def test_haze_is_ink_only_beside_strokes(shape: tuple[int, int], reach: int) -> None:
    """The soft edge of a stroke is its own; specks of less than a fiftieth of the largest piece go, with theirs."""
    strength = np.full(shape, 0.3, np.float32)
    strength[40:60, 45:55] = 1
    strength[80, 80:84] = 1
    strength[80, 10:13] = 1
    kept = np.zeros(shape, bool)
    kept[40 - reach : 60 + reach, 45 - reach : 55 + reach] = True
    kept[80 - reach : 81 + reach, 80 - reach : 84 + reach] = True
    assert (_without_specks(strength) == np.where(kept, strength, 0)).all()


def test_a_tiny_stroke_has_no_more_haze_than_another() -> None:
    strength = np.full((20, 20), 0.3, np.float32)
    strength[8:12, 8:12] = 1
    assert (_without_specks(strength) > 0).sum() == 6 * 6


def test_what_is_too_narrow_to_smooth_stays_as_it_is() -> None:
    noise = np.random.default_rng(0).uniform(0, 255, (3, 100)).astype(np.float32)
    assert (_calmed(noise[:2]) == noise[:2]).all()
    assert (_calmed(noise[:, :2]) == noise[:, :2]).all()
    assert np.ptp(_calmed(noise)) < 0.8 * np.ptp(noise)


@pytest.mark.parametrize(("sigma", "smoothed"), [(2, False), (3.2, True)])
def test_only_what_is_noisy_is_smoothed(sigma: float, smoothed: bool) -> None:
    """A line of one pixel stays one, or is spread to its neighbours."""
    line = np.full((100, 100), 220.0)
    line[20:80, 50] = 60
    noisy = line + np.random.default_rng(0).normal(0, sigma, line.shape)
    beside = ink(np.rint(noisy).astype(np.uint8)).strength[22:78, [49, 51]].mean()
    assert beside > 0.5 if smoothed else beside < 0.1


def test_colour_is_read_by_its_lightness() -> None:
    colour = np.repeat(page()[..., None], 3, axis=2)
    colour[stroke()] = (20, 30, 160)
    assert ((ink(colour).strength > 0.5) == stroke()).all()


@pytest.mark.parametrize("noise", [0, 5])
@pytest.mark.parametrize(
    ("pen", "paper"), [((200, 0, 0), (0, 102, 0)), ((60, 60, 255), (200, 40, 20)), ((0, 102, 0), (200, 0, 0))]
)
def test_ink_as_bright_as_its_paper_is_read_by_its_colour(pen: tuple, paper: tuple, noise: int) -> None:
    random = np.random.default_rng(0)
    pixels = np.full((60, 40, 3), paper, np.float64)
    pixels[10:50, 17:23] = pen
    seen = grey(np.clip(pixels + random.normal(0, noise, (60, 40, 1)), 0, 255).astype(np.uint8))
    assert abs(seen[10:50, 17:23].mean() - seen[:, :10].mean()) > 100
    assert seen.min() >= 0
    assert seen.max() <= 255.01


def test_a_grey_hair_on_coloured_paper_is_read_by_its_lightness() -> None:
    pixels = np.zeros((60, 40, 3), np.uint8)
    pixels[:] = (230, 180, 60)
    pixels[:30] = (120, 220, 220)  # two colours, nearly as bright
    pixels[:, 20] = 60
    assert (grey(pixels) == pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)).all()


def test_the_lightness_of_colours_is_that_of_the_eye() -> None:
    pure = np.array([[(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 200)]], np.uint8)
    assert grey(pure)[0].tolist() == pytest.approx([59.8, 117.4, 22.8, 200], abs=0.01)


@pytest.mark.parametrize(("shape", "scale"), [((8, 1024), 1), ((8, 1025), 2), ((2049, 8), 3)])
def test_the_longer_side_says_how_much_a_picture_is_reduced(shape: tuple[int, int], scale: int) -> None:
    found = ink(np.zeros(shape, np.uint8))
    assert found.scale == scale
    assert found.strength.shape == tuple(-(-n // scale) for n in shape)


def test_large_pictures_are_reduced_by_a_whole_factor() -> None:
    found = ink(np.kron(page(), np.ones((20, 20), np.uint8)))
    assert found.scale == 3
    assert found.strength.shape == (800, 667)


def test_otsu_parts_two_levels_in_their_middle() -> None:
    values = np.array([10.0] * 30 + [200.0] * 5, np.float32)
    assert otsu(values) == pytest.approx(105, abs=0.01)
    assert otsu(values - 60) == pytest.approx(45, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_no_threshold_parts_better_than_otsus(seed: int) -> None:
    """All thresholds tried; the histogram's bins may cost a little."""
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(m, s, n) for m, s, n in [(20, 5, 300), (60, 20, 80), (220, 9, 40)][: 2 + seed % 2]])

    def apart(threshold: float) -> float:
        below = values < threshold
        return below.mean() * (1 - below.mean()) * (values[below].mean() - values[~below].mean()) ** 2

    assert apart(otsu(values.astype(np.float32))) > 0.9995 * max(apart(value) for value in np.sort(values)[1:])


def test_a_glyph_has_a_dark_rim_and_paper_has_not() -> None:
    assert has_dark_rim(np.zeros((28, 28), np.uint8))
    assert not has_dark_rim(page())
    assert has_dark_rim(np.full((28, 28), 63, np.uint8))
    assert not has_dark_rim(np.full((28, 28), 64, np.uint8))
    framed = np.full((28, 28), 255, np.uint8)
    framed[:, 0] = framed[:, -1] = framed[0, :10] = 0
    assert has_dark_rim(framed), "the outermost pixels, and most of them, not all"


def test_a_thin_frame_does_not_turn_a_picture_round() -> None:
    """All of the outermost pixels are dark; a rim is wider than that."""
    framed = page()
    framed[[0, -1]] = framed[:, [0, -1]] = 40
    found = ink(framed).strength > 0.5
    assert (found == (framed == 40)).all()


def test_13_light_that_falls_off_evenly_to_the_last_bit_has_no_ink() -> None:
    assert not ink(np.tile(np.arange(60, 220, dtype=np.uint8), (50, 1))).strength.any()


def test_ink_never_fails_and_stays_within_0_and_1() -> None:
    rng = np.random.default_rng(0)
    for shape in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 10_000), (10_000, 1), (28, 28), (50, 70), (5, 5, 3)]:
        for low, high in [(0, 256), (100, 130), (250, 256)]:
            strength = ink(rng.integers(low, high, shape).astype(np.uint8)).strength
            assert np.isfinite(strength).all()
            assert strength.min() >= 0
            assert strength.max() <= 1


def test_ink_may_cover_half_of_a_picture() -> None:
    """A digit cut out along its ink: the paper still reaches more of the rim."""
    y, x = np.mgrid[:100, :80]
    ring = np.abs(np.hypot((x - 39.5) / 40, (y - 49.5) / 50) - 0.7) < 0.3
    pixels = np.where(ring, 30, 230).astype(np.uint8)
    for picture in (pixels, 255 - pixels):
        assert ((ink(picture).strength > 0.5) == ring).mean() > 0.99


@pytest.mark.parametrize("inverted", [False, True])
def test_a_lighter_stroke_than_the_light_varies_is_found(inverted: bool) -> None:
    """Paper that darkens by 110 towards its corners, a stroke of 60."""
    y, x = np.mgrid[-1:1:120j, -1:1:100j]
    pixels = (220 - 55 * (x * x + y * y) - 60 * stroke()).astype(np.uint8)
    found = ink(255 - pixels if inverted else pixels).strength > 0.5
    assert (found == stroke()).mean() > 0.995


@pytest.mark.parametrize("sigma", [3, 8, 20])
def test_13_noisy_paper_has_no_ink(sigma: float) -> None:
    noisy = 128 + np.random.default_rng(0).normal(0, sigma, (150, 200))
    assert not ink(np.clip(noisy, 0, 255).astype(np.uint8)).strength.any()


def test_13_paper_that_darkens_to_one_side_has_no_ink() -> None:
    assert not ink(np.tile(np.linspace(90, 220, 200).astype(np.uint8), (150, 1))).strength.any()


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [5.0, 5.0001], [5.0, 5.5], [0.0, 255.0]])
def test_otsu_has_a_threshold_for_anything(values: list[float]) -> None:
    """Where nothing can be parted, nothing lies at or above it."""
    found = otsu(np.array(values, np.float32))
    assert np.isfinite(found)
    assert (np.array(values) >= found).sum() == (1 if np.ptp(values) > 0.1 else 0)


def test_what_the_rim_cuts_off_is_dropped_and_the_middle_stays() -> None:
    page = np.full((100, 100), 230, np.uint8)
    page[25:75, 45:55] = 30
    page[40:80, :8] = 30  # a stroke of a neighbour
    page[:6, 60:] = 30
    kept = main_part(ink(page)).strength
    assert kept[30:70, 47:53].min() > 0.9
    assert kept[:, :9].max() == 0
    assert kept[:7].max() == 0


def strokes(*places: tuple[int, int, int, int]) -> Ink:
    """Strokes in a picture of 100x100, each from row to row and from column to column."""
    strength = np.zeros((100, 100), np.float32)
    for top, bottom, left, right in places:
        strength[top:bottom, left:right] = 1
    return Ink(strength, 1)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(
    ("other", "what_stays"),
    [
        ((20, 80, 0, 10), "one"),  # larger than the digit but at the rim
        ((20, 80, 0, 20), "both"),  # six times as large
        ((10, 90, 0, 40), "both"),  # reaches from the rim far into the picture: it is the digit
        ((20, 80, 1, 11), "both"),  # not cut off
        ((0, 3, 0, 3), "one"),
    ],
)
def test_where_the_digit_is_decides_what_is_cut_off(other: tuple[int, int, int, int], what_stays: str, turns: int) -> None:
    one, both = strokes((40, 60, 45, 55)), strokes((40, 60, 45, 55), other)
    found = main_part(Ink(np.rot90(both.strength, turns), 3))
    assert (found.strength == np.rot90({"one": one, "both": both}[what_stays].strength, turns)).all()
    assert found.strength.dtype == np.float32
    assert found.scale == 3


def test_the_haze_around_what_is_cut_off_goes_with_it() -> None:
    """And no more than one pixel of it: what lies further away may be the digit's."""
    picture = strokes((40, 60, 45, 55), (20, 80, 0, 10))
    picture.strength[50, 10:30] = 0.3
    kept = main_part(picture).strength[50, :30]
    assert (kept[:11] == 0).all()
    assert (kept[11:30] == np.float32(0.3)).all()


def test_a_digit_that_fills_the_picture_stays_whole() -> None:
    page = np.full((60, 40), 230, np.uint8)
    page[:, 15:25] = 30
    page[:10, 5:35] = 30
    found = ink(page)
    assert (main_part(found).strength == found.strength).all()


def test_both_ways_round_are_given_only_where_both_are_possible() -> None:
    page = np.full((100, 100), 230, np.uint8)
    page[25:75, 45:55] = 30
    assert len(inks(page)) == 1
    filled = np.zeros((16, 16), np.uint8)
    filled[:, 5:12] = 255
    one, other = inks(filled)
    assert one.strength[8, 8] != other.strength[8, 8]
    assert (ink(filled).strength == one.strength).all()


@pytest.mark.parametrize(("side", "n_ways"), [(60, 1), (80, 2)])
def test_which_way_round_is_unsure_where_ink_covers_over_half_of_a_picture(side: int, n_ways: int) -> None:
    filled = strokes((10, 10 + side, 10, 10 + side)).strength
    for picture in (230 - 200 * filled, 30 + 200 * filled):
        found = inks(picture.astype(np.uint8))
        assert len(found) == n_ways


def ring(height: int, width: int, thickness: float) -> np.ndarray:
    """A leaning ellipse, ink 1 on paper 0."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.clip((thickness - np.abs(np.hypot(1.3 * x + 0.1 * y, y) - 0.6)) * 30, 0, 1)


def slope(height: int = 84, width: int = 112) -> np.ndarray:
    """Light from one side that fades to the edges."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return -40 * x - 25 * y * x - 30 * y * y


@pytest.mark.parametrize(
    ("seen", "percent", "middle"),
    [
        (190 - 80 * ring(84, 112, 0.08) + slope(), 9.05, 49.55),
        (200 - 60 * ring(84, 112, 0.08) + np.random.default_rng(0).normal(0, 8, (84, 112)), 9.29, 49.50),
        (210 - 140 * ring(1100, 1400, 0.08) + slope(1100, 1400), 9.22, 49.93),
        (255 - 255 * ring(84, 112, 0.3)[17:67, 26:86], 19.54, 49.17),
    ],
    ids=["sloped light", "noise", "large", "cropped to the ink"],
)
def test_ink_is_as_it_was(seen: np.ndarray, percent: float, middle: float) -> None:
    """The networks were measured on such ink; whoever changes it has to measure them again. In percent."""
    found = ink(np.clip(np.rint(seen), 0, 255).astype(np.uint8)).strength
    assert 100 * found.mean() == pytest.approx(percent, abs=0.05)
    assert 100 * (found.sum(axis=0) @ np.arange(found.shape[1])) / found.sum() / found.shape[1] == pytest.approx(
        middle, abs=0.1
    )
