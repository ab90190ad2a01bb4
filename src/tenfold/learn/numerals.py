"""Digits in forms that MNIST's writers seldom used, as a pen writes them: strokes through a few points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import CLASSES
from tenfold.learn import doodles, letters

# How each digit may be written: strokes, parted by "|", through points "x,y", y from 0 down to 10; a point given twice is a
# corner.
_WAYS = (
    # slashed, closed with a loop, open at the top
    ("3,0 0,5 3,10 6,5 3,0|0,10 6,0", "3,0.5 0,5 3,10 6,5 4,0.5 2,1 3,2.5 6,1", "1,0 0,5 3,10 6,5 4,0 2,-0.5"),
    # a mere bar, twice as often; an upstroke from the line; with a foot; curved
    ("3,0 3,10", "3,0 3,10", "0,9 6,0 6,0 6,10", "0,4 4,0 4,0 4,10|1,10 7,10", "0,3 2.5,0 2.5,0 3,6 5,10"),
    # with a loop; angular; flat
    ("1,2 4,0 7,2 5,6 1,9.5 0,9 2,8 4,9.5 8,10", "0,1 7,0 7,0 0,10 0,10 8,9.5", "0,2 4,0 6,3 2,9 2,9 8,9"),
    # with a flat top; pointed in the middle with a long tail
    ("0,0 7,0 7,0 3,4 3,4 7,6 6,9 3,10 0,9", "0,1 5,0 6,3 2,5 2,5 6,7 5,11 0,12"),
    # open, its left stroke long; joined; closed; as a flash
    ("2,0 0,6 0,6 7,5.5|5,3.5 4,10", "2,-1 0,6 0,6 5,5 5,3 5,3 5,10", "6,10 6,0 6,0 0,7 0,7 8,7", "5,0 0,6 0,6 6,6|5,4 3,10"),
    # a tick under a roof; its roof long; its roof apart; as an S
    (
        "0,6 2,10 5,1 5,1 11,0",
        "3,0 1,4 1,4 5,4 6,7 4,10 0,9|3,0 10,-1",
        "1,2 0.5,5 4,4 6,7 4,10 0,9|1,0 8,-0.5",
        "7,0 2,1 1,4 5,5 6,8 3,10 0,9",
    ),
    # straight; curled in
    ("5,0 1,6 1,9 3,10 6,8 4,6 1,7", "7,1 3,1 0,7 3,10 6,8 4,5.5 2,7 4,8"),
    # crossed, with a hook; crossed low
    ("0,2 0.5,0.5 7,0 7,0 4,5 3,10|1,5.5 7,4.5", "0,0 7,0 7,0 4,10|2,6 8,6"),
    # open at the top; two rounds
    ("8,0 3,1 2,3 6,6 6,9 3,10 1,8 4,4 8,0", "3.5,0 1,2 3.5,4.5 6,2 3.5,0|3.5,4.5 0.5,7.5 3.5,10 6.5,7.5 3.5,4.5"),
    # its stem bent back; with a loop; its stem crossing the round
    ("6,2 3,0 0,2 2,5 6,2 6,2 6,8 3,10 0,9", "6,1 3,0 0,3 3,5 6,1 5,7 3,10 2,8 5,6", "7,0 2,0 1,4 5,4 7,0 7,0 4,10"),
)
# Others, by writers of many countries.
_FURTHER = (
    # lying, as noughts in a row; its end to the right, into the next; begun within
    ("0,6 4,2 9,5 5,9 0,6", "3,1 0,5 2,10 6,6 4,1 3,2 8,1", "4,3 3,0 0,5 3,10 6,6 4,2 2,3"),
    # a mere bar, as often as among those above; leaning back; a long upstroke without a corner; with a hook below; curled
    ("3,0 3,10", "3,0 3,10", "1,0 3,10", "0,10 4,0 4,0 4.5,10", "0,4 3,0 3,0 3,9 5,10", "0,4 1,2.5 3,2 5,0 4,10"),
    # with a large loop; as a swan; as a Z, crossed; its foot far to the right
    (
        "1,3 3,0 6,2 5,5 1,10 0,8.5 2,7.5 5,9 9,9.5", "0,3 3,0 5,3 3,7 0,10 0,10 7,10",
        "0,1 3,0 7,0 7,0 0,10 0,10 8,10|1,5 7,5", "1,2 3,0 5,2 4,6 0,10 3,9 12,10",
    ),
    # as a Z with a tail; with a loop in the middle; its rounds apart; narrow, as an E turned round
    (
        "0,0 6,0 6,0 2,4 2,4 6,7 3,10 -0.5,8.5", "0,1 4,0 6,2 3,5 2,4.5 3,4 6,6 5,9 0,10",
        "0,1 5,0 6,3 3,4.5|3,4.5 7,7 4,10 -1,9", "1,0 5,1 4,4 1,5 1,5 5,7 3,10 0,10",
    ),
    # its left stroke twice as long; joined by a wave; its right stroke short; as an h
    (
        "4,-3 0,6 0,6 6,5|5,3 4,10", "4,-2 1,4 0,6 3,5.5 7,6|4,4 3.5,10", "2,0 0,7 0,7 8,7|5,5 5,9",
        "5,-3 0.5,8 0.5,8 2,5 5,5 5,5 5,10",
    ),
    # as a root; its roof a wave; wide; angular, without a roof of its own
    (
        "0,5 2,10 4,0 4,0 6,0.5 8,-0.5 11,0", "2,1 1,5 5,5 6,8 3,10 0,9|2,1 4,0 7,1 11,0",
        "9,0 3,0 2,4 6,5 6,9 0,10", "7,0 1,0 1,0 1,5 1,5 6,5 6,5 6,10 0,10",
    ),
    # its loop small and low; hardly curled; open; as a b
    (
        "4,-1 1,5 0,8 2,10 4,8.5 3,7 1,8.5", "6,0 2,3 0,8 3,10 6,7 3,5.5 0.5,7.5", "3,0 0,5 1,9 4,10 6,8 5,6 4,6.5",
        "1,0 0.5,8 3,10 5,8 3,6 1,7.5",
    ),
    # as a cross with a roof; round, crossed; its roof a wave; its bar as long as its roof
    (
        "0,3 1,1 5,1 5,1 3,10|-1,5 8,5", "0,1.5 3,0 6,1 4,5 2,10|0,6 7,5", "0,3 2,0 4,1.5 8,0 8,0 3,10",
        "1,0 6,0 6,0 3,10|-1,4.5 9,4.5",
    ),
    # begun at the right; its upper round open; leaning far; its lower round small
    (
        "6,1 3,0 1,2 5,6 5,9 2,10 0,8 6,1", "7,0 3,0 2,3 6,6 5,10 1,9.5 1,7 8,1", "8,0 4,0 3,3 5,6 3,10 0,9 2,6 8,0",
        "4,0 0,2 2,5 4,7 3.5,9.5 1.5,9 2.5,6.5 7,2 4,0",
    ),
    # begun below, as a P; its round on a straight stem; with a tail to the left; as a g
    (
        "2,12 3,3 4,0 7,1 7,4 3,5", "5,4 1,4 1,0 5,0 5,0 5,10", "6,2 3,0 0,2 3,5 6,2 5,8 0,12",
        "6,1 3,0 0,2 2,5 6,1 6,1 6,10 3,12 0,10 7,8",
    ),
)  # fmt: skip
_EVERY = tuple(ways + further for ways, further in zip(_WAYS, _FURTHER, strict=True))
BAR = 0  # the form of a 1 that is nothing but a bar
_OFTEN, _SELDOM = 0.35, 0.12  # the share of hands that write a 1, or another digit, in one of these forms
_MORE = 0.25  # the same for another digit than 1, where there are to be more
_HEIGHT, _PEN = 88, 8  # of what is drawn, in pixels


def forms(random: np.random.Generator) -> NDArray[np.int64]:
    """Which form a hand has for each digit, int64 (10,); -1 for those it writes like MNIST's writers."""
    return _chosen(random, _WAYS, _SELDOM)


def more_forms(random: np.random.Generator) -> NDArray[np.int64]:
    """As `forms`, of twice as many, and more often."""
    return _chosen(random, _EVERY, _MORE)


def _chosen(random: np.random.Generator, ways_of_each: Sequence[Sequence[str]], share: float) -> NDArray[np.int64]:
    chosen = [int(random.integers(len(ways))) for ways in ways_of_each]
    return np.where(random.random(CLASSES) < np.where(np.arange(CLASSES) == 1, _OFTEN, share), chosen, -1)


def drawn(label: int, form: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """A digit in one of its forms, uint8 (H, W), white ink on black, about 90 pixels high."""
    unsteady, narrow = random.uniform(0.1, 0.45), random.uniform(0.6, 1)
    strokes = [
        letters.curve(points + random.normal(0, unsteady, points.shape)) for points in letters.strokes_of(_EVERY[label][form])
    ]
    ink = np.zeros((_HEIGHT * 2, _HEIGHT * 2), np.uint8)
    doodles.draw(ink, strokes, (_HEIGHT // 2, _HEIGHT // 2), (narrow * _HEIGHT, _HEIGHT), _PEN)
    return ink
