import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_backend


def run_on_terminal(command: list[str], cwd: Path) -> str:
    """Run a command whose standard error is a terminal; what it wrote there."""
    reader, writer = pty.openpty()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=writer, stdin=subprocess.DEVNULL)
    os.close(writer)
    shown = b""
    try:
        while part := os.read(reader, 4096):
            shown += part
    except OSError:  # Linux says EIO when the other end is closed
        pass
    assert process.wait() == 0
    os.close(reader)
    return shown.decode()


def test_a_terminal_shows_live_progress(toy_csv: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tenfold", "train", "--data", str(toy_csv), "--epochs", "2", "--bare", "--run", "r"]
    shown = run_on_terminal(command, tmp_path)
    assert "epoch 1/2   loss" in shown
    assert "validation" in shown
    told = re.findall(r"(\S*) left", re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown))
    assert told
    assert all(re.fullmatch(r"\d+:\d\d", time) for time in told), "no time, no word"


def test_elsewhere_nothing_is_shown(toy_csv: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tenfold", "train", "--data", str(toy_csv), "--epochs", "1", "--bare", "--run", "r"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
