"""`tenfold train`, `evaluate`, `compare`, `recipes`, `runs`, `submit` and `export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenfold import storage
from tenfold.cli import app, tell
from tenfold.cli.data import SOURCE_HELP, PartName
from tenfold.errors import printable

if TYPE_CHECKING:
    from tenfold.learn.recipe import Recipe

Changes = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe; may be repeated.")]
RUN_HELP = "The folder of a run, such as runs/classic, or of folds; an .onnx file; or bundled."
RUNS_HELP = f"{RUN_HELP} Several are averaged."
Tta = Annotated[bool, typer.Option("--tta", help="Test-time augmentation: average over the digit moved by a pixel.")]


@app.command(short_help="Train a network and leave a run folder.")
def train(
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A recipe's name (classic, mlp, cnn …) or a .json file; by default the run's with --resume, else classic."
        ),
    ] = None,
    changes: Changes = None,
    data: Annotated[str | None, typer.Option(help=f"Instead of the recipe's: {SOURCE_HELP}")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training digits.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Digits a step.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides the first weights and the order of the digits.")] = None,
    validation: Annotated[str | None, typer.Option(help="Digits held out: a count, or a share below 1.")] = None,
    folds: Annotated[int | None, typer.Option(help="Train so many runs, each validated on a fold of its own.")] = None,
    start_from: Annotated[
        str | None, typer.Option("--from", metavar="RUN", help="Start from the weights of a run, or bundled.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Its folder; by default runs/RECIPE, then runs/RECIPE-2 …")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of --run, or begin there.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write logs for TensorBoard too.")] = False,
    bare: Annotated[bool, typer.Option("--bare", help="No figures, report or ONNX.")] = False,
    test: Annotated[
        bool, typer.Option("--test/--no-test", help="Measure the test digits at the end, or leave them alone.")
    ] = True,
) -> None:
    """Train a network; leave its weights, figures and a report in a run folder."""
    from tenfold.cli.training_output import Announcer, conclusion, described_folds
    from tenfold.errors import UsageError
    from tenfold.learn import backend, interrupts, recipes, runs, training
    from tenfold.learn.runs import Run

    backend.own_process()
    if folds is not None and validation is not None:
        raise UsageError("--folds and --validation: the folds are what is held out; give one of the two")
    if resume and run is None:
        raise UsageError("--resume: which run? Name its folder with --run, such as --run runs/classic; tenfold runs lists them")
    finished_before = run is not None and runs.Run(run).finished
    announcer = Announcer(folds)
    overrides = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "validation": validation, "start_from": start_from}
    begun = runs.Run(run / "fold-1" if folds is not None else run) if run is not None and resume else None
    by_default = begun.recipe if begun is not None and begun.begun else "classic"
    chosen = _with_corrections(recipes.chosen(recipe or by_default, changes or [], data=data, **overrides))

    def train_one(recipe: Recipe, folder: Path | None) -> Run:
        return training.train(
            recipe,
            run=folder,
            resume=resume,
            tensorboard=tensorboard,
            bare=bare,
            test=test,
            observers=[announcer],
        )

    folder = run or runs.next_folder(f"{chosen.name}-folds")
    with interrupts.alike():
        try:
            if folds is not None:
                from tenfold.learn import folds as k_fold

                typer.echo(described_folds(k_fold.train(chosen, folds, folder, resume=resume, train_one=train_one)))
                return
            done = train_one(chosen, run)
        except KeyboardInterrupt:
            tell(announcer.how_to_go_on(folder if folds is not None else None))
            raise
    typer.echo(conclusion(done, finished_before))


def _with_corrections(recipe: Recipe) -> Recipe:
    """A recipe that learns from corrections finds them where the page keeps them, unless a file of them lies here."""
    from tenfold.learn import recipes

    if recipe.data != recipes.RECIPES["adapt"].data or storage.exists(Path(recipe.data)):
        return recipe
    from tenfold.data import samples

    return recipes.chosen(recipe, data=str(samples.default_path()))


@app.command(short_help="Measure a run on labelled digits.")
def evaluate(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help=RUNS_HELP)],
    data: Annotated[str | None, typer.Option(help=f"By default the test digits of the run's own set. {SOURCE_HELP}")] = None,
    part: Annotated[PartName | None, typer.Option(help="Which part of the set; test by default where there is one.")] = None,
    tta: Tta = False,
    corruptions: Annotated[
        bool, typer.Option("--corruptions", help="Also on 2,000 of them made harder in eleven ways, one to two minutes.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for metrics, figures and mistakes.")] = None,
) -> None:
    """Measure a run on labelled digits: accuracy with its interval, every class, calibration, confusions."""
    from tenfold.cli.measuring_output import corruption_table, describe
    from tenfold.learn import measuring

    subject = measuring.find_all(runs)
    subject = measuring.augmented(subject) if tta else subject
    digits = measuring.digits_for(subject, data, part.value if part else None)
    folder = output or measuring.folder_for(subject, digits)
    measuring.refuse_run_folder(folder)
    storage.refuse_read_only(folder)
    evaluation = measuring.measure(subject, digits)
    typer.echo(describe(subject.name, evaluation))
    measuring.write(evaluation, subject, folder)
    if corruptions:
        accuracies = measuring.measure_corrupted(subject, digits)
        typer.echo(f"\n{corruption_table(accuracies)}")
        measuring.write_corrupted(accuracies, subject.name, folder)
    tell(f"metrics.json, mistakes.csv and figures: {printable(folder)}")


@app.command(short_help="Two runs on the same digits.")
def compare(
    one: Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP)],
    other: Annotated[str, typer.Argument(metavar="RUN", help="The other one.")],
    data: Annotated[str | None, typer.Option(help=f"By default the test digits of the first run's set. {SOURCE_HELP}")] = None,
    part: Annotated[PartName | None, typer.Option(help="Which part of the set; test by default where there is one.")] = None,
) -> None:
    """Compare two runs on the same digits; McNemar's test says whether the difference may be chance."""
    from tenfold.cli.measuring_output import comparison
    from tenfold.learn import measuring

    pair = measuring.find(one), measuring.find(other)
    digits = measuring.digits_for(pair[0], data, part.value if part else None)
    typer.echo(comparison(one, other, measuring.compare(*pair, digits)))


