"""tenfold beside its rivals, in one go, on the same digits and machine.

Prints the tables and puts them, with a figure, into docs/benchmarks.md and RESULTS.md.

Needs benchmarks/requirements.txt; takes ten minutes to half an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import tenfold
from tenfold.learn import style
from tenfold.learn.concluding import commit
from tenfold.learn.speed import matrix_product

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = Path(__file__).with_name("rivals")
TARGETS = (0.97, 0.99, 0.994)
ERRORS_SHOWN = (0.3, 0.4, 0.6, 1, 2, 3, 4)


class Trainer(NamedTuple):
    """Somebody who trains.

    Attributes:
        who: in words.
        command: script and arguments, in `rivals/`.
        n_macs: multiply-adds of one digit forwards, in millions; backwards costs twice as much.
        rivals: who is in its class: their results are compared with its own.
    """

    who: str
    command: tuple[str, ...]
    n_macs: float
    rivals: tuple[str, ...] = ()


_CONV = 28 * 28 * 9 * 16 + 14 * 14 * 9 * 16 * 32
TRAINERS = {
    "mlp": Trainer("tenfold, recipe mlp", ("tenfold_recipe.py", "mlp"), 0.109, ("keras-classic", "sklearn")),
    "cnn-fast": Trainer(
        "tenfold, recipe cnn-fast", ("tenfold_recipe.py", "cnn-fast"), (_CONV + 49 * 9 * 32 * 64) / 1e6, ("keras-conv",)
    ),
    "cnn": Trainer(
        "tenfold, recipe cnn",
        ("tenfold_recipe.py", "cnn"),
        (_CONV + 14 * 14 * 9 * 32 * 32 + 49 * 9 * (32 * 64 + 64 * 64)) / 1e6,
        ("torch",),
    ),
    "keras-classic": Trainer("plain Keras, classic experiment", ("keras_classic.py",), 0.109),
    "sklearn": Trainer("scikit-learn MLPClassifier (128, 64)", ("sklearn_mlp.py",), 0.109),
    "keras-conv": Trainer("keras.io mnist_convnet", ("keras_convnet.py",), (26 * 26 * 9 * 32 + 121 * 9 * 32 * 64) / 1e6),
    "torch": Trainer("PyTorch's MNIST example", ("torch_mnist.py",), (676 * 9 * 32 + 576 * 9 * 32 * 64 + 9216 * 128) / 1e6),
}
# Who answers, millions of multiply-adds a digit, and beside whom: who is in its class comes first.
ANSWERERS: dict[str, tuple[str, float, tuple[str, ...]]] = {
    "tenfold": (
        "tenfold, the model that ships (convolutions)",
        (28 * 28 * 9 * 24 + 196 * 9 * (24 * 48 + 48 * 48) + 49 * 9 * (48 * 96 + 96 * 96)) / 1e6,
        (),
    ),
    "torch": ("PyTorch's MNIST example", TRAINERS["torch"].n_macs, ("tenfold",)),
    "tenfold-cnn-fast": ("tenfold, recipe cnn-fast (convolutions)", TRAINERS["cnn-fast"].n_macs, ()),
    "keras-call": ("Keras convnet, model(x)", TRAINERS["keras-conv"].n_macs, ("tenfold-cnn-fast", "tenfold")),
    "keras-predict": ("Keras convnet, model.predict", TRAINERS["keras-conv"].n_macs, ("tenfold-cnn-fast", "tenfold")),
    "tenfold-mlp": ("tenfold, recipe mlp (dense)", 0.109, ()),
    "sklearn": ("scikit-learn MLPClassifier (dense)", 0.109, ("tenfold-mlp",)),
}
_TRAINED = ("mlp", "cnn-fast")  # recipes that are trained for an epoch first, since their networks do not ship


_ANSWERED = {"first answer": "first_answer_s", "one digit": "one_ms", "digits a second": "per_second", "memory": "memory_mb"}


class Timeline(NamedTuple):
    """What a trainer printed: seconds and accuracy on the watched digits after each epoch, at last on the test digits."""

    seconds: list[float]
    accuracy: list[float]
    test: float
    whole: float

    def to_reach(self, target: float) -> float | None:
        """Seconds from the start of the process until the watched accuracy reached a target, or None."""
        reached = [s for s, a in zip(self.seconds, self.accuracy, strict=True) if a >= target]
        return reached[0] if reached else None


def run_script(*command: str) -> list[dict[str, Any]]:
    """Run a script of `rivals/` and return its lines of JSON."""
    environment = os.environ | {"BENCH_STARTED": str(time.time())}
    script, *rest = command
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), *rest], env=environment, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def train(trainer: Trainer) -> Timeline:
    *epochs, last = run_script(*trainer.command)
    return Timeline([e["seconds"] for e in epochs], [e["accuracy"] for e in epochs], last["test"], last["seconds"])


def training_table(timelines: Mapping[str, Timeline], limit: float) -> list[str]:
    lines = [
        "| who | seconds to 97 % | to 99 % | to 99.4 % | whole process | test accuracy | share of the matrix limit |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, t in timelines.items():
        reached = [t.to_reach(target) for target in TARGETS]
        work = 6 * TRAINERS[name].n_macs * 1e6 * 55_000 * len(t.seconds) / 1e9
        cells = ["–" if s is None else f"{s:.0f}" for s in reached]
        share = f"{100 * work / t.whole / limit:.0f} %"
        lines.append(f"| {TRAINERS[name].who} | {' | '.join(cells)} | {t.whole:.0f} s | {100 * t.test:.2f} % | {share} |")
    for name, t in timelines.items():
        for rival in (r for r in TRAINERS[name].rivals if r in timelines):
            other = timelines[rival]
            lines.append(
                f"\nRatio {TRAINERS[name].who} / {TRAINERS[rival].who}: {t.whole / other.whole:.2f} of the whole time, "
                f"error {100 * (1 - t.test):.2f} % against {100 * (1 - other.test):.2f} %."
            )
    return lines


def answering_table(answers: Mapping[str, Mapping[str, float]], limit: float) -> list[str]:
    lines = [
        "| who | multiply-adds a digit | start to first answer | one digit | digits a second | share of the limit | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, a in answers.items():
        who, n_macs, _ = ANSWERERS[name]
        cells = [f"{a['first_answer_s']:.2f} s", f"{a['one_ms']:.2f} ms", f"{a['per_second']:,.0f}"]
        cells += [f"{100 * 2e-3 * n_macs * a['per_second'] / limit:.0f} %", f"{a['memory_mb']:.0f} MB"]
        lines.append(f"| {who} | {n_macs:.1f} million | {' | '.join(cells)} |")
    for name, (who, _, ours) in ANSWERERS.items():
        for mine in (mine for mine in ours if name in answers and mine in answers):
            ratios = [f"{what} {answers[mine][key] / answers[name][key]:.2g}" for what, key in _ANSWERED.items()]
            lines += ["", f"Ratio {ANSWERERS[mine][0]} / {who}: {', '.join(ratios)}."]
    return lines


@style.in_house_style
def figure(timelines: Mapping[str, Timeline]) -> Figure:
    """Error on the watched digits against seconds since the process began."""
    subtitle = "error on 5,000 digits held out, a point an epoch; lower left is better"
    made = style.new_figure(9.5, 5.6, "How soon how good", subtitle)
    axes = made.subplots()
    for name, t in timelines.items():
        ours = TRAINERS[name].who.startswith("tenfold")
        errors = [100 * (1 - a) for a in t.accuracy]
        axes.plot(t.seconds, errors, "o-", ms=4, lw=2 if ours else 1.2, color=style.BLUE if ours else style.PALE)
        place = (t.seconds[-1], errors[-1])
        axes.annotate(name, place, (6, 0), textcoords="offset points", va="center", size=10, color=style.TEXT)
    axes.set(
        xscale="log", yscale="log", xlabel="seconds from the start of the process", ylabel="error (%)", yticks=ERRORS_SHOWN
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.12)
    return made


def put_between_marks(path: Path, part: str, lines: Sequence[str]) -> None:
    """Replace what stands between the marks of a part of this benchmark in a page."""
    begin, end = f"<!-- made by benchmarks/rivals.py {part} -->", f"<!-- end of {part} -->"
    text = path.read_text(encoding="utf-8")
    body = "\n".join(lines)
    path.write_text(re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{body}\n{end}", text, flags=re.DOTALL), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["answering", "training"], help="by default both")
    names = sorted({*TRAINERS, *ANSWERERS})
    parser.add_argument("--only", metavar="NAME,NAME", help=f"of {', '.join(names)}; then nothing is written")
    arguments = parser.parse_args()
    only = arguments.only.split(",") if arguments.only else None
    limit = matrix_product()
    print(f"matrix product, fp32: {limit:.0f} GFLOP/s", flush=True)
    for part in ("answering", "training"):
        if arguments.part in (None, part):
            lines = {"answering": answering, "training": training}[part](only, limit)
            print("\n".join(lines), flush=True)
            for page in (ROOT / "docs" / "benchmarks.md", ROOT / "RESULTS.md"):
                if only is None:
                    put_between_marks(page, part, lines)


def answering(only: Sequence[str] | None, limit: float) -> list[str]:
    """Who answers how fast, each on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        for recipe in _TRAINED:
            tenfold.train(recipe, epochs=1, data="mnist", run=Path(folder) / recipe, test=False)
        os.environ["BENCH_RUNS"] = folder
        answers = {name: run_script("answering.py", name)[0] for name in ANSWERERS if only is None or name in only}
    limit_of_one = run_script("answering.py", "matrix")[0]["gflop_per_s"]
    return [
        *_measured(limit),
        f"Answering, on one thread of one core, whose limit is {limit_of_one:.0f} GFLOP/s; memory and first answer without any",
        "training digits:",
        "",
        *answering_table(answers, limit_of_one),
    ]


def training(only: Sequence[str] | None, limit: float) -> list[str]:
    """Who learns how soon how well; draws the figure."""
    timelines = {}
    for name, trainer in TRAINERS.items():
        if only is None or name in only:
            timelines[name] = train(trainer)
            print(f"{trainer.who}: {timelines[name].whole:.0f} s, test {timelines[name].test:.4f}", flush=True)
    if only is None:
        style.save(figure(timelines), ROOT / "docs" / "images" / "benchmarks.png")
    return [
        *_measured(limit),
        "Everyone learns from the same 55,000 digits of MNIST and is watched on the other 5,000. Seconds count from the start",
        "of the process, imports and compilation included, and stand for the watched digits; the test digits are read once, at",
        "the end. One run each.",
        "",
        *training_table(timelines, limit),
    ]


def _measured(limit: float) -> list[str]:
    return [
        f"Measured {date.today()}, commit {(commit() or '-')[:7]}, {os.cpu_count()} cores ({platform.machine()}) whose own",
        f"matrix product (NumPy, fp32) reached {limit:.0f} GFLOP/s in the same run.",
        "",
    ]


if __name__ == "__main__":
    main()
