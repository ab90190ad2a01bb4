"""Contrast: the same ink on other paper, in other light, gives about the same."""

import numpy as np
import pytest

from tenfold.picture import contrast, evenly_lit
from tenfold.picture.contrast import surrounded


def page(paper: float = 220, ink: float = 60) -> np.ndarray:
    page = np.full((80, 120), paper, np.float32)
    page[20:60, 40:45] = ink
    page[20:25, 40:70] = ink
    return page


def test_ink_is_positive_and_paper_about_nothing() -> None:
    seen = contrast(page())
    assert seen.dtype == np.float32
    assert seen[20:60, 41:44].min() > 1.5
    assert np.abs(seen[70:, :20]).max() < 0.2
    assert seen.max() <= 6
    assert seen.min() >= -6


@pytest.mark.parametrize("column", [10, 30, 55, 100])
def test_a_shadow_goes_and_what_it_falls_on_stays(column: int) -> None:
    shaded = page()
    shaded[:, column:] *= 0.5
    lit = evenly_lit(shaded)
    assert lit is not None
    ink = page() < 100
    assert lit[ink].max() < 100
    assert lit[~ink].min() > 230


def test_even_light_and_tiny_pictures_are_left_alone() -> None:
    assert evenly_lit(page()) is None
    tiny = page()[:30]
    tiny[:, 60:] *= 0.5
    assert evenly_lit(tiny) is None


@pytest.mark.parametrize("ink", [60, 205, 219])
def test_it_is_the_distance_below_the_mean_around_over_the_deviation_around(ink: float) -> None:
    """Computed anew from the windows themselves: 33x33, the edges go on, 2 of 255 and 0.3 of all contrast count everywhere."""

    def around(values: np.ndarray) -> np.ndarray:
        return np.lib.stride_tricks.sliding_window_view(np.pad(values, 16, "edge"), (33, 33)).mean((2, 3))

    below = around(page(ink=ink).astype(np.float64)) - page(ink=ink)
    expected = below / np.sqrt(around(below**2) + 0.3**2 * (below**2).mean() + 2**2)
    assert expected.max() < 6
    np.testing.assert_allclose(contrast(page(ink=ink)), expected, atol=1e-3)
    spot = np.full((100, 100), 200, np.float32)
    spot[50, 50] = 0
    assert contrast(spot).max() == 6


@pytest.mark.parametrize("change", [lambda p: p * 0.5, lambda p: p - 40, lambda p: 0.7 * p + 30])
def test_brightness_and_strength_of_the_ink_do_not_matter(change) -> None:
    np.testing.assert_allclose(contrast(change(page())), contrast(page()), atol=0.05)


def test_a_slope_of_light_hardly_matters() -> None:
    light = np.linspace(0.7, 1.2, 120, dtype=np.float32)
    lit = contrast(page() * light)
    assert lit[20:60, 41:44].min() > 1.2
    assert np.abs(lit[65:, :30]).max() < 0.8


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 3)])
def test_tiny_and_blank_pictures_are_calm(shape: tuple[int, int]) -> None:
    assert np.abs(contrast(np.full(shape, 128, np.float32))).max() == 0


def test_paper_goes_on_around_a_picture_where_ink_touches_its_rim() -> None:
    grey = np.full((40, 120), 200, np.float32)
    grey[:, 30:36] = 20  # a stroke from the upper rim to the lower
    grey[:, 70:] = 150  # a shadow on the right
    wider = surrounded(grey, [(8, 5), (3, 0)])
    assert wider.shape == (53, 123)
    assert (wider[8:-5, 3:] == grey).all()
    assert (wider[:8, 3:70] == 200).all()
    assert (wider[-5:, 3:70] == 200).all()
    assert (wider[:8, -20:] == 150).all()
    assert (wider[8:-5, :3] == 200).all()


def test_without_margins_a_picture_stays_as_it_is() -> None:
    assert (surrounded(page(), [(0, 0), (0, 0)]) == page()).all()
