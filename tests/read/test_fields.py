"""What is known about a field: the likeliest text and its probability, against counting all texts one by one."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tenfold.errors import UsageError
from tenfold.read.fields import Field, likeliest


def luhn(text: str) -> bool:
    return sum(int(c) if i % 2 == 0 else sum(divmod(2 * int(c), 10)) for i, c in enumerate(reversed(text))) % 10 == 0


def mod11(text: str) -> bool:
    return sum((i + 1) * int(c) for i, c in enumerate(reversed(text))) % 11 == 0


def by_counting(scores: NDArray[np.float64], chances: NDArray[np.float64], field: Field) -> tuple[list[int], float]:
    right = {None: lambda _: True, "luhn": luhn, "mod11": mod11}[field.check]
    best, total = (0.0, [-1]), 0.0
    for labels in itertools.product(range(-1, 10), repeat=len(scores)):
        text = "".join(str(k) for k in labels if k >= 0)
        if field.length not in (None, len(text)) or not right(text):
            continue
        if any(place not in ("#", c) for place, c in zip(field.places(), text, strict=False)):
            continue
        p = float(np.prod([s * c[k] if k >= 0 else 1 - s for s, c, k in zip(scores, chances, labels, strict=True)]))
        total += p
        best = max(best, (p, list(labels)), key=lambda pair: pair[0])
    return best[1], best[0] * 1.01 / (total + 0.01)


@pytest.mark.parametrize(
    "field",
    [Field(), Field(n_digits=2), Field(pattern="#-#"), Field(pattern="#7")]
    + [Field(n_digits=n, check=check) for n in (None, 2, 3) for check in ("luhn", "mod11")],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_is_what_counting_all_texts_gives(field: Field, seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, chances = random.uniform(0.1, 1, 3), random.dirichlet(np.full(10, 0.3), 3)
    labels, probability = by_counting(scores, chances, field)
    choice = likeliest(scores, chances, field)
    assert choice.labels == labels
    assert choice.probability == pytest.approx(probability)


@given(st.lists(st.floats(0.05, 1), min_size=1, max_size=5), st.integers(0, 1000))
def test_knowing_what_is_so_takes_nothing_away(scores: list[float], seed: int) -> None:
    chances = np.random.default_rng(seed).dirichlet(np.full(10, 0.2), len(scores))
    alone = likeliest(np.array(scores), chances, Field())
    assert alone.labels is not None
    n = sum(label >= 0 for label in alone.labels)
    if n:
        known = likeliest(np.array(scores), chances, Field(n_digits=n))
        assert known.labels == alone.labels
        assert alone.probability * (1 - 1e-9) <= known.probability <= 1 + 1e-9


def test_published_numbers_pass_their_checks() -> None:
    """A card number of the Luhn formula's own descriptions, and the ISBN of Knuth's first volume, 0-201-89683-4."""
    for number, check in (("4111111111111111", "luhn"), ("0201896834", "mod11")):
        chances = np.eye(10)[[int(c) for c in number]] * 0.9 + 0.01
        choice = likeliest(np.full(len(number), 0.99), chances, Field(check=check, n_digits=len(number)))
        assert choice.labels == [int(c) for c in number]


def test_the_check_digit_settles_a_doubt() -> None:
    """1 or 7, slightly rather 1; only with 7 is the sum right."""
    number = "79927398713"  # from Luhn's example, 7992739871 with 3 to check
    chances = np.eye(10)[[int(c) for c in number]] * 0.98 + 0.002
    chances[0] = 0.0
    chances[0, [1, 7]] = 0.6, 0.4
    scores = np.full(len(number), 0.999)
    assert likeliest(scores, chances, Field(n_digits=11)).labels[0] == 1
    checked = likeliest(scores, chances, Field(n_digits=11, check="luhn"))
    assert checked.labels == [int(c) for c in number]
    assert checked.probability > 0.8


def n_calls(n: int, field: Field) -> int:
    """How many functions of Python are called to find the likeliest of n digits."""
    found, chances = 0, np.random.default_rng(0).dirichlet(np.full(10, 0.3), n)

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal found
        found += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        likeliest(np.full(n, 0.9), chances, field)
    finally:
        sys.setprofile(before)
    return found


@pytest.mark.parametrize("check", ["luhn", "mod11"])
def test_a_page_of_digits_is_not_gone_through_in_python(check: str) -> None:
    """Counts, states and digits are NumPy's work: a page of 452 digits took two minutes, and held Python's lock meanwhile."""
    assert n_calls(60, Field(check=check)) < 3 * n_calls(30, Field(check=check))


def test_nothing_agrees() -> None:
    assert likeliest(np.array([0.9]), np.full((1, 10), 0.1), Field(n_digits=2)).labels is None
    assert likeliest(np.zeros(0), np.zeros((0, 10)), Field(n_digits=1)).labels is None


def test_no_candidates_and_nothing_known_is_an_empty_text() -> None:
    assert likeliest(np.zeros(0), np.zeros((0, 10)), Field()) == ([], pytest.approx(1))


@given(st.text("#0123456789- /.", min_size=1, max_size=12))
def test_a_text_is_laid_out_as_its_pattern(pattern: str) -> None:
    try:
        field = Field(pattern=pattern)
    except UsageError:
        assert "#" not in pattern
        return
    digits = "".join("5" if c == "#" else c for c in field.places())
    assert field.laid_out(digits) == pattern.replace("#", "5")
    assert field.laid_out(digits + "1") == digits + "1"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"check": "mod12"}, "luhn or mod11"),
        ({"n_digits": 0}, "1 to 1000"),
        ({"n_digits": "6"}, "digits '6': expected a whole number"),
        ({"n_digits": 6.0}, "expected a whole number"),
        ({"pattern": 6}, "expected text"),
        ({"pattern": "abc"}, "####-##"),
        ({"pattern": "\udcff##"}, "bytes that are not UTF-8"),
        *(({"pattern": f"#{c}#"}, "a tab, line end or other control character") for c in "\t\n\r\0\x1b\x85\u2028"),
        ({"pattern": "[0-9]{6}"}, "expected one # for each digit"),
        ({"pattern": "##", "n_digits": 3}, "2 digits, 3"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Field(**options)
