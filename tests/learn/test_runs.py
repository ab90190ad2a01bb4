import shutil
import zipfile
from dataclasses import FrozenInstanceError
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
    with pytest.raises(ValueError, match="shorter"):
        runs.write_history(history | {"seconds": [1.25]}, tmp_path / "history.csv")


def test_folders_are_numbered_from_two(tmp_path: Path) -> None:
    assert runs.next_folder("classic", tmp_path) == tmp_path / "classic"
    (tmp_path / "classic").mkdir()
    assert runs.next_folder("classic", tmp_path) == tmp_path / "classic-2"
    (tmp_path / "classic-2").mkdir()
    assert runs.next_folder("classic", tmp_path) == tmp_path / "classic-3"


def test_keras_and_onnx_answer_alike(toy_run: Run, toy: Digits) -> None:
    from tenfold.learn import compiled

    through_keras = compiled.forward(toy_run.load_model())(toy.images)
    assert np.abs(toy_run.probabilities(toy.images) - through_keras).max() < 1e-5


def test_a_run_answers_through_its_onnx_file_and_without_one_through_keras(toy_run: Run, toy: Digits, tmp_path: Path) -> None:
    answers = toy_run.probabilities(toy.images)
    for kept, dropped in (("model.onnx", "model.keras"), ("model.keras", "model.onnx")):
        shutil.copytree(toy_run.folder, tmp_path / kept)
        (tmp_path / kept / dropped).unlink()
        assert np.abs(Run(tmp_path / kept).probabilities(toy.images) - answers).max() < 1e-5


def test_a_run_prints_its_table_and_result(toy_run: Run) -> None:
    text = str(toy_run)
    assert "epoch  training loss  training accuracy  validation loss  validation accuracy" in text
    accuracy = f"validation accuracy {100 * toy_run.metrics['val_accuracy']:.2f} %"
    assert text.splitlines()[-1] == f"{toy_run.folder}: {accuracy}"


def test_a_run_that_held_nothing_out_says_so(toy_run: Run, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_bytes((toy_run.folder / "history.csv").read_bytes())
    runs.write_json(toy_run.metrics | {"val_accuracy": None, "test_accuracy": None}, tmp_path / "metrics.json")
    assert str(Run(tmp_path)).endswith(f"{tmp_path}: nothing was held out")
    with pytest.raises(FrozenInstanceError):
        toy_run.folder = tmp_path  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("parameters", (0,), (-1, 0.5)),
        ("val_accuracy", (0, 1, None), (-0.01, 1.01)),
        ("temperature", (0.01, 99, None), (0.001, 100)),
        ("seconds", (-1, 10**9), ("x", None)),
    ],
)
def test_figures_outside_their_range_are_named(
    toy_run: Run, tmp_path: Path, name: str, good: tuple[object, ...], bad: tuple[object, ...]
) -> None:
    for value in good:
        runs.write_json(toy_run.metrics | {name: value}, tmp_path / "metrics.json")
        assert Run(tmp_path).metrics[name] == value
    for value in bad:
        runs.write_json(toy_run.metrics | {name: value}, tmp_path / "metrics.json")
        with pytest.raises(RunError, match=rf"metrics\.json: expected .* - at {name}; train the run anew"):
            _ = Run(tmp_path).metrics


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot read .*: No such file"), (b"{", "not JSON"), (b"\xff", "not JSON"), (b"[]", "a JSON object")],
)
def test_a_file_that_is_no_json_object_is_said(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RunError, match=said):
        runs.read_json(tmp_path / "a.json")


