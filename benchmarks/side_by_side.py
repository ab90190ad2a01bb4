"""Whole processes timed in turn, A B A B …, so that a machine whose speed drifts still gives a fair ratio."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Sequence


def seconds_of(command: Sequence[str]) -> tuple[float, str]:
    """Run a command; how long it took from start to end, and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - started, done.stdout


def in_turn(commands: Sequence[Sequence[str]], n_rounds: int) -> tuple[list[list[float]], list[list[str]]]:
    """Run the commands in turn; the seconds and the outputs of each, a list a command."""
    seconds: list[list[float]] = [[] for _ in commands]
    outputs: list[list[str]] = [[] for _ in commands]
    for _ in range(n_rounds):
        for command, times, texts in zip(commands, seconds, outputs, strict=True):
            taken, text = seconds_of(command)
            times.append(taken)
            texts.append(text)
    return seconds, outputs


def ratio(a: Sequence[float], b: Sequence[float]) -> str:
    """The ratio A/B pair by pair: 'median (lowest-highest)'."""
    ratios = [x / y for x, y in zip(a, b, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
