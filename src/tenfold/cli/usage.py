"""What is wrong with a command line, in the words of this house instead of Typer's and Pydantic's."""

from __future__ import annotations

from typing import Any

import typer

from tenfold.errors import MissingExtraError

# What Pydantic finds wrong with a value, and what would have been right; in braces, what it says of the bound.
_EXPECTED = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "greater_than_equal": "{ge:g} or more",
    "less_than_equal": "{le:g} or less",
}
_TOO_MUCH, _NO_CHOICE = "Got unexpected extra argument(s) (", " is not one of "


def said(problem: typer.TyperException) -> str:
    """What is wrong, what was expected, and where the help is."""
    context = getattr(problem, "ctx", None)
    said = problem.format_message()
    if context and said.startswith("Missing argument"):
        # Which one of several is missing is anyone's guess: all that belong there are said.
        said = f"an argument is missing; expected {_form(context)}"
    elif context and said.startswith(_TOO_MUCH):
        said = _too_much(said.removeprefix(_TOO_MUCH).removesuffix(")"), context)
    elif problem.__cause__ is not None and getattr(problem, "param", None):
        said = _wrong_value(problem, said)
    elif possible := getattr(problem, "possibilities", None):
        said = f"{problem.option_name}: no such option; did you mean {' or '.join(sorted(possible))}?"  # type: ignore[attr-defined]
    remedy = f" (see {context.command_path} --help)" if context else ""
    return f"{' '.join(said.split())}{remedy}"


def _form(context: Any) -> str:
    """A command with its arguments, such as `tenfold convert FROM TO`."""
    wanted = [str(p.metavar or p.name).upper() for p in context.command.params if p.param_type_name == "argument"]
    return " ".join([context.command_path, *wanted])


def _too_much(given: str, context: Any) -> str:
    if any(p.name == "recipe" for p in context.command.params) and _is_recipe(given):
        return f"{given}: an option is missing before it; did you mean --recipe {given}?"
    expected = _form(context)
    return f"{given}: more than the command takes; expected {expected}{' and options' * (expected == context.command_path)}"


def _is_recipe(name: str) -> bool:
    try:
        from tenfold.learn.recipes import RECIPES
    except MissingExtraError:
        return False
    return name in RECIPES


def _wrong_value(problem: Any, otherwise: str) -> str:
    """What Pydantic found wrong with the value of an option; what it says itself where that is something else."""
    found = problem.__cause__.errors()[0]
    _, is_choice, choices = found["msg"].partition(_NO_CHOICE)
    if is_choice:
        expected = "one of " + choices.replace("'", "").removesuffix(".")
    elif found["type"] in _EXPECTED:
        expected = _EXPECTED[found["type"]].format(**found.get("ctx", {}))
    else:
        return otherwise
    option = problem.param.get_error_hint().replace("'", "")
    return f"{option} {found['input']}: expected {expected}"
