"""Making the networks that ship: `make bundled` trains them anew and puts them into the package.

Trained on MNIST's 60,000 alone; the last 5,000 of them are held out for temperature, thresholds and weights. Finder and
reviewer need fonts of Debian (`fonts`): without them nothing is begun, and the packages to install are said.
`python -m tenfold.learn.bundling digits`, `judge`, `finder` or `reviewer` makes one of them; `weights` fits how much each of
them counts, and prints it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tenfold import storage
from tenfold.data.digits import Digits
from tenfold.data.sources import load
from tenfold.errors import DataError
from tenfold.learn import fonts, weighing
from tenfold.learn.composing import Composer
from tenfold.read.joint import Joint
from tenfold.read.shipped import Shipped

_PACKAGE = Path(__file__).resolve().parents[1]
_BUNDLED = _PACKAGE / "read" / "bundled"
_HELD_OUT = 5000
_ACCEPTED = 0.9925  # the share of held-out digits that the judge's threshold accepts
# What the finder learns from: so many parts of composed patches, each gone through so many times.
_PARTS, _PATCHES, _EPOCHS = 17, 14_000, 2
_BATCH = 16
_FINDER_SEED = 1
# What the reviewer learns from, each proposal so many times; and at last digits that stand alone, each twice, among one in so
# many of the proposals before: what words hold besides makes a 1 by itself look like a letter (docs/experiments.md).
_PICTURES, _REVIEWS, _REVIEWER_SEED = 36_000, 3, 41
_ALONE, _TIMES, _AMONG, _LAST_RATE = 12_000, 2, 4, 1.5e-3
_PAGES, _WORDS = 1000, 100  # that the weights are fitted on: with digits, and with words alone
# How much each network counts: as `weights` fitted it beside an earlier finder and reviewer; its threshold is lower since, and
# `text` was fitted anew beside the present ones. All of it fitted anew reads composed pages better, and loses a long 1 of a
# photo (docs/experiments.md).
_JOINT = Joint(
    classes=(0.3639, 0.0346, 0.6565),
    digit=(-0.4138, 0.1925, -0.0444, 0.863, 0.3908, 0.3815, -1.8718, -1.044),
    text=(-0.0611, 0.916),
    threshold=0.36,
)


def main(names: Sequence[str]) -> None:
    """Make the networks of these names, one after the other; all of them without."""
    made = {"digits": digits, "judge": judge, "finder": finder, "reviewer": reviewer}
    known = made | {"weights": weights}
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"error: no such network: {', '.join(unknown)}; expected {', '.join(known)}")
    chosen = list(names or made)
    try:
        if {"finder", "reviewer"} & set(chosen):
            fonts.of_debian()  # hours may pass until they are needed
    except DataError as problem:
        sys.exit(f"error: {problem}")
    for name in chosen:
        known[name]()


def digits() -> None:
    """Train the classifier; replace `read/bundled/digits.onnx` and `learn/bundled/`."""
    from tenfold.learn.training import train

    with tempfile.TemporaryDirectory() as temporary:
        run = train("bundled", run=Path(temporary) / "bundled")
        print(run)
        _keep("digits", (run.folder / "model.onnx").read_bytes())
        for name in ("recipe.json", "metrics.json", "model.keras"):
            storage.make_folder(_PACKAGE / "learn" / "bundled")
            shutil.copyfile(run.folder / name, _PACKAGE / "learn" / "bundled" / name)


def judge() -> None:
    """Train the judge; replace `read/bundled/judge.onnx`. The digits' classifier is exported anew, with its threshold."""
    from tenfold.learn import clutter, compiled, exporting, judging

    training, held_out = _parts()
    model = judging.train(training, clutter.packaged_fonts())
    scores = 1 - compiled.forward(model)(held_out.images)[:, -1]
    threshold = round(float(np.quantile(scores, 1 - _ACCEPTED)), 4)
    _keep("judge", exporting.judge_to_onnx(model, {"threshold": threshold, **_said("judge", judging.RECIPE.seed)}))
    print(f"judge: {model.count_params():,} weights, threshold {threshold}")
    export_digits()


