from pathlib import Path

import numpy as np
import pytest

from tenfold import Digits, Run
from tenfold.errors import RunError
from tenfold.learn import networks, recipes, runs


def test_history_survives_its_file_exactly(tmp_path: Path) -> None:
    history = {"epoch": [1, 2], "loss": [0.1 + 0.2, 1e-9], "accuracy": [0.5, 1.0], "val_loss": [None, None]}
    history |= {"val_accuracy": [None, None], "seconds": [1.25, 0.5]}
    runs.write_history(history, tmp_path / "history.csv")
    assert runs.read_history(tmp_path / "history.csv") == history
    assert (tmp_path / "history.csv").read_text().startswith("epoch,loss,accuracy,val_loss,val_accuracy,seconds\n1,0.3")


def test_folders_are_numbered_from_two(tmp_path: Path) -> None:
    assert runs.next_folder("classic", tmp_path) == tmp_path / "classic"
    (tmp_path / "classic").mkdir()
    (tmp_path / "classic-2").mkdir()
    assert runs.next_folder("classic", tmp_path) == tmp_path / "classic-3"


def test_keras_and_onnx_answer_alike(toy_run: Run, toy: Digits) -> None:
    from tenfold.learn import backend

    through_keras = backend.compiled_forward(toy_run.load_model())(toy.images)
    assert np.abs(toy_run.probabilities(toy.images) - through_keras).max() < 1e-5


def test_a_run_prints_its_table_and_result(toy_run: Run) -> None:
    text = str(toy_run)
    assert "epoch  training loss  training accuracy  validation loss  validation accuracy" in text
    assert "validation accuracy" in text.splitlines()[-1]


def test_what_is_no_run_or_an_unfinished_one_is_said(toy_run: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run there"):
        runs.open_run(tmp_path)
    folder = tmp_path / "begun"
    folder.mkdir()
    (folder / "recipe.json").write_bytes((toy_run.folder / "recipe.json").read_bytes())
    with pytest.raises(RunError, match="not finished; go on with"):
        runs.open_run(folder)
    assert [run.finished for run in runs.list_runs(tmp_path)] == [False]


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_a_damaged_file_of_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"model\.keras"):
        runs.load_weights(networks.build(recipes.RECIPES["classic"]), path)


def test_weights_of_another_network_are_refused(toy_run: Run) -> None:
    other = networks.build(recipes.changed(recipes.RECIPES["classic"], ["network.units=[5]"]))
    with pytest.raises(RunError, match="holds no weights for this network"):
        runs.load_weights(other, toy_run.folder / "model.keras")


@pytest.mark.parametrize("content", ["", "epoch,loss\n1,2\n", "epoch,loss,accuracy,val_loss,val_accuracy,seconds\n1,x,,,,\n"])
def test_a_damaged_history_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "history.csv").write_text(content)
    if not content:
        assert runs.read_history(tmp_path / "history.csv")["epoch"] == []
        return
    with pytest.raises(RunError, match=r"history\.csv: expected the columns"):
        runs.read_history(tmp_path / "history.csv")


def test_fingerprints_that_hold_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "fingerprints.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(RunError, match=r"fingerprints\.npy"):
        _ = Run(tmp_path).fingerprints
