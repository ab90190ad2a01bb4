"""Mutation testing: `python fuzz/mutate.py MODULE SAMPLES TEST...` changes one thing at a time and sees whether a test fails.

mutmut and cosmic-ray would run every mutant; with a few thousand of them and tests that start processes and Keras that takes
days here, so a sample is drawn, the same one for the same seed. A copy of the package is changed, never the package itself.

Mutants: a comparison, an operator of arithmetic, `and`/`or`, a whole number or a truth value is replaced, a `not` left out, a
statement that stands alone left out. What is printed is `killed` or `SURVIVED`, the line and the change.
"""

from __future__ import annotations

import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SEED = 0
_PATIENCE_S = 300  # longer than any of the tests need: a mutant that loops is killed by it

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip


def main(module: str, samples: str, *tests: str) -> None:
    """Try a sample of the mutants of a module against tests."""
    source = (ROOT / "src" / module).read_text()
    n = len(list(_places(ast.parse(source))))
    chosen = sorted(random.Random(_SEED).sample(range(n), min(int(samples), n)))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "src", folder, dirs_exist_ok=True)
        if _survives(Path(folder), tests) is False:
            sys.exit("the tests fail without any change")
        killed = sum(_tried(Path(folder), module, source, number, tests) for number in chosen)
    print(f"{module}: {killed} of {len(chosen)} mutants killed, drawn from {n}", flush=True)


def _tried(folder: Path, module: str, source: str, number: int, tests: tuple[str, ...]) -> bool:
    tree = ast.parse(source)
    line, what, change = list(_places(tree))[number]
    change()
    (folder / module).write_text(ast.unparse(ast.fix_missing_locations(tree)))
    survives = _survives(folder, tests)
    (folder / module).write_text(source)
    print(f"{'SURVIVED' if survives else 'killed'} {module}:{line} {what}", flush=True)
    return not survives


def _survives(folder: Path, tests: tuple[str, ...]) -> bool:
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _places(tree: ast.Module) -> Iterator[tuple[int, str, Callable[[], None]]]:
    """What can be changed: line, description, and what makes the change."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for k, operator in enumerate(node.ops):
                other = _COMPARISONS[type(operator)]
                yield node.lineno, f"{ast.unparse(node)}: {other.__name__}", _setter(node.ops, k, other())
        elif isinstance(node, ast.FunctionDef):
            for k, statement in enumerate(node.body):
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                    yield statement.lineno, f"{ast.unparse(statement)}: left out", _setter(node.body, k, ast.Pass())
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
            value = not node.value if isinstance(node.value, bool) else node.value + 1
            yield node.lineno, f"{node.value!r}: {value!r}", _setter(node, "value", value)
        elif isinstance(node, ast.BinOp | ast.BoolOp | ast.UnaryOp) and (operation := _other(node)):
            yield node.lineno, f"{ast.unparse(node)}: {type(operation).__name__}", _setter(node, "op", operation)


def _other(node: ast.BinOp | ast.BoolOp | ast.UnaryOp) -> ast.AST | None:
    """An operator in the place of a node's own, or None."""
    if isinstance(node, ast.BoolOp):
        return ast.Or() if isinstance(node.op, ast.And) else ast.And()
    if isinstance(node, ast.UnaryOp):
        return ast.UAdd() if isinstance(node.op, ast.Not) else None
    return _OPERATORS[type(node.op)]() if type(node.op) in _OPERATORS and not _is_annotation(node) else None


def _is_annotation(node: ast.BinOp) -> bool:
    """Whether this is a type such as `int | None`, where a change means nothing."""
    sides = (node.left, node.right)
    return isinstance(node.op, ast.BitOr) and any(isinstance(side, ast.Constant) and side.value is None for side in sides)


def _setter(owner: object, place: object, value: object) -> Callable[[], None]:
    def change() -> None:
        if isinstance(owner, list):
            owner[place] = value  # type: ignore[call-overload]
        else:
            setattr(owner, str(place), value)

    return change


if __name__ == "__main__":
    main(*sys.argv[1:])
