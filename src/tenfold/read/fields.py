"""What a user knows about a field: how many digits, in which places, with which check digit; and the likeliest text under it.

Every found digit is there or not, and is one of ten; of all combinations that agree with what is known, the likeliest is taken.
The sum over all of them gives its probability. Exact, by dynamic programming over digits and check sums.
"""

from __future__ import annotations

import unicodedata
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
        pattern: `#` for a digit, a figure for that very digit, anything else that stands in one line is set into the text; or
            None.
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
            _check_text(self.pattern)
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


def _check_text(pattern: object) -> None:
    """Refuse a pattern that cannot stand in a line of text, since the rows and columns that are printed would not hold it."""
    if not isinstance(pattern, str):
        raise UsageError(f"pattern {pattern!r}: expected text, one # for each digit, such as '####-##'")
    kinds = {unicodedata.category(c) for c in pattern}
    if "Cs" in kinds:  # what Python makes of such bytes; no file could hold it
        raise UsageError(f"pattern {pattern!r}: found bytes that are not UTF-8; expected text, such as '####-##'")
    if kinds & {"Cc", "Zl", "Zp"}:
        raise UsageError(f"pattern {pattern!r}: found a tab, line end or other control character; expected such as '####-##'")


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
    """A check sum over digits from the right: how many states, and what a digit in a place adds; it is right at 0."""

    n: int
    added: Callable[[int, int], int]


_CHECK_SUMS = {
    None: _Sums(1, lambda *_: 0),
    "luhn": _Sums(10, lambda place, digit: digit if place % 2 == 0 else sum(divmod(2 * digit, 10))),
    "mod11": _Sums(11, lambda place, digit: (place + 1) * digit),
}


class _Ways(NamedTuple):
    """How one more digit is taken: ten ways to each count (of digits so far, from the right) and state, (10, count, state).

    In the order of the states before, then of the digits: of equally likely texts it is always the same that is chosen.

    Attributes:
        digit: which digit, int64.
        before: the state before, int64.
        agrees: whether this digit may stand there, bool.
    """

    digit: NDArray[np.int64]
    before: NDArray[np.int64]
    agrees: NDArray[np.bool_]


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
    ways = _ways(sums, field.places() or ["#"] * most)
    # best[count, state]: from the right, so many digits taken; `whole` sums over all ways, `best` keeps the likeliest.
    best = np.full((most + 1, sums.n), -np.inf)
    whole = best.copy()
    best[0, 0] = whole[0, 0] = 0.0
    steps: list[NDArray[np.int8]] = []
    for i in range(n - 1, -1, -1):
        within = min(n - i, most)  # more digits are not there yet
        values, sums_of_ways = (_options(table, ways, each[i], missing[i], within) for table in (best, whole))
        best, whole = best + missing[i], whole + missing[i]
        best[1 : within + 1], whole[1 : within + 1] = values.max(axis=0), np.logaddexp.reduce(sums_of_ways)
        steps.append(values.argmax(axis=0).astype(np.int8))
    counts = range(most + 1) if field.length is None else [most]
    ends = [(best[c, 0], c) for c in counts if np.isfinite(best[c, 0])]
    if not ends:
        return Choice(None, 0.0)
    value, count = max(ends)
    total = np.logaddexp.reduce([whole[c, 0] for c in counts])
    # What is known may be wrong, and the text right all the same: so where all agrees anyhow, knowing it takes nothing away.
    believed = (1 + _USER_WRONG) / (1 + _USER_WRONG / np.exp(max(float(total), -50)))
    return Choice(_followed(steps, ways, count), float(np.exp(value - total) * believed))


def _ways(sums: _Sums, places: list[str]) -> _Ways:
    added = np.array([[sums.added(place, digit) for digit in range(10)] for place in range(len(places))], np.int64)
    before = (np.arange(sums.n)[:, None] - added.reshape(-1, 1, 10)) % sums.n
    digit = np.argsort(before, axis=-1, kind="stable")
    before = np.take_along_axis(before, digit, axis=-1)
    fixed = np.array([-1 if c == "#" else int(c) for c in reversed(places)], np.int64)[:, None, None]
    first = (np.ascontiguousarray(np.moveaxis(table, -1, 0)) for table in (digit, before, (fixed < 0) | (digit == fixed)))
    return _Ways(*first)


def _options(
    table: NDArray[np.float64], ways: _Ways, each: NDArray[np.float64], missing: np.float64, within: int
) -> NDArray[np.float64]:
    """How likely 1 … `within` digits are in each state, a candidate left out or taken in ten ways: (11, within, states)."""
    digit, before, agrees = (one[:, :within] for one in ways)
    taken = table[np.arange(within)[:, None], before] + np.where(agrees, each[digit], -np.inf)
    return np.concatenate([(table[1 : within + 1] + missing)[None], taken])


def _followed(steps: list[NDArray[np.int8]], ways: _Ways, count: int) -> list[int]:
    """The labels along the best way, from the left."""
    labels, state = [], 0
    for option in reversed(steps):
        way = int(option[count - 1, state]) - 1 if count else -1
        if way < 0:
            labels.append(-1)
            continue
        count -= 1
        labels.append(int(ways.digit[way, count, state]))
        state = int(ways.before[way, count, state])
    return labels
