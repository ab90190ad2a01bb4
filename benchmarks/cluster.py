"""Many runs and bulk reading, on this machine: how 1 and 2 processes do beside each other, with Ray and without it, and memory.

For each it prints rows or runs a second, the efficiency of two processes (half the time of one is 100 %), the largest memory
of all its processes together, and whether the results are the same.

Usage: .venv/bin/python benchmarks/cluster.py bulk [DIGITS]          (default 1,000,000)
       .venv/bin/python benchmarks/cluster.py pictures [PICTURES]    (default 2,000)
       .venv/bin/python benchmarks/cluster.py ensemble [MEMBERS] [KEY=VALUE ...]    (default 4; recipe classic)
       .venv/bin/python benchmarks/cluster.py sweep [TRIALS]         (default 8; recipe classic, 3 epochs)
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

import tenfold

WAYS = {"1 process": ["--processes", "1"], "2 processes": ["--processes", "2"], "Ray": ["--cluster", "local"]}
_GROUP = 20_000  # rows of a Parquet row group


class Measured(NamedTuple):
    """A command: its seconds, those of processor time but for what Ray started, and the most memory of all processes in MB."""

    seconds: float
    processor: float
    megabytes: float


def measured(command: list[str], cwd: Path) -> Measured:
    """Run tenfold and watch the memory of its processes, those of a Ray that it starts included."""
    before, started, known = os.times(), time.perf_counter(), set(_of_ray())
    process = subprocess.Popen(
        [sys.executable, "-m", "tenfold", *command], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    most, over = 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.5):
            most = max(most, sum(map(_memory, {*_below(process.pid), *(set(_of_ray()) - known)})))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, said = process.communicate()
    seconds, after = time.perf_counter() - started, os.times()
    over.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: {said}")
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{' '.join(command)}: {seconds:.1f} s", file=sys.stderr, flush=True)
    return Measured(seconds, processor, most)


def _of_ray() -> Iterator[int]:
    """Ray's processes on this machine, by Linux's /proc."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"/ray/" in line or line.startswith(b"ray::"):
            yield int(folder.name)


def _below(pid: int) -> list[int]:
    """A process and all that it or they started."""
    try:
        children = [
            int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return [pid, *(one for child in children for one in _below(child))]


def _memory(pid: int) -> float:
    """Proportional set size of a process in MB: what processes share counts once."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:")), 0.0)


def synthetic(n: int, path: Path) -> None:
    """So many digits: MNIST's, each moved by up to two pixels and darkened at random, as 784 bytes a row."""
    images = tenfold.load("mnist", "all").images
    rng = np.random.default_rng(0)
    schema = pa.schema([("pixels", pa.binary(784))])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, n, _GROUP):
            some = images[rng.integers(0, len(images), min(_GROUP, n - start))]
            moved = np.roll(some, tuple(rng.integers(-2, 3, 2)), axis=(1, 2))
            faded = (moved * rng.uniform(0.6, 1, (len(moved), 1, 1))).astype(np.uint8)
            rows = pa.FixedSizeBinaryArray.from_buffers(pa.binary(784), len(faded), [None, pa.py_buffer(faded.tobytes())])
            writer.write_table(pa.table([rows], schema=schema), row_group_size=_GROUP)


def pictures(n: int, path: Path) -> None:
    """So many pictures of four digits in a row, dark on light, as PNG bytes in a Parquet file."""
    images, rng, rows = tenfold.load("mnist", "test").images, np.random.default_rng(0), []
    for _ in range(n):
        row = np.concatenate(list(images[rng.integers(0, len(images), 4)]), axis=1)
        file = io.BytesIO()
        Image.fromarray(255 - np.pad(row, 20)).resize((304, 136)).save(file, "PNG")
        rows.append(file.getvalue())
    pq.write_table(pa.table({"image": rows}), path, row_group_size=128)


def reading(n: int, make: Callable[[int, Path], None], what: str) -> None:
    """Read a made Parquet file in each way."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        make(n, place / "in.parquet")
        found: dict[str, Measured] = {}
        tables = []
        for name, options in WAYS.items():
            out = place / f"{len(found)}.parquet"
            found[name] = measured(["read", "in.parquet", "-o", out.name, *options], place)
            tables.append(pq.read_table(out))
            assert tables[-1].num_rows == n
        print(f"{n:,} {what}")
        report(found, n, "rows")
        print("same tables:", all(table.equals(tables[0]) for table in tables[1:]))


def trainings(kind: str, n: int, options: list[str]) -> None:
    """An ensemble or a sweep in each way."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        found: dict[str, Measured] = {}
        for name, way in WAYS.items():
            found[name] = measured([kind, *options, "--run", str(len(found)), *way], place)
        print(f"{kind} of {n}: {' '.join(options)}")
        report(found, n, "runs")
        results = [_results(place / str(k), kind) for k in range(len(found))]
        print("same results:", all(one == results[0] for one in results[1:]))


def _results(folder: Path, kind: str) -> object:
    """What must not depend on where it was trained."""
    if kind == "ensemble":
        return (folder / "model.onnx").read_bytes()
    with (folder / "leaderboard.csv").open() as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def report(found: dict[str, Measured], n: int, what: str) -> None:
    """Print a table."""
    print(f"| | seconds | {what} a second | against 1 process | processor seconds | MB |\n|---|---|---|---|---|---|")
    alone = found["1 process"].seconds
    for name, one in found.items():
        processor = "" if name == "Ray" else f"{one.processor:.1f}"
        rates = f"{one.seconds:.1f} | {n / one.seconds:,.2f} | {alone / one.seconds:.2f}"
        print(f"| {name} | {rates} | {processor} | {one.megabytes:,.0f} |")
    efficiency = alone / found["2 processes"].seconds / 2
    print(f"efficiency of two processes: {efficiency:.0%}; load average at the end: {os.getloadavg()[0]:.1f}")


def main() -> None:
    kind, *rest = sys.argv[1:] or ["bulk"]
    n = int(rest[0]) if rest else {"bulk": 1_000_000, "pictures": 2000, "ensemble": 4, "sweep": 8}[kind]
    if kind == "bulk":
        reading(n, synthetic, "synthetic digits of 784 bytes in Parquet")
    elif kind == "pictures":
        reading(n, pictures, "pictures of four digits each, PNG in Parquet")
    elif kind == "ensemble":
        changes = [option for change in rest[1:] for option in ("--set", change)]
        trainings(kind, n, ["--recipe", "classic", "--members", str(n), "--bare", *changes])
    else:
        over = ["--over", "learning_rate=1e-4..1e-2:log", "--over", "batch_size=32,64,128"]
        trainings(kind, n, ["--recipe", "classic", "--epochs", "3", "--trials", str(n), *over])


if __name__ == "__main__":
    main()
