"""`tenfold train`, `evaluate`, `runs`, `submit` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenfold.cli import app
from tenfold.cli.data import SOURCE_HELP, PartName

Changes = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe; may be repeated.")]
RUN_HELP = "The folder of a run, such as runs/classic; an .onnx file; or bundled."


@app.command(short_help="Train a network and leave a run folder.")
def train(
    recipe: Annotated[str, typer.Option(help="A recipe's name (classic) or a .json file.")] = "classic",
    changes: Changes = None,
    data: Annotated[str | None, typer.Option(help=f"Instead of the recipe's: {SOURCE_HELP}")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training digits.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Digits a step.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides the first weights and the order of the digits.")] = None,
    validation: Annotated[str | None, typer.Option(help="Digits held out: a count, or a share below 1.")] = None,
    start_from: Annotated[
        str | None, typer.Option("--from", metavar="RUN", help="Start from the weights of a run, or bundled.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Its folder; by default runs/RECIPE, then runs/RECIPE-2 …")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of --run.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write logs for TensorBoard too.")] = False,
    bare: Annotated[bool, typer.Option("--bare", help="No figures, report or ONNX.")] = False,
) -> None:
    """Train a network; leave its weights, figures and a report in a run folder."""
    from tenfold.cli.training_output import Announcer, conclusion
    from tenfold.errors import UsageError
    from tenfold.learn import runs, training

    if resume and run is None:
        raise UsageError("--resume: which run? Name its folder with --run, such as --run runs/classic; tenfold runs lists them")
    finished_before = run is not None and runs.Run(run).finished
    announcer = Announcer()
    try:
        done = training.train(
            recipe,
            data=data,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            changes=[*(changes or []), *([f"validation={validation}"] if validation is not None else [])],
            start_from=start_from,
            run=run,
            resume=resume,
            tensorboard=tensorboard,
            bare=bare,
            observers=[announcer],
        )
    except KeyboardInterrupt:
        typer.echo(announcer.how_to_go_on(), err=True)
        raise
    typer.echo(conclusion(done, finished_before))


@app.command(short_help="Measure a run on labelled digits.")
def evaluate(
    run: Annotated[str, typer.Argument(help=RUN_HELP)],
    data: Annotated[str | None, typer.Option(help=f"By default the test digits of the run's own set. {SOURCE_HELP}")] = None,
    part: Annotated[PartName | None, typer.Option(help="Which part of the set; test by default where there is one.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for metrics, figures and mistakes.")] = None,
) -> None:
    """Measure a run on labelled digits: accuracy with its interval, every class, calibration, confusions."""
    from tenfold.cli.measuring_output import describe
    from tenfold.learn import measuring

    subject = measuring.find(run)
    digits = measuring.digits_for(subject, data, part.value if part else None)
    evaluation = measuring.measure(subject, digits)
    typer.echo(describe(subject.name, evaluation))
    folder = output or subject.folder / "evaluations" / digits.name.replace(" ", "-").replace("/", "-")
    measuring.write(evaluation, folder)
    typer.echo(f"metrics.json, mistakes.csv and figures: {folder}", err=True)


@app.command()
def runs(root: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where the runs lie.")] = Path("runs")) -> None:
    """List all runs with their figures."""
    from tenfold.cli.measuring_output import list_of_runs
    from tenfold.learn.runs import list_runs

    found = list_runs(root)
    if not found:
        typer.echo(f"no runs in {root} yet; make one with: tenfold train", err=True)
        return
    typer.echo(list_of_runs(found))


@app.command(short_help="Write a Kaggle submission.")
def submit(
    run: Annotated[str, typer.Argument(help=RUN_HELP)],
    test: Annotated[str, typer.Argument(metavar="TEST.CSV", help="The competition's test.csv, or other digits.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("submission.csv"),
) -> None:
    """Write a Kaggle submission: ImageId,Label, ids from 1."""
    from tenfold.cli.measuring_output import trained_on
    from tenfold.data.sources import load
    from tenfold.data.sources.packaged import NAMES
    from tenfold.learn import measuring

    subject = measuring.find(run)
    digits = load(test, "test" if test in NAMES else "all")
    measuring.write_submission(subject, digits, output)
    typer.echo(trained_on(subject.n_trained_on(digits), len(digits)), err=True)
    typer.echo(f"{output}: {len(digits):,} predictions, ids 1 to {len(digits)}", err=True)


@app.command(short_help="Write a run's model as one ONNX file.")
def export(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="By default model.onnx in the run's folder.")] = None,
) -> None:
    """Write a run's model as one ONNX file, checked against Keras."""
    from tenfold.learn import publishing
    from tenfold.learn.runs import open_run

    path = output or run / "model.onnx"
    difference = publishing.export(open_run(run), path)
    typer.echo(f"{path}: differs from Keras by at most {difference:.1g} in a probability", err=True)
