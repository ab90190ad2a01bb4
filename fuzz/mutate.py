"""Mutation testing: one thing of a module is changed at a time, and some test of its area must fail.

    python fuzz/mutate.py AREA                      every mutant of the area: picture, lines, sources, runs or storage
    python fuzz/mutate.py AREA --sample 120         as many of them, the same ones for the same --seed (0)
    python fuzz/mutate.py AREA --at ink.py:45 ...   those of these lines

Mutants, as `_variants` makes them: a comparison, an operator of arithmetic, `and`/`or`, `any`/`all`, `min`/`max` becomes its
neighbour or opposite; a number becomes one more, a truth value the other; a `not` or a minus is left out; a condition that is
no comparison is turned round; a call that stands alone, a `raise`, a bare `return`, `x += ...` is left out; `break` and
`continue` change places. Left as they are, since they cannot matter: annotations (unless they call something: msgspec reads the
bounds in them), `X | None`, type aliases, what stands under TYPE_CHECKING. Each line printed is `killed` or `SURVIVED`, the
place and the change; then the score.

What is changed is a copy of the package, in which the tests run too, so the working tree stays as it is. But mutants write
and remove what they should not: run them as an ordinary user or in a container. One process imports the libraries and forks
for each mutant; the quickest tests come first, up to the first that fails. Tests that take more than a second are left out,
so the score is a lower bound. A mutant for which the tests take five times as long as without a change, or more than 8 GiB,
counts as killed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).parents[1]
AREAS = {
    "picture": ("picture/*.py", "tests/picture"),
    "lines": ("read/lines.py", "tests/read/test_lines.py"),
    "sources": ("data/sources/*.py", "tests/data/sources", "tests/data/test_properties.py"),
    "runs": ("learn/runs.py", "tests/learn/test_runs.py", "tests/learn/test_strange_weights.py"),
    "storage": ("storage.py", "tests/test_storage.py"),
}
_LIBRARIES = ("scipy.ndimage", "PIL.ImageOps", "hypothesis.extra.numpy", "onnx", "onnxruntime", "msgspec", "pypdfium2", "httpx")
_PATIENCE = 5  # times the tests' own time
_SLOW_S = 1.0  # of the processor
_MEMORY = 8 * 2**30  # bytes of addresses; some mutants would take all there is

_OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.Break: ast.Continue, ast.Continue: ast.Break,
}  # fmt: skip
_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}


class Timing:
    """Sorts tests by the seconds of the processor that they took, leaves out the slow ones, or notes the seconds first."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds, self.noted = seconds, {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if self._seconds.get(item.nodeid, 0) < _SLOW_S]
        items.sort(key=lambda item: self._seconds.get(item.nodeid, 0))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        before = time.process_time()
        done = yield
        self.noted[item.nodeid] = time.process_time() - before
        return done


