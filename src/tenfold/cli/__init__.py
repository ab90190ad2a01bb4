"""The command line: parse, call, print. One module a wing; each command imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
import warnings

import click
import typer

from tenfold.errors import TenfoldError, TenfoldNotice

app = typer.Typer(
    name="tenfold",
    help="Reads handwritten digits: trains a small network on MNIST, shows how good it is, and puts it to work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from tenfold import __version__

        typer.echo(f"tenfold {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version and exit."),
    debug: bool = typer.Option(False, "--debug", help="Show a traceback where an error would be one line."),
) -> None:
    pass


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 part of the work failed, 2 unusable input, 130 interrupted."""
    from tenfold.cli import data, learn, read  # noqa: F401  each registers its commands

    debug = "--debug" in sys.argv[1:]
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    warnings.showwarning = _show_notice
    try:
        code = app(arguments, prog_name="tenfold", standalone_mode=False)
    except (click.exceptions.NoArgsIsHelpError, click.exceptions.Exit) as stop:
        code = getattr(stop, "exit_code", 0)
    except click.ClickException as problem:
        code = _say(problem.format_message(), debug, usage=problem)
    except TenfoldError as problem:
        code = _say(str(problem), debug)
    except (KeyboardInterrupt, click.Abort):
        typer.echo("interrupted", err=True)
        code = 130
    except BrokenPipeError:
        # Whoever read our output has closed it (`tenfold runs | head`); keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _say(message: str, debug: bool, usage: click.ClickException | None = None) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    context = getattr(usage, "ctx", None)
    remedy = f" (see {context.command_path} --help)" if context else ""
    typer.echo(f"error: {' '.join(message.split())}{remedy}", err=True)
    return 2


def _show_notice(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """Notices are for the user; other libraries' warnings are not."""
    if issubclass(category, TenfoldNotice):
        typer.echo(f"note: {message}", err=True)