def export_digits() -> None:
    """Write the bundled classifier anew from `learn/bundled/`, as the judge's threshold stands in its metadata."""
    from tenfold.learn import publishing, runs

    run = runs.open_run(_PACKAGE / "learn" / "bundled")
    images, path = load("mnist", "test").images, _BUNDLED / "digits.onnx"
    publishing.write_onnx(run, run.load_model(), run.metrics, images, path, _said("digits", run.recipe.seed))


def finder() -> None:
    """Train the finder; replace `read/bundled/finder.onnx`."""
    from tenfold.learn import clutter, exporting, finding

    training, _ = _parts()
    faces, processes = clutter.packaged_fonts() + fonts.of_debian(), os.cpu_count() or 1
    parts = finding.stream(training, faces, _PARTS, _PATCHES, seed=_FINDER_SEED, processes=processes)
    n_steps = _PARTS * _EPOCHS * (_PATCHES // _BATCH)
    storage.make_folder(Path("runs"))
    model = finding.train(parts, n_steps, _EPOCHS, _BATCH, kept=Path("runs/finder.keras"))
    _keep("finder", exporting.finder_to_onnx(model, _said("finder", _FINDER_SEED)))


def reviewer() -> None:
    """Train the reviewer; replace `read/bundled/reviewer.onnx`. Needs the finder."""
    from tenfold.learn import clutter, exporting, reviewing

    training, _ = _parts()
    faces, processes = clutter.packaged_fonts() + fonts.of_debian(), os.cpu_count() or 1
    seen = reviewing.proposals(training, faces, _PICTURES, _REVIEWER_SEED, processes)
    alone = reviewing.proposals(training, faces, _ALONE, _REVIEWER_SEED + 1, processes, "alone")
    print(f"reviewer: {len(seen.labels):,} proposals, and {len(alone.labels):,} of digits alone", flush=True)
    model = reviewing.train(seen, _REVIEWS)
    some = (array[::_AMONG] for array in seen)
    last = reviewing.Seen(*(np.concatenate([a, *[b] * _TIMES]) for a, b in zip(some, alone, strict=True)))
    model = reviewing.train(last, 1, _LAST_RATE, start=model)
    said = {"joint": weighing.as_metadata(_JOINT), **_said("reviewer", _REVIEWER_SEED)}
    _keep("reviewer", exporting.reviewer_to_onnx(model, said))


def weights() -> Joint:
    """Fit how much each of the networks that ship counts, on pages of the digits held out, and print it."""
    from tenfold.learn import clutter

    composer = Composer(_parts()[1], clutter.packaged_fonts())
    pages = [weighing.picture(composer, np.random.default_rng([2, k])) for k in range(_PAGES)]
    pages += [composer.words(np.random.default_rng([3, k])) for k in range(_WORDS)]
    seen = weighing.places(pages, Shipped())
    joint = weighing.fit(seen)
    right = weighing.texts(seen, joint)[1].mean()
    print(f"{joint}, {right:.1%} of {len(pages):,} composed pictures read without a fault")
    return joint


def _said(name: str, seed: int) -> dict[str, object]:
    """How a network was made: the command, the seed of its examples, the digits that it was trained on."""
    command = f"python -m tenfold.learn.bundling {name}"
    return {"made_by": command, "seed": seed, "training_digits_sha256": _parts()[0].sha256}


def _parts() -> tuple[Digits, Digits]:
    """MNIST's training digits without, and with only, those held out."""
    every = load("mnist", "train")
    return (
        Digits(every.images[:-_HELD_OUT], every.known_labels[:-_HELD_OUT], every.name),
        Digits(every.images[-_HELD_OUT:], every.known_labels[-_HELD_OUT:], every.name),
    )


def _keep(name: str, content: bytes) -> None:
    storage.write_bytes(_BUNDLED / f"{name}.onnx", content)


if __name__ == "__main__":
    main(sys.argv[1:])