@app.command(name="recipes", short_help="List the recipes, or show one.")
def list_recipes(
    name: Annotated[
        str | None, typer.Argument(metavar="[RECIPE]", help="Show this one as JSON, to be changed and trained.")
    ] = None,
) -> None:
    """List the recipes with a sentence on why; or show one as JSON, a file that `train --recipe` takes."""
    from tenfold.cli.training_output import described_recipes
    from tenfold.learn import recipes

    typer.echo(recipes.as_json(recipes.find(name)).decode().rstrip() if name else described_recipes(recipes.RECIPES))


@app.command()
def runs(root: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where the runs lie.")] = Path("runs")) -> None:
    """List all runs with their figures."""
    from tenfold.cli.measuring_output import list_of_runs
    from tenfold.errors import UsageError
    from tenfold.learn.runs import list_runs

    if root != Path("runs") and not root.is_dir():
        raise UsageError(f"{root}: no such folder")
    found = list_runs(root)
    if not found:
        tell(f"no runs in {printable(root)} yet; make one with: tenfold train")
        return
    typer.echo(list_of_runs(found))


@app.command(short_help="Write a Kaggle submission.")
def submit(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help=RUNS_HELP)],
    test: Annotated[str, typer.Argument(metavar="TEST.CSV", help="The competition's test.csv, or other digits.")],
    tta: Tta = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; - for standard output.")] = Path(
        "submission.csv"
    ),
) -> None:
    """Write a Kaggle submission: ImageId,Label, ids from 1."""
    from tenfold.cli.measuring_output import trained_on
    from tenfold.data.sources import load_checked
    from tenfold.data.sources.packaged import NAMES
    from tenfold.learn import measuring

    subject = measuring.find_all(runs)
    subject = measuring.augmented(subject) if tta else subject
    digits = load_checked(test, "test" if test in NAMES else "all")
    measuring.write_submission(subject, digits, _or_stdout(output))
    tell(trained_on(subject.n_trained_on(digits), len(digits)))
    tell(f"{printable(output)}: {len(digits):,} predictions, ids 1 to {len(digits)}")


class ModelFormat(StrEnum):
    """What `export` writes."""

    ONNX = "onnx"
    LITERT = "litert"
    SAVEDMODEL = "savedmodel"
    KERAS = "keras"


@app.command(short_help="Write a run's model for other programs.")
def export(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    form: Annotated[
        ModelFormat, typer.Option("--format", help="LiteRT and SavedModel need Keras on TensorFlow.")
    ] = ModelFormat.ONNX,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="By default model.onnx, model.tflite, savedmodel or exported.keras in the run's; - for standard output.",
        ),
    ] = None,
) -> None:
    """Write a run's model as ONNX, LiteRT, SavedModel or Keras, read back and compared with the run."""
    from tenfold.cluster import ensemble as ensembles
    from tenfold.errors import UsageError
    from tenfold.learn import formats, publishing
    from tenfold.learn.runs import open_run

    if str(run) == "bundled" or run.suffix == ".onnx":
        raise UsageError(f"{run} is an ONNX model already; expected the folder of a run, such as runs/classic")
    is_ensemble = ensembles.is_one(run)
    if is_ensemble and form != "onnx":
        raise UsageError(f"{run}: an ensemble is written as --format onnx; or export one of its members")
    path = _or_stdout(output or run / formats.DEFAULTS[form])
    formats.refuse_name(path, form)
    if is_ensemble:
        ensembles.export(run, path)
        tell(f"{printable(path)}: the mean of its members, each checked against Keras")
        return
    difference = publishing.export(open_run(run), path, form)
    tell(f"{printable(path)}: differs from the run by at most {difference:.1g} in a probability")


def _or_stdout(path: Path) -> Path:
    """The path, or where standard output is written to for `-`."""
    return Path("/dev/stdout") if str(path) == "-" else path
