"""`tenfold ensemble` and `tenfold sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenfold.cli import app, tell
from tenfold.cli.data import SOURCE_HELP
from tenfold.cli.learn import Changes
from tenfold.errors import printable

RecipeName = Annotated[str, typer.Option(help="A recipe's name (classic, mlp, cnn …) or a .json file.")]
Data = Annotated[str | None, typer.Option(help=f"Instead of the recipe's: {SOURCE_HELP}")]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training digits.")]
BatchSize = Annotated[int | None, typer.Option(help="Digits a step.")]
Validation = Annotated[str | None, typer.Option(help="Digits held out: a count, or a share below 1.")]
StartFrom = Annotated[str | None, typer.Option("--from", metavar="RUN", help="Start from the weights of a run, or bundled.")]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Train on this Ray cluster; auto: the one that runs here, else a new one."),
]
Processes = Annotated[int | None, typer.Option(min=1, help="Without a cluster: so many at once; one a core by default.")]


@app.command(short_help="Train several runs of a recipe; their mean is a run.")
def ensemble(
    recipe: RecipeName = "cnn",
    members: Annotated[int, typer.Option(help="How many runs.")] = 8,
    changes: Changes = None,
    data: Data = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    seed: Annotated[int | None, typer.Option(help="Of the first member; each further one has the next.")] = None,
    validation: Validation = None,
    start_from: StartFrom = None,
    run: Annotated[Path | None, typer.Option(help="Its folder; by default runs/RECIPE-ensemble, then …-2 …")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --run; more --members are added to it.")] = False,
    bare: Annotated[bool, typer.Option("--bare", help="No figures.")] = False,
    cluster: Cluster = None,
    processes: Processes = None,
) -> None:
    """Train runs that differ in their seed alone, each on one thread, and write their mean as a run with one ONNX file."""
    from tenfold.cli.cluster_output import described_ensemble, what_remains
    from tenfold.cluster import ensemble as ensembles
    from tenfold.cluster import places
    from tenfold.errors import UsageError
    from tenfold.learn import interrupts, recipes, runs

    if resume and run is None:
        raise UsageError("--resume: which ensemble? Name its folder with --run, such as --run runs/cnn-ensemble")
    overrides = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "validation": validation, "start_from": start_from}
    chosen = recipes.chosen(recipe, changes or [], data=data, **overrides)
    folder = run or runs.next_folder(f"{chosen.name}-ensemble")
    try:
        with places.opened(cluster, processes) as place, interrupts.alike():
            done = ensembles.train(chosen, members, folder, place, resume=resume, bare=bare)
    except KeyboardInterrupt:
        tell(what_remains(folder))
        raise
    except ensembles.UnfinishedError as problem:
        for name, said in problem.said.items():
            tell(f"error: {printable(folder / name)}: {printable(said)}")
        tell(what_remains(folder))
        raise typer.Exit(1) from problem
    typer.echo(described_ensemble(done))


@app.command(short_help="Search for better values of a recipe.")
def sweep(
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUES",
            help="What is varied: key=low..high, key=low..high:log or key=a,b,c; may be repeated. Else the learning rate.",
        ),
    ] = None,
    recipe: RecipeName = "cnn",
    trials: Annotated[int, typer.Option(min=1, help="How many, those before included.")] = 40,
    minutes: Annotated[float | None, typer.Option(min=0, help="No longer than this; the same command goes on.")] = None,
    at_once: Annotated[int, typer.Option(min=1, help="So many trials run beside each other; decides the search.")] = 4,
    changes: Changes = None,
    data: Data = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    seed: Annotated[int | None, typer.Option(help="Of all trainings, and of the search.")] = None,
    validation: Validation = None,
    start_from: StartFrom = None,
    run: Annotated[Path | None, typer.Option(help="Its folder; by default runs/RECIPE-sweep.")] = None,
    cluster: Cluster = None,
    processes: Processes = None,
) -> None:
    """Search for better values of a recipe on validation digits (Optuna: TPE, median pruning); goes on where it stopped."""
    from tenfold.cli.cluster_output import described_sweep
    from tenfold.cluster import places, ranges
    from tenfold.cluster import sweep as sweeps
    from tenfold.learn import interrupts, recipes, runs

    overrides = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "validation": validation, "start_from": start_from}
    chosen = recipes.chosen(recipe, changes or [], data=data, **overrides)
    plan = sweeps.Plan(chosen, tuple(ranges.read_all(over or [ranges.usual(chosen)], chosen)), at_once)
    folder = run or runs.ROOT / f"{chosen.name}-sweep"
    try:
        with places.opened(cluster, processes) as place, interrupts.alike():
            done = sweeps.search(plan, trials, folder, place, minutes)
    except KeyboardInterrupt:
        tell("what is finished is kept; the same command goes on")
        raise
    for number, said in done.said.items():
        tell(f"error: trial {number}: {printable(said)}")
    typer.echo(described_sweep(done))
    if done.said:
        raise typer.Exit(1)
