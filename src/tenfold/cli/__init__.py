"""The command line: parse, call, print. One module a wing; each command imports what it needs when it runs."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from importlib import import_module
from pathlib import Path

import typer

from tenfold.errors import StorageError, TenfoldError, TenfoldNotice, of_system, printable

_INTERRUPTED = 130
# Which module registers which commands: that of the command that is asked for is imported alone, and the others for help.
WINGS = {
    "bench": ("bench",),
    "cluster": ("ensemble", "sweep"),
    "data": ("inspect", "convert"),
    "learn": ("train", "evaluate", "compare", "recipes", "runs", "submit", "export"),
    "read": ("read",),
    "serve": ("serve",),
}

app = typer.Typer(
    name="tenfold",
    help="Reads handwritten digits: trains a small network on MNIST, shows how good it is, and puts it to work.",
    epilog="Exit codes: 0 done; 1 in part, as when one of many pictures cannot be read; 2 not, an error says why; 130 stopped.",
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
    """Run the command line as a process of its own."""
    code = run()
    gc.freeze()  # or Python would look through every object of TensorFlow for rubbish before it ends, which takes a second
    sys.exit(code)


def run() -> int:
    """Run the command line. Exit codes: 0 done, 1 part of the work failed, 2 unusable input, 130 interrupted."""
    debug = "--debug" in sys.argv[1:]
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    if sys.stdout is None:  # closed; what is said there would be lost, except that a service says nothing
        if arguments[:1] != ["serve"]:
            return _say(StorageError("cannot write the output: standard output is closed"), debug)
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  until the process ends
    register(arguments[0] if arguments else None)
    warnings.showwarning = _show_notice
    try:
        # Typer turns an interrupt into the exit code 130.
        code = app(arguments or ["--help"], prog_name="tenfold", standalone_mode=False) or 0
        sys.stdout.flush()
    except (TenfoldError, typer.TyperException) as problem:
        code = _say(problem, debug)
    except OSError as problem:
        if problem.filename is not None:
            code = _say(StorageError(f"cannot use {of_system(problem, problem.filename)}"), debug)
        else:  # standard output on a full disk
            code = _say(StorageError(f"cannot write the output: {problem.strerror}"), debug)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try, and complain, once more at its end
    if code == _INTERRUPTED:
        tell("interrupted")
    return int(code)


def register(command: str | None = None) -> None:
    """Import the module of a command, or all of them: each registers its commands with `app`."""
    asked = [wing for wing, commands in WINGS.items() if command in commands]
    for wing in asked or WINGS:
        import_module(f"tenfold.cli.{wing}")


def tell(line: str) -> None:
    """Say something on standard error; where that cannot be written, as on a full disk, the exit code speaks alone."""
    try:
        typer.echo(line, err=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # or Python would try once more at its end, and exit with 120


def _say(problem: TenfoldError | typer.TyperException, debug: bool) -> int:
    """Say in one line what is wrong; for wrong usage also where the help is."""
    if debug:
        import traceback

        sys.stderr.write("".join(traceback.format_exception(problem)[:-1]))  # the last line is what is said below
    if isinstance(problem, TenfoldError):
        message = str(problem)
    else:
        from tenfold.cli import usage

        message = usage.said(problem)
    tell(f"error: {' '.join(message.split())}")
    return 2


def _show_notice(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """Notices are for the user; other libraries' warnings are not."""
    if issubclass(category, TenfoldNotice):
        tell(f"note: {printable(str(message))}")
