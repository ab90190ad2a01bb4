"""What a person should know of a reading, in plain words: nothing found, refused, doubtful, better if turned."""

from __future__ import annotations

import math
from collections.abc import Callable

from tenfold.picture import Source
from tenfold.read import turning
from tenfold.read.fields import ANYTHING
from tenfold.read.reading import Reading

_MISSED = 0.5  # a digit as sure as this is missed where it is left out
_HARDLY = 1e-4  # under this it is not said how probable it is


def notes(reading: Reading, read: Callable[[Source], Reading], min_confidence: float = 0.0) -> list[str]:
    """What is to be said about a reading; nothing if it is likelier right than not.

    Args:
        reading: of a picture.
        read: reads a picture alike; asked whether the same picture, turned, would be read better.
        min_confidence: under which its text was refused.

    Raises:
        PictureError: the picture is no longer where it was.
    """
    said = [_about(reading, min_confidence), _pale(reading)]
    turned = turning.better(read, reading)
    if turned is not None:
        text, likely = turned.reading.text.replace("\n", "/"), share(turned.reading.confidence)
        said.append(f"turned by {turned.degrees} degrees clockwise it reads {text}, right with a probability of {likely}")
    return [one for one in said if one]


def share(confidence: float) -> str:
    """A probability as a percentage, never 100 for what is only nearly so."""
    percent = 100 * confidence
    if percent > 99:
        return f"{math.floor(10 * percent) / 10:g} %"
    return f"{percent:.2g} %" if confidence >= _HARDLY else "less than 0.01 %"


def _about(reading: Reading, min_confidence: float) -> str:
    if reading.text:
        return _doubt(reading)
    if not reading.digits:
        return "no digits found"
    if reading.confidence == 0 and reading.known != ANYTHING:
        return "nothing in it agrees with what is known about the field"
    if reading.confidence < min_confidence:
        return f"refused: its text would be right with a probability of {share(reading.confidence)} only"
    return "nothing read; what was found there is hardly a digit"


def _pale(reading: Reading) -> str:
    labels = "".join(str(d.label) for d in reading.digits if d.pale)
    return (
        f"left out {labels}, much paler than the rest, as what shines through the paper is" if labels and reading.text else ""
    )


def _doubt(reading: Reading) -> str:
    """What speaks against the text; nothing if it is likelier right than not and no likely digit is left out."""
    has_field, likely = reading.known != ANYTHING, share(reading.confidence)
    left_out = [d for d in reading.digits if not d.accepted and d.confidence >= _MISSED] if has_field else []
    if left_out:
        digits = ", ".join(f"a {d.label} ({min(99, round(100 * d.confidence))} %)" for d in left_out)
        return (
            f"left out to agree with what is known about the field: {digits}; the text is right with a probability of {likely}"
        )
    if not reading.doubtful:
        return ""
    if has_field:
        return f"the likeliest text of such a field, but right with a probability of {likely} only"
    return f"the whole is right with a probability of {likely} only"
