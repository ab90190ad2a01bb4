"""`tenfold serve`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tenfold.cli import app, tell
from tenfold.errors import UsageError, of_system, on_terminal

_MOST_TOKEN_BYTES = 4096
_LEAST_TOKEN_LENGTH = 16


@app.command(short_help="The service and the page.")
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any free one.")] = 8000,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A further name it may be called by; may be repeated.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A run's folder or an .onnx file instead of the bundled model; watched for changes.")
    ] = None,
    max_queue: Annotated[int, typer.Option(min=1, help="Requests that may wait before others are refused.")] = 64,
    token: Annotated[Path | None, typer.Option(metavar="FILE", help="A file with the token that callers must know.")] = None,
    samples: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where corrected digits are kept, if a user agrees.", show_default=False)
    ] = None,
    no_samples: Annotated[bool, typer.Option("--no-samples", help="Keep no corrections and learn nothing.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    allow_load: Annotated[bool, typer.Option("--allow-load", help="Let callers have the model's file read anew.")] = False,
) -> None:
    """Serve the page to draw on and the HTTP interface, on this machine alone unless told otherwise; docs/service.md."""
    from tenfold.data.samples import default_path
    from tenfold.errors import MissingExtraError
    from tenfold.serve.settings import Settings

    if no_samples and samples is not None:
        raise UsageError("--samples and --no-samples: expected one of them")
    kept = default_path() if samples is None else _checked(samples)
    settings = Settings(
        host=host,
        port=port,
        allow_hosts=tuple(allow_host or ()),
        model=None if str(model) == "bundled" else model,
        max_queue=max_queue,
        token=None if token is None else _read_token(token),
        samples=None if no_samples else kept,
        allow_load=allow_load,
    )
    try:
        from tenfold.serve.server import serve as run
    except MissingExtraError:
        raise
    except ModuleNotFoundError as problem:
        raise MissingExtraError("serve", str(problem.name)) from problem
    code = run(settings, _show if show else _say)
    if code:
        raise typer.Exit(code)


def _say(url: str) -> None:
    if on_terminal():
        tell(f"The page is at {url} (Ctrl-C ends the service.)")


def _show(url: str) -> None:
    """Open the page where there is a screen: without one, Python would start a browser in the terminal."""
    import webbrowser

    _say(url)
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)


def _read_token(path: Path) -> str:
    try:
        with path.open("rb") as file:
            token = file.read(_MOST_TOKEN_BYTES + 1).strip()
    except OSError as problem:
        raise UsageError(f"cannot read the token: {of_system(problem, path)}") from problem
    if not _LEAST_TOKEN_LENGTH <= len(token) <= _MOST_TOKEN_BYTES or not token.isascii() or not token.decode().isprintable():
        raise UsageError(
            f"{path}: expected one line of at least {_LEAST_TOKEN_LENGTH} ASCII characters, such as openssl rand -hex 16"
        )
    return token.decode()


def _checked(samples: Path) -> Path:
    """A file that was asked for is looked at now, rather than when the first user corrects a digit."""
    from tenfold import storage
    from tenfold.data.samples import Samples

    len(Samples(samples))  # refuses what is no such file
    storage.refuse_read_only(samples.parent)
    return samples
