"""`tenfold bench`."""

from __future__ import annotations

from typing import Annotated

import typer

from tenfold.cli import app, tell


@app.command(short_help="How fast this machine trains and reads.")
def bench(
    recipe: Annotated[
        list[str] | None, typer.Option(help="A recipe to time; may be repeated. By default classic, mlp, cnn.")
    ] = None,
) -> None:
    """Measure how fast this machine reads with the model that ships, and trains; about half a minute."""
    from tenfold.errors import MissingExtraError
    from tenfold.read import speed

    chosen, missing = [], ""
    try:
        from tenfold.learn import recipes
        from tenfold.learn import speed as training_speed

        chosen = [recipes.find(name) for name in recipe or ("classic", "mlp", "cnn")]
    except MissingExtraError as problem:
        if recipe:
            raise
        missing = str(problem)
    reading = speed.measure()
    rates = f"{reading.per_second:8,.0f} glyphs a second on one thread, {reading.per_second_all:,.0f} on all"
    typer.echo("reading, the model that ships")
    typer.echo(f"  one glyph            {reading.one_ms:8.2f} ms   on one thread")
    typer.echo(f"  in batches           {rates}")
    if reading.per_second_all < reading.per_second:
        typer.echo("                       fewer on all than on one: other programs are computing here")
    typer.echo(f"  loading              {reading.load_ms:8.0f} ms")
    if missing:
        tell(f"\ntraining is not measured: {missing}")
        return
    limit = training_speed.matrix_product()
    typer.echo(f"\ntraining (the limit: {limit:.0f} GFLOP/s in a product of fp32 matrices)")
    for one in chosen:
        measured = training_speed.measure(one)
        rate = f"{measured.digits_per_second:9,.0f} digits a second, {measured.epoch_s():.1f} s an epoch of 60,000"
        share = _reached(measured.share_of(limit))
        typer.echo(f"  {one.name:18} {rate}, {share}, {measured.compile_s:.1f} s to compile, on {measured.backend}")


def _reached(share: float) -> str:
    """What is reached of the limit; nobody can pass it, unless it was measured too low or does not apply."""
    if share > 1:
        return "above the limit (other programs are computing here, or a GPU is)"
    return f"{100 * share:.0f} % of the limit"