def test_json_is_written_to_be_read_by_people(tmp_path: Path) -> None:
    runs.write_json({"a": 1, "b": None}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == '{\n  "a": 1,\n  "b": null\n}\n'


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


def test_a_reason_is_one_short_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras says much, h5py over several lines, and some errors say nothing."""

    class Failing:
        def __init__(self, problem: Exception) -> None:
            self._problem = problem

        def load_weights(self, path: Path) -> None:
            raise self._problem

    monkeypatch.setattr(runs, "_check_size", lambda path: None)
    for problem, said in ((ValueError("a" * 500 + "\nb"), "a" * 120), (KeyError(), "KeyError"), (OSError("a\nb"), "a")):
        with pytest.raises(RunError, match=rf"\({said}\)$"):
            runs.load_weights(Failing(problem), tmp_path)


def test_weights_of_another_network_are_refused(toy_run: Run) -> None:
    other = networks.build(recipes.changed(recipes.RECIPES["classic"], ["network.units=[5]"]))
    with pytest.raises(RunError, match="holds no weights for this network"):
        runs.load_weights(other, toy_run.folder / "model.keras")


HEADER = "epoch,loss,accuracy,val_loss,val_accuracy,seconds\n"


@pytest.mark.parametrize("content", ["", "epoch,loss\n1,2\n", f"{HEADER}1,x,,,,\n", f"{HEADER}{'1' * 140_000},1,1,1,1,1\n"])
def test_a_damaged_history_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "history.csv").write_text(content)
    if not content:
        assert runs.read_history(tmp_path / "history.csv")["epoch"] == []
        return
    with pytest.raises(RunError, match=r"history\.csv: expected the columns"):
        runs.read_history(tmp_path / "history.csv")
    with pytest.raises(RunError, match=r"cannot read .*: No such file"):
        runs.read_history(tmp_path / "none.csv")


def test_fingerprints_that_hold_objects_are_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    np.save(tmp_path / "fingerprints.npy", np.array([Trap()], object), allow_pickle=True)
    with pytest.raises(RunError, match=r"fingerprints\.npy: cannot be read"):
        _ = Run(tmp_path).fingerprints
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (np.zeros(3, np.int64), r"int64 \(3,\)"),
        (np.zeros((1, 3), np.uint64), r"uint64 \(1, 3\)"),
        (None, "holds several arrays"),
    ],
)
def test_fingerprints_of_another_kind_are_refused(tmp_path: Path, found: np.ndarray | None, said: str) -> None:
    with (tmp_path / "fingerprints.npy").open("wb") as file:
        np.savez(file, a=np.zeros(1)) if found is None else np.save(file, found)
    with pytest.raises(RunError, match=rf"fingerprints\.npy: {said}.*train the run anew"):
        _ = Run(tmp_path).fingerprints


def test_the_limit_of_weights_is_exact(toy_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path, model = toy_run.folder / "model.keras", networks.build(toy_run.recipe)
    with zipfile.ZipFile(path) as archive:
        n_bytes = sum(member.file_size for member in archive.infolist())
    monkeypatch.setenv("TENFOLD_MAX_WEIGHTS_BYTES", str(n_bytes))
    runs.load_weights(model, path)
    monkeypatch.setenv("TENFOLD_MAX_WEIGHTS_BYTES", str(n_bytes - 1))
    with pytest.raises(RunError, match="bytes of weights, more than"):
        runs.load_weights(model, path)


def test_a_place_for_a_run_is_new_empty_or_holds_what_does_not_matter(tmp_path: Path) -> None:
    def refused(folder: Path) -> str:
        with pytest.raises(RunError) as problem:
            runs.refuse_strange(folder, "sweep", "with --out", ["log.txt"])
        return str(problem.value)

    for folder in (tmp_path / "new", tmp_path):
        runs.refuse_strange(folder, "sweep", "with --out", ["log.txt"])
    (tmp_path / ".lock").touch()
    (tmp_path / "log.txt").touch()
    runs.refuse_strange(tmp_path, "sweep", "with --out", ["log.txt"])
    assert refused(tmp_path / "log.txt") == f"{tmp_path / 'log.txt'} is a file; name a folder for the sweep"
    (tmp_path / "thesis.pdf").touch()
    assert refused(tmp_path) == f"{tmp_path} holds other files and no sweep; name a new folder with --out"


def test_runs_of_folds_and_members_are_listed_by_name(tmp_path: Path) -> None:
    names = ["b/fold-1", "b/fold-2", "a", "c", "c/member-1", "d/other/e"]
    for name in names:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "recipe.json").touch()
    found = [str(run.folder.relative_to(tmp_path)) for run in runs.list_runs(tmp_path)]
    assert found == ["a", "b/fold-1", "b/fold-2", "c/member-1", "c"]
