"""Examples made on composed pages: by several processes, and the next while the last are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import Digits
from tenfold.learn.composing import Composer

Arrays = tuple[NDArray[Any], ...]
# Examples from a page: arrays whose first dimensions agree. A function of a module, since other processes call it.
Make = Callable[[Composer, np.random.Generator], Arrays]

_CHUNK = 250


def stream(
    make: Make, digits: Digits, fonts: Sequence[Path], n_parts: int, n: int, seed: int, processes: int = 2
) -> Iterator[Arrays]:
    """So many parts of what `make` makes `n` times, put together; while one is used, the next is being made.

    The same arguments give the same parts.
    """
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(make, digits, fonts)) as pool:

        def start(part: int) -> list[Future[Arrays]]:
            first, last = part * n, (part + 1) * n
            return [pool.submit(_some, seed, k, min(_CHUNK, last - k)) for k in range(first, last, _CHUNK)]

        under_way = start(0)
        for part in range(n_parts):
            done = [future.result() for future in under_way]
            under_way = start(part + 1) if part + 1 < n_parts else []
            yield _together(done)


_making: list[tuple[Make, Composer]] = []


def _begin(make: Make, digits: Digits, fonts: Sequence[Path]) -> None:
    _making[:] = [(make, Composer(digits, fonts))]


def _some(seed: int, first: int, n: int) -> Arrays:
    make, composer = _making[0]
    return _together([make(composer, np.random.default_rng([seed, first + i])) for i in range(n)])


def _together(made: Sequence[Arrays]) -> Arrays:
    return tuple(np.concatenate(arrays) for arrays in zip(*made, strict=True))