def main() -> None:
    """Try mutants of an area and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at", nargs="+", default=[], metavar="FILE:LINE")
    wanted = parser.parse_args()
    modules, *tests = AREAS[wanted.area]
    for library in _LIBRARIES:
        importlib.import_module(library)
    quick = {"database": None, "deadline": None, "phases": [Phase.explicit, Phase.generate], "derandomize": True}
    settings.register_profile("mutants", **quick, suppress_health_check=list(HealthCheck))
    settings.load_profile("mutants")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), tests)
        found = [(path, n) for path in sorted((bench.package).glob(modules)) for n in range(len(_mutants(path.read_text())))]
        chosen = sorted(random.Random(wanted.seed).sample(found, min(wanted.sample or len(found), len(found))))
        if wanted.at:
            chosen = [(path, n) for path, n in found if f"{path.name}:{_mutants(path.read_text())[n][0]}" in wanted.at]
        killed = sum(bench.kills(path, n) for path, n in chosen)
    print(
        f"{wanted.area}: {killed} of {len(chosen)} mutants killed ({killed / max(len(chosen), 1):.1%}), there are {len(found)}"
    )


class Bench:
    """A copy of the package and its tests, to harm one and see what the other say."""

    def __init__(self, folder: Path, tests: list[str]) -> None:
        self._folder, self._tests = folder, tests
        for name in ("src", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        self.package = folder / "src" / "tenfold"
        self._seconds: dict[str, float] = {}
        self._limit_s = 3600
        before = time.monotonic()
        if not self._survives():
            sys.exit((folder / "said").read_text() + "the tests fail without any change")
        self._limit_s = 10 + int(_PATIENCE * (time.monotonic() - before))
        self._seconds = json.loads((folder / "seconds").read_text())

    def kills(self, path: Path, number: int) -> bool:
        """Whether a test notices this mutant of a module."""
        source = path.read_text()
        line, change, mutant = _mutants(source)[number]
        path.write_text(mutant)
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):  # Python would believe it: same second, maybe same size
            compiled.unlink()
        survives = self._survives()
        path.write_text(source)
        print(f"{'SURVIVED' if survives else 'killed'} {path.relative_to(self.package)}:{line} {change}", flush=True)
        return not survives

    def _survives(self) -> bool:
        process = os.fork()
        if not process:
            try:
                os._exit(self._tested())
            finally:
                os._exit(70)
        _, status = os.waitpid(process, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)  # what the tests started
        code = os.waitstatus_to_exitcode(status)
        if code > pytest.ExitCode.INTERRUPTED:  # 0 all passed, 1 one failed, 2 the tests could not be imported
            sys.exit(f"pytest failed itself: exit code {code}")
        return code == 0

    def _tested(self) -> int:
        """In a process of its own: run the tests."""
        os.setpgid(0, 0)
        signal.alarm(self._limit_s)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        sys.dont_write_bytecode = bool(self._seconds)
        sys.path.insert(0, str(self._folder / "src"))
        os.environ["PYTHONPATH"] = sys.path[0]
        os.chdir(self._folder)
        said = os.open(self._folder / "said", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        for stream in (0, 1, 2):
            os.dup2(said if stream else os.open(os.devnull, os.O_RDONLY), stream)
        timing = Timing(self._seconds)
        options = [
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-W",
            "ignore::pytest.PytestAssertRewriteWarning",
            f"--basetemp={self._folder / 'temporary'}",
        ]
        code = pytest.main([*options, *self._tests], plugins=[timing])
        if not self._seconds:
            (self._folder / "seconds").write_text(json.dumps(timing.noted))
        return int(code)


@functools.cache
def _mutants(source: str) -> list[tuple[int, str, str]]:
    """All mutants of a module: the line, the change in words, the whole text."""
    tree, found = ast.parse(source), []
    for owner, place, node in list(_slots(tree)):
        for variant in _variants(node):
            _put(owner, place, variant)
            found.append((node.lineno, f"{_shown(node)}  ->  {_shown(variant)}", ast.unparse(ast.fix_missing_locations(tree))))
            _put(owner, place, node)
    return found


def _slots(owner: ast.AST) -> Iterator[tuple[object, object, ast.AST]]:
    """Every node that can matter with the place that it stands in: a list and an index, or a node and a field."""
    for field, value in ast.iter_fields(owner):
        if field in ("annotation", "returns") and not any(isinstance(part, ast.Call) for part in ast.walk(value or ast.Pass())):
            continue
        for owner_, place, node in (
            [(value, k, v) for k, v in enumerate(value)] if isinstance(value, list) else [(owner, field, value)]
        ):
            if isinstance(node, ast.AST) and not _is_of_types(node):
                yield owner_, place, node
                yield from _slots(node)


def _is_of_types(node: ast.AST) -> bool:
    """Whether this is for the type checker alone: an alias, or what stands under TYPE_CHECKING."""
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.annotation) == "TypeAlias"
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _is_optional(node: ast.BinOp) -> bool:
    return isinstance(node.op, ast.BitOr) and ast.unparse(node.right) == "None"


def _variants(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901
    match node:
        case ast.Compare(left, ops, comparators):
            for k, operator in enumerate(ops):
                yield ast.Compare(left, [*ops[:k], _OPPOSITES[type(operator)](), *ops[k + 1 :]], comparators)
        case ast.BinOp(left, operator, right) if not _is_optional(node):
            yield ast.BinOp(left, _OPPOSITES[type(operator)](), right)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(_OPPOSITES[type(operator)](), values)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Name(name) if name in _NAMES:
            yield ast.Name(_NAMES[name])
        case ast.Expr(ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Return(None):
            yield ast.Pass()
        case ast.Break() | ast.Continue():
            yield _OPPOSITES[type(node)]()
        case ast.If(test, body, orelse) | ast.IfExp(test, body, orelse) if not _has_variants(test):
            yield type(node)(ast.UnaryOp(ast.Not(), test), body, orelse)


def _has_variants(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare | ast.BoolOp) or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not))


def _put(owner: object, place: object, node: ast.AST) -> None:
    if isinstance(owner, list):
        owner[place] = node  # type: ignore[index]
    else:
        setattr(owner, str(place), node)


def _shown(node: ast.AST) -> str:
    return ast.unparse(node).split("\n")[0][:90]


if __name__ == "__main__":
    main()
