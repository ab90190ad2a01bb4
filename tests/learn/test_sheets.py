"""What is put on a page: no digit over another."""

import numpy as np
import pytest

from tenfold.learn.sheets import Sheet

pytestmark = pytest.mark.one_backend


def test_a_digit_is_not_written_over_another() -> None:
    sheet = Sheet.blank(60, 100)
    digit = np.full((30, 20), 255, np.uint8)
    assert sheet.laid_in(digit, 10, 10, 3, 0) == 29
    assert sheet.laid_in(digit, 14, 12, 4, 0) == 33, "left out, but its place is taken"
    assert sheet.laid_in(digit, 29, 10, 5, 0) == 48
    assert sheet.labels == [3, 5], "a touch is not over"
