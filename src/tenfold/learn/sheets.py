"""What is put on a composed page: ink, and where each digit of it stands; and the page that becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

INK = 60  # of 255: what belongs to a stroke

_WRITTEN_OVER = 0.1  # the share of a digit's ink that may lie on other ink: a tail that touches, not a digit on a digit


class Page(NamedTuple):
    """A composed page.

    Attributes:
        picture: uint8 (H, W), dark ink on lighter paper.
        boxes: float32 (n, 4), x, y, width, height of the ink of each digit, in reading order.
        labels: int (n,); -1 for a digit that is cut by the rim.
        rows: int (n,), the row of each digit, from 0.
    """

    picture: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def text(self) -> str:
        """The whole digits, rows joined by a line end."""
        whole = self.labels >= 0
        rows = np.unique(self.rows[whole])
        return "\n".join("".join(str(k) for k in self.labels[whole & (self.rows == row)]) for row in rows)


@dataclass(frozen=True)
class Sheet:
    """The ink so far, uint8 (H, W), and the digits in it."""

    ink: NDArray[np.uint8]
    boxes: list[tuple[float, float, float, float]]
    labels: list[int]
    rows: list[int]
    cut: bool = True  # whether the rim may cut digits

    @classmethod
    def blank(cls, height: int, width: int, cut: bool = True) -> Sheet:
        """A sheet with nothing on it."""
        return cls(np.zeros((height, width), np.uint8), [], [], [], cut)

    @property
    def strokes(self) -> NDArray[np.float32]:
        """The ink, float32 (H, W) of 0-1."""
        return np.asarray(self.ink / np.float32(255), np.float32)

    @property
    def placed(self) -> NDArray[Any]:
        """The boxes of the digits, (n, 4)."""
        return np.array(self.boxes).reshape(-1, 4)

    def page(self, picture: NDArray[np.uint8]) -> Page:
        """The page that a picture of this sheet is."""
        return Page(picture, self.placed.astype(np.float32), np.array(self.labels, np.int64), np.array(self.rows, np.int64))

    def laid_in(self, digit: NDArray[np.uint8], x: int, y: int, label: int, row: int) -> int:
        """Lay a digit in; the last column of its ink. One that the rim cuts gets the label -1; out of sight, none.

        One that would be written over something else is left out.
        """
        if not digit.size:
            return x
        height, width = self.ink.shape
        top, bottom, left, right = max(0, y), min(height, y + len(digit)), max(0, x), min(width, x + digit.shape[1])
        whole = (bottom - top) * (right - left) == digit.size
        if bottom > top and right > left and (self.cut or whole):
            place, seen = self.ink[top:bottom, left:right], digit[top - y : bottom - y, left - x : right - x]
            inked = seen > INK
            if (place[inked] > INK).sum() > _WRITTEN_OVER * inked.sum():
                return int(x + digit.shape[1] - 1)
            np.maximum(place, seen, out=place)
            nearly = (bottom - top) * (right - left) >= 0.9 * digit.size
            self.boxes.append((left, top, right - left, bottom - top))
            self.labels.append(label if nearly else -1)
            self.rows.append(row)
        return int(x + digit.shape[1] - 1)
