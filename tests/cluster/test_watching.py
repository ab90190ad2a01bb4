import socket
from pathlib import Path

import pytest

from tenfold.cluster.watching import Watch
from tenfold.learn import runs


@pytest.mark.parametrize(("host", "said"), [(socket.gethostname(), ""), ("elsewhere", "  on elsewhere")])
def test_what_ended_is_a_line_that_names_its_figures_and_a_machine_that_is_not_this_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], host: str, said: str
) -> None:
    history: runs.History = {column: [0.5] for column in runs.HISTORY_COLUMNS} | {"epoch": [1]}
    runs.write_history(history, tmp_path / "member-1" / "history.csv")
    (tmp_path / "member-1.log").write_text(f"# on {host}\n")
    with Watch(n_epochs=2) as watch:
        watch.show({"member-1": "stopped", "member-2": "running"}, tmp_path)
        watch.show({"member-1": "stopped", "member-2": "running"}, tmp_path)
    assert capsys.readouterr().err == f"member-1  stopped{said}  epochs 1/2  loss 0.5000  validation 50.00 %\n"
