"""What a user knows about a field: how many digits, in which places, with which check digit; and the likeliest text under it.

Every found digit is there or not, and is one of ten; of all combinations that agree with what is known, the likeliest is taken.
The sum over all of them gives its probability. Exact, by dynamic programming over digits and check sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import UsageError

CHECKS = ("luhn", "mod11")
_LEAST = 1e-12
_USER_WRONG = 0.01  # how probable it is that what the user says of a field is not so


@dataclass(frozen=True)
class Field:
    """What is known.

    Attributes:
        pattern: `#` for a digit, a figure for that very digit, anything else is set into the text; or None.
        n_digits: how many digits there are, or None.
        check: `luhn` (cards, ISO/IEC 7812: every second digit from the right but one doubled, its figures added, all a multiple
            of 10) or `mod11` (ISBN-10 and many account numbers: digits times 1, 2, 3 … from the right, a multiple of 11;
            an X in the last place, which stands for 10, is no digit and not read),
            or None.
    """

    pattern: str | None = None
    n_digits: int | None = None
    check: str | None = None

    def __post_init__(self) -> None:
        if self.check is not None and self.check not in CHECKS:
            raise UsageError(f"check {self.check!r}: expected {' or '.join(CHECKS)}")
        if self.n_digits is not None and (type(self.n_digits) is not int or not 1 <= self.n_digits <= 1000):
            raise UsageError(f"digits {self.n_digits!r}: expected a whole number from 1 to 1000")
        if self.pattern is not None:
            if not isinstance(self.pattern, str):
                raise UsageError(f"pattern {self.pattern!r}: expected text, one # for each digit, such as '####-##'")
            n = len(self.places())
            if "#" not in self.pattern or n > 1000:
                raise UsageError(f"pattern {self.pattern!r}: expected one # for each digit, such as '####-##'")
            if self.n_digits not in (None, n):
                raise UsageError(f"pattern {self.pattern!r} has {n} digits, {self.n_digits} are asked for; give one of both")

    def places(self) -> list[str]:
        """The places of the pattern that are digits: `#` or a figure each."""
        return [c for c in self.pattern or "" if c == "#" or c in "0123456789"]

    @property
    def length(self) -> int | None:
        """How many digits there are, if that is known."""
        return len(self.places()) if self.pattern is not None else self.n_digits

    def laid_out(self, digits: str) -> str:
        """Digits with the pattern's other characters between them; as they are if their number is another."""
        if self.pattern is None or len(digits) != self.length:
            return digits
        left = iter(digits)
        return "".join(next(left) if c == "#" or c in "0123456789" else c for c in self.pattern)


ANYTHING = Field()


class Choice(NamedTuple):
    """The likeliest text.

    Attributes:
        labels: for each found digit its label, or -1 where it is left out; None if nothing agrees with what is known.
        probability: of this text among all that agree, less if hardly anything does: the user may be wrong too. At least what
            it is if nothing is known.
    """

    labels: list[int] | None
    probability: float


class _Sums(NamedTuple):
    """A check sum over digits from the right: states, the state after a digit, and whether the end is right."""

    n: int
    after: Callable[[int, int, int], int]


_CHECK_SUMS = {
    None: _Sums(1, lambda *_: 0),
    "luhn": _Sums(10, lambda state, place, digit: (state + (digit if place % 2 == 0 else sum(divmod(2 * digit, 10)))) % 10),
    "mod11": _Sums(11, lambda state, place, digit: (state + (place + 1) * digit) % 11),
}


def likeliest(scores: NDArray[np.float64], chances: NDArray[np.float64], field: Field) -> Choice:
    """The likeliest text under what is known.

    Args:
        scores: float64 (n,), the probability that each candidate, in reading order, is a digit.
        chances: float64 (n, 10), which digit it is then.
        field: what is known.
    """
    sums = _CHECK_SUMS[field.check]
    n, most = len(scores), field.length if field.length is not None else len(scores)
    there, missing = np.log(np.clip(scores, _LEAST, 1)), np.log(np.clip(1 - scores, _LEAST, 1))
    each = there[:, None] + np.log(np.clip(chances, _LEAST, 1))
    places = field.places() or ["#"] * most
    # best[count, state]: from the right, so many digits taken; `whole` sums over all ways, `best` keeps the likeliest.
    best = np.full((most + 1, sums.n), -np.inf)
    whole = best.copy()
    best[0, 0] = whole[0, 0] = 0.0
    steps: list[NDArray[np.int64]] = []
    for i in range(n - 1, -1, -1):
        new_best, new_whole = best + missing[i], whole + missing[i]
        taken = np.full((most + 1, sums.n, 2), -1, np.int64)
        for count in range(most):
            fixed = places[most - 1 - count]
            for state in np.flatnonzero(np.isfinite(whole[count])):
                for digit in range(10) if fixed == "#" else (int(fixed),):
                    after = sums.after(int(state), count, digit)
                    value, ways = best[count, state] + each[i, digit], whole[count, state] + each[i, digit]
                    if value > new_best[count + 1, after]:
                        new_best[count + 1, after] = value
                        taken[count + 1, after] = digit, state
                    new_whole[count + 1, after] = np.logaddexp(new_whole[count + 1, after], ways)
        best, whole = new_best, new_whole
        steps.append(taken)
    counts = range(most + 1) if field.length is None else [most]
    ends = [(best[c, 0], c) for c in counts if np.isfinite(best[c, 0])]
    if not ends:
        return Choice(None, 0.0)
    value, count = max(ends)
    total = np.logaddexp.reduce([whole[c, 0] for c in counts])
    # What is known may be wrong, and the text right all the same: so where all agrees anyhow, knowing it takes nothing away.
    believed = (1 + _USER_WRONG) / (1 + _USER_WRONG / np.exp(max(float(total), -50)))
    return Choice(_followed(steps, count), float(np.exp(value - total) * believed))


def _followed(steps: list[NDArray[np.int64]], count: int) -> list[int]:
    """The labels along the best way, from the left."""
    labels, state = [], 0
    for taken in reversed(steps):
        digit, before = taken[count, state]
        labels.append(int(digit))
        if digit >= 0:
            count, state = count - 1, int(before)
    return labels
