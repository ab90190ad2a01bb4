"""What was read from a picture."""

from __future__ import annotations

import html
import io
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold import picture
from tenfold.picture import Source
from tenfold.read.fields import ANYTHING, Field

Box = tuple[int, int, int, int]

DOUBTFUL = 0.5  # a text that is less sure is likelier wrong than right


@dataclass(frozen=True)
class Digit:
    """One digit of a reading.

    Attributes:
        label: the most probable digit, 0-9.
        confidence: the calibrated probability that this is a digit and the label right, 0-1.
        box: (x, y, width, height) in pixels of the picture as displayed.
        line: the row it stands in, from 0.
        probabilities: calibrated, for each of the ten digits.
        accepted: whether it counts; a refused one is left out of the text.
        glyph: what the network saw, uint8 (28, 28), white ink on black; None in a digit made by hand.
        pale: whether it was refused for being much paler than the others, as what shines through the paper is.
    """

    label: int
    confidence: float
    box: Box
    line: int
    probabilities: tuple[float, ...] = field(repr=False)
    accepted: bool
    glyph: NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)
    pale: bool = field(default=False, repr=False)


@dataclass(frozen=True)
class Reading:
    """What was read from a picture. In a notebook it shows the picture with its boxes.

    Attributes:
        file: the path as it was given, or None.
        digits: in reading order, refused ones included.
        confidence: calibrated probability that the whole text is right, 0-1.
        known: what the user knew about the field.
    """

    file: str | None
    digits: tuple[Digit, ...]
    confidence: float
    known: Field = ANYTHING
    _source: Source | None = field(default=None, repr=False, compare=False)

    @property
    def text(self) -> str:
        """The accepted digits, rows joined by a line end; empty if there are none. A pattern's other characters are set in."""
        rows: dict[int, str] = {}
        for digit in self.digits:
            if digit.accepted:
                rows[digit.line] = rows.get(digit.line, "") + str(digit.label)
        if self.known.pattern is not None:
            return self.known.laid_out("".join(rows.values()))
        return "\n".join(rows[line] for line in sorted(rows))

    @property
    def doubtful(self) -> bool:
        """Whether the text is likelier wrong than right."""
        return self.confidence < DOUBTFUL

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        """Short enough to be looked at; the digits have all of it."""
        return f"Reading({self.text!r}, confidence {_percent(self.confidence)}, {len(self.digits)} digits, file {self.file!r})"

    def as_dict(self) -> dict[str, Any]:
        """The reading as JSON has it; docs/design.md, Reader."""
        return {
            "file": self.file,
            "text": self.text,
            "confidence": self.confidence,
            "digits": [
                {
                    "label": d.label,
                    "confidence": d.confidence,
                    "box": list(d.box),
                    "line": d.line,
                    "probabilities": list(d.probabilities),
                    "accepted": d.accepted,
                }
                for d in self.digits
            ],
        }

    def pixels(self) -> NDArray[np.uint8]:
        """The picture as displayed: uint8 (H, W) or (H, W, 3), values 0-255.

        Raises:
            PictureError: the picture is no longer where it was.
            ValueError: the reading was made without one.
        """
        if self._source is None:
            raise ValueError("this reading was made without its picture")
        return picture.decode_again(self._source)

    def annotated(self) -> Any:
        """The picture with its boxes, labels and confidences, as a Pillow image.

        Raises:
            PictureError: the picture is no longer where it was.
        """
        from tenfold.read.annotating import annotated

        return annotated(self.pixels(), self)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{d.label if d.accepted else '–'}</td><td>{_percent(d.confidence)}</td><td>{d.box}</td></tr>"
            for d in self.digits
        )
        shown = html.escape(self.text).replace("\n", "<br>") or "(no digits)"
        head = "<tr><th>digit</th><th>confidence</th><th>box</th></tr>"
        return f"<p><b>{shown}</b> {_percent(self.confidence)}</p>{self._image()}<table>{head}{rows}</table>"

    def _image(self) -> str:
        """The annotated picture inside an HTML page; nothing if it cannot be had any more."""
        import base64

        try:
            image = self.annotated()
        except (ValueError, picture.PictureError):
            return ""
        image.thumbnail((640, 480))
        file = io.BytesIO()
        image.save(file, "PNG")
        return f'<img alt="" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def _percent(share: float) -> str:
    """With one place, rounded down, so that 100 % is only what is sure."""
    return f"{math.floor(1000 * share) / 10:.1f} %"
