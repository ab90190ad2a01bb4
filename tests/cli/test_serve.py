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


@pytest.mark.parametrize("name", ["", "a b", "http://a.lan", "a.lan:8000", "*", "[::1", "a..b"])
def test_a_name_that_no_request_has_is_refused(tenfold, settings: list[Settings], name: str) -> None:
    result = tenfold("serve", "--allow-host", name)
    assert (result.code, settings) == (2, [])
    assert "--allow-host" in result.err


@pytest.mark.parametrize("name", ["digits.lan", "192.168.1.20", "fe80::1", "[fe80::1]", "a_b"])
def test_names_and_addresses_are_allowed(tenfold, settings: list[Settings], name: str) -> None:
    assert tenfold("serve", "--allow-host", name).code == 0
    assert name.strip("[]") in settings[0].hosts


def test_a_file_for_corrections_is_looked_at_before_anything_is_served(
    tenfold, settings: list[Settings], tmp_path: Path
) -> None:
    (tmp_path / "s.db").write_bytes(b"no database" * 100)
    result = tenfold("serve", "--samples", tmp_path / "s.db")
    assert (result.code, settings) == (2, [])
    assert str(tmp_path / "s.db") in result.err
    (tmp_path / "file").write_text("")
    assert tenfold("serve", "--samples", tmp_path / "file" / "s.db").code == 2


def test_the_bundled_model_has_a_name(tenfold, settings: list[Settings]) -> None:
    tenfold("serve", "--model", "bundled")
    assert settings[0].model is None


@pytest.mark.parametrize(
    ("host", "token", "is_open"),
    [
        ("127.0.0.1", None, False),
        ("127.0.0.2", None, False),
        ("localhost", None, False),
        ("::1", None, False),
        ("0.0.0.0", None, True),
        ("::", None, True),
        ("digits.lan", None, True),
        ("0.0.0.0", "0123456789abcdef", False),
    ],
)
def test_who_can_call_it_without_a_token(host: str, token: str | None, is_open: bool) -> None:
    assert Settings(host, token=token).open_to_all == is_open


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
    assert done.stderr.endswith("pip install '.[serve]' in tenfold's folder\n")
    assert done.stderr.count("\n") == 1


def test_corrections_can_be_refused_altogether(tenfold, settings: list[Settings], tmp_path: Path) -> None:
    assert tenfold("serve", "--no-samples").code == 0
    assert settings[-1].samples is None
    refused = tenfold("serve", "--no-samples", "--samples", tmp_path / "s.db")
    assert (refused.code, "expected one of them" in refused.err) == (2, True)
