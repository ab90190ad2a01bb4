import subprocess
import sys

import pytest

COMMANDS = ["inspect", "convert", "train", "evaluate", "runs", "submit", "export", "read"]


@pytest.mark.parametrize("options", [["--help"], ["-h"], []])
def test_help_names_every_command(tenfold, options: list[str]) -> None:
    result = tenfold(*options)
    assert result.code == 0
    assert all(f"  {command}" in result.out for command in COMMANDS)


def test_version(tenfold) -> None:
    from tenfold import __version__

    assert tenfold("--version") == (0, f"tenfold {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "No such command 'trian'"),
        (["train", "--epoch", "x"], "--epoch"),
        (["train", "--epochs", "x"], "expected a whole number"),
        (["convert", "mnist"], "expected tenfold convert FROM TO"),
        (["inspect", "mnist", "--part", "half"], "--part half: expected one of train"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(tenfold, arguments: list[str], said: str) -> None:
    result = tenfold(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert said in result.err
    assert result.err.count("\n") == 1


def test_debug_adds_the_traceback_wherever_it_stands(tenfold) -> None:
    plain, debug = tenfold("evaluate", "nowhere"), tenfold("evaluate", "nowhere", "--debug")
    assert plain.code == debug.code == 2
    assert "Traceback" not in plain.err
    assert "Traceback" in debug.err
    assert debug.err.endswith(plain.err)
    assert debug.err.count(plain.err.removeprefix("error: ")) == 1


def test_an_interrupt_is_exit_130(tenfold, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tenfold.data.sources.load", interrupt)
    result = tenfold("convert", "mnist", "out.csv")
    assert (result.code, result.err) == (130, "interrupted\n")


def test_help_and_import_load_neither_keras_nor_onnx_runtime() -> None:
    heavy = "('keras', 'tensorflow', 'jax', 'onnxruntime', 'numpy', 'pandas')"
    code = f"""
import sys
import tenfold
assert not [m for m in {heavy} if m in sys.modules], 'import tenfold'
from tenfold.cli import WINGS, main
sys.argv = ['tenfold', '--help']
try:
    main()
except SystemExit:
    pass
assert not [m for m in {heavy} if m in sys.modules], 'tenfold --help'
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_reader_that_goes_away_is_no_error() -> None:
    """As in `tenfold --help | head -1`."""
    command = f"{sys.executable} -m tenfold read --help | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1)
    assert done.stderr == ""


def test_a_missing_extra_is_the_line_that_installs_it() -> None:
    """Fault 55."""
    code = "import sys; sys.modules['msgspec'] = None; sys.argv = ['tenfold', 'train']; from tenfold.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "error: this needs the extra [train] (msgspec is missing); add it with: pip install '.[train]' in tenfold's folder\n"
    )


def test_a_full_output_is_one_line() -> None:
    command = f"{sys.executable} -m tenfold --help > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("nosuch", 2),
        ("evaluate nowhere", 2),
        ("recipes > /dev/full", 2),
        ("read nowhere.png docs/images/seven.png", 1),
        ("runs docs", 0),
    ],
)
def test_where_standard_error_is_full_the_exit_code_is_the_same(arguments: str, code: int) -> None:
    command = f"{sys.executable} -m tenfold {arguments} 2> /dev/full"
    done = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True)
    assert done.returncode == code
    assert done.stdout == ("7\n" if code == 1 else "")


def test_a_closed_output_is_one_line() -> None:
    command = f"{sys.executable} -m tenfold recipes >&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: cannot write the output: standard output is closed\n"


def test_each_command_is_registered_by_its_module() -> None:
    code = """
import sys
from tenfold import cli
def names():
    return {command.name or command.callback.__name__ for command in cli.app.registered_commands}
for wing, commands in cli.WINGS.items():
    cli.register(commands[0])
    assert names() >= set(commands), wing
assert sorted(names()) == sorted(name for commands in cli.WINGS.values() for name in commands)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reading_waits_for_no_other_command() -> None:
    """Each module more delays the first answer."""
    code = """
import sys
from tenfold import cli
cli.register("read")
print([module for module in sys.modules if module.startswith("tenfold.cli.")])
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "['tenfold.cli.reading_output', 'tenfold.cli.read']"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["submit", "bundled"], "submit RUN... TEST.CSV"),
        (["compare", "bundled"], "compare RUN RUN"),
        (["export"], "export RUN"),
    ],
)
def test_a_missing_argument_is_said_with_all_that_belong_there(tenfold, given: list[str], expected: str) -> None:
    result = tenfold(*given)
    assert result.code == 2
    assert result.err == f"error: an argument is missing; expected tenfold {expected} (see tenfold {given[0]} --help)\n"
