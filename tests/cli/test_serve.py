import subprocess
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest

from tenfold.cli import serve as command
from tenfold.serve import server
from tenfold.serve.settings import Settings


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What the service would have been started with."""
    taken: list[Settings] = []

    def serve(settings: Settings, announce: Callable[[str], object]) -> int:
        taken.append(settings)
        announce("http://127.0.0.1:8000/")
        return 0

    monkeypatch.setattr(server, "serve", serve)
    return taken


def test_by_default_only_this_machine_can_call_it(tenfold, settings: list[Settings], monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert tenfold("serve").code == 0
    assert settings == [Settings(samples=tmp_path / "tenfold" / "samples.db")]
    assert settings[0].host == "127.0.0.1"
    assert settings[0].hosts == {"localhost", "127.0.0.1", "::1"}
    assert not (tmp_path / "tenfold").exists()


def test_without_a_folder_for_data_samples_lie_in_the_home(
    tenfold, settings: list[Settings], monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    tenfold("serve")
    assert settings[0].samples == tmp_path / ".local" / "share" / "tenfold" / "samples.db"


def test_options_reach_the_service(tenfold, settings: list[Settings], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123456789abcdef\n")
    tenfold(
        *("serve", "--host", "0.0.0.0", "--port", 9000, "--allow-host", "a.lan", "--allow-host", "b.lan"),
        *("--model", tmp_path, "--max-queue", 3, "--token", tmp_path / "token", "--samples", tmp_path / "s.db", "--allow-load"),
    )
    (made,) = settings
    assert made == Settings("0.0.0.0", 9000, ("a.lan", "b.lan"), tmp_path, 3, "0123456789abcdef", tmp_path / "s.db", True)
    assert made.hosts == {"localhost", "127.0.0.1", "::1", "a.lan", "b.lan"}


def test_the_page_is_opened_if_asked_for_and_there_is_a_screen(tenfold, settings: list[Settings], monkeypatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    tenfold("serve", "--open")
    monkeypatch.setenv("DISPLAY", ":0")
    tenfold("serve")
    assert opened == []
    tenfold("serve", "--open")
    assert opened == ["http://127.0.0.1:8000/"]


@pytest.mark.parametrize(
    "content", [b"", b"short", b"0123456789\nabcdef", "0123456789abcdé".encode(), b"\xff" * 20, b"a" * 5000]
)
def test_a_token_that_is_none_is_refused(tenfold, settings: list[Settings], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    result = tenfold("serve", "--token", tmp_path / "token")
    assert result.code == 2
    assert "expected one line" in result.err
    assert settings == []


def test_a_token_file_that_is_missing_is_named(tenfold, settings: list[Settings], tmp_path: Path) -> None:
    assert f"{tmp_path / 'none'}: No such file" in tenfold("serve", "--token", tmp_path / "none").err


def test_a_model_that_cannot_be_used_is_said_before_anything_is_served(tenfold, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"none")
    result = tenfold("serve", "--port", 0, "--model", tmp_path / "m.onnx")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "not usable as ONNX" in result.err


def test_the_command_does_not_load_the_service_before_it_runs() -> None:
    assert not hasattr(command, "Settings")


@pytest.mark.parametrize("library", ["starlette", "uvicorn", "python_multipart", "prometheus_client"])
def test_a_library_that_is_missing_is_one_line_with_what_to_do(library: str) -> None:
    start = (
        f"import sys; sys.modules[{library!r}] = None; sys.argv = ['tenfold', 'serve']; from tenfold.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: this needs the extra [serve] ({library}")
    assert done.stderr.endswith("pip install 'tenfold[serve]'\n")
    assert done.stderr.count("\n") == 1
