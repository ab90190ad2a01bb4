"""The errors a user can cause. Each message is one line: what, where, what was expected, what to do.

Everything here derives from `TenfoldError`; the command line prints such an error as one line and exits with 2.
Any other exception is a fault of tenfold itself.
"""

from __future__ import annotations

import sys
from pathlib import Path


class TenfoldError(Exception):
    """Base of all errors that a user's input can cause."""

    def __str__(self) -> str:
        """The message as one printable line, whatever characters a file's name or content brought in."""
        return printable(super().__str__())


class UsageError(TenfoldError):
    """An argument or option that does not make sense."""


class DataError(TenfoldError):
    """A data set that cannot be used: a broken file, a wrong value, a missing label."""


class PictureError(TenfoldError):
    """A picture that cannot be decoded or is over a limit."""


class TooManyPixelsError(PictureError):
    """A picture of more pixels than allowed.

    Args:
        fact: which picture, and how many are allowed.
        variable: of the environment, by which more are.
    """

    @property
    def fact(self) -> str:
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.fact}; shrink it, or raise {self.args[1]}"


class ModelError(TenfoldError):
    """A model file that is not one of tenfold's, is damaged or is over a limit."""


class RecipeError(TenfoldError):
    """A recipe with an unknown key or a value out of range."""


class RunError(TenfoldError):
    """A run folder that is missing, in use, incomplete or does not fit what is asked of it."""


class StorageError(TenfoldError):
    """A file or folder that cannot be written: read-only, disk full."""


class MissingExtraError(TenfoldError, ImportError):
    """A library of one of tenfold's extras is not installed."""

    def __init__(self, extra: str, missing: str) -> None:
        super().__init__(
            f"this needs the extra [{extra}] ({missing} is missing); add it with: pip install '.[{extra}]' in tenfold's folder"
        )


class TenfoldNotice(UserWarning):
    """Something a user should know that does not stop the work, such as further frames of a GIF that are not read."""


def on_terminal() -> bool:
    """Whether a person is looking: standard error, which may be closed, is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def printable(text: str | Path) -> str:
    r"""Text from elsewhere as one line that steers no terminal: what is not printable is escaped.

    So is a byte of a file's name that is no UTF-8, for which Python has a character of its own: it becomes such as `\xff`.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode().replace("\\udc", "\\x") for c in str(text))


def of_system(problem: OSError, path: Path) -> str:
    """Say in one line what the operating system refused, e.g. 'runs/a: Permission denied'."""
    return f"{path}: {problem.strerror or str(problem) or type(problem).__name__}"
