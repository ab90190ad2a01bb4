import numpy as np
import pytest

from tenfold.picture import has_dark_rim, ink, inks, main_part
from tenfold.picture.ink import otsu


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


def test_a_speck_beside_a_digit_is_dropped() -> None:
    pixels = page()
    pixels[5:7, 5:7] = 40
    assert not ink(pixels).strength[:20, :20].any()


def test_colour_is_read_by_its_lightness() -> None:
    colour = np.repeat(page()[..., None], 3, axis=2)
    colour[stroke()] = (20, 30, 160)
    assert ((ink(colour).strength > 0.5) == stroke()).all()


def test_large_pictures_are_reduced_by_a_whole_factor() -> None:
    found = ink(np.kron(page(), np.ones((20, 20), np.uint8)))
    assert found.scale == 3
    assert found.strength.shape == (800, 667)


def test_otsu_parts_two_levels_in_their_middle() -> None:
    values = np.array([10.0] * 30 + [200.0] * 5, np.float32)
    assert otsu(values) == pytest.approx(105, abs=5)


def test_a_glyph_has_a_dark_rim_and_paper_has_not() -> None:
    assert has_dark_rim(np.zeros((28, 28), np.uint8))
    assert not has_dark_rim(page())


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


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [5.0, 5.0001], [0.0, 255.0]])
def test_otsu_has_a_threshold_for_anything(values: list[float]) -> None:
    """Where nothing can be parted, nothing lies at or above it."""
    found = otsu(np.array(values, np.float32))
    assert np.isfinite(found)
    assert (np.array(values) >= found).sum() == (1 if np.ptp(values) > 1 else 0)


def test_what_the_rim_cuts_off_is_dropped_and_the_middle_stays() -> None:
    page = np.full((100, 100), 230, np.uint8)
    page[25:75, 45:55] = 30
    page[40:80, :8] = 30  # a stroke of a neighbour
    page[:6, 60:] = 30
    kept = main_part(ink(page)).strength
    assert kept[30:70, 47:53].min() > 0.9
    assert kept[:, :9].max() == 0
    assert kept[:7].max() == 0


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
