import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tenfold as package
from tenfold.data.sources import save
from tenfold.learn.recipes import RECIPES


@pytest.fixture(scope="module")
def few_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("few") / "train.csv"
    save(package.load("mnist", "train")[:600], path)
    return path


@pytest.fixture(scope="module")
def few_run(few_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "few"
    package.train("classic", data=str(few_csv), epochs=2, run=folder)
    return folder


def test_train_prints_the_network_the_table_and_what_to_type_next(tenfold, few_csv: Path, tmp_path: Path) -> None:
    options = ["--data", few_csv, "--epochs", 3, "--batch-size", 64, "--validation", 100, "--seed", 7, "--bare"]
    result = tenfold("train", *options, "--run", tmp_path / "r", "--set", "optimizer.learning_rate=2e-3")
    assert (result.code, result.err) == (0, "")
    assert "109,386" in result.out
    assert "epoch  training loss  training accuracy  validation loss  validation accuracy" in result.out
    assert f"Next:        tenfold submit {tmp_path / 'r'} test.csv, tenfold evaluate {tmp_path / 'r'} --data FILE" in result.out
    recipe = package.Run(tmp_path / "r").recipe
    assert (recipe.epochs, recipe.batch_size, recipe.validation, recipe.seed) == (3, 64, 100, 7)
    assert recipe.optimizer.learning_rate == 2e-3


def test_after_a_training_that_left_them_alone_the_test_digits_of_its_set_are_next(tenfold, tmp_path: Path) -> None:
    options = ["--data", "mnist", "--validation", 59_000, "--epochs", 1, "--bare", "--no-test", "--run", tmp_path / "r"]
    assert tenfold("train", *options).out.endswith(f"\nNext:        tenfold evaluate {tmp_path / 'r'}\n")


def test_a_finished_run_says_so_and_how_to_start_anew(tenfold, few_run: Path, few_csv: Path) -> None:
    result = tenfold("train", "--data", few_csv, "--epochs", 2, "--run", few_run, "--resume")
    assert result.code == 0
    assert f"{few_run} is finished; to start anew, remove that folder" in result.out


def test_resuming_needs_no_more_than_the_folder(tenfold, few_csv: Path, tmp_path: Path) -> None:
    given = ["--recipe", "mlp", "--data", few_csv, "--epochs", 1, "--validation", 100, "--bare", "--run", tmp_path / "r"]
    given += ["--batch-size", 64]
    assert tenfold("train", *given, "--set", "augmentation.rotation=5").code == 0
    again = tenfold("train", "--resume", "--run", tmp_path / "r")
    assert (again.code, again.err) == (0, "")
    assert "is finished" in again.out
    other = tenfold("train", "--resume", "--run", tmp_path / "r", "--recipe", "classic")
    assert "was begun with another recipe (mlp, not classic)" in other.err
    longer = tenfold("train", "--resume", "--run", tmp_path / "r", "--epochs", 2)
    assert "was begun with another recipe (epochs: 1 and 2)" in longer.err


def test_test_digits_that_its_first_weights_know_are_not_called_never_seen(tenfold, tmp_path: Path) -> None:
    save(package.load("mnist", "test")[:300], tmp_path / "known.npz")
    first = ["--data", tmp_path / "known.npz", "--epochs", 1, "--validation", 0, "--bare", "--run", tmp_path / "first"]
    assert tenfold("train", *first).code == 0
    more = ["--data", "mnist", "--validation", 59_000, "--from", tmp_path / "first", "--epochs", 1, "--run", tmp_path / "r"]
    result = tenfold("train", *more)
    assert "on 10,000 digits, 300 of them among those it was trained on, which flatters it" in result.out
    assert "300 of these test digits were among those that it" in (tmp_path / "r" / "report.html").read_text()


def test_an_existing_run_is_not_overwritten(tenfold, few_run: Path, few_csv: Path) -> None:
    result = tenfold("train", "--data", few_csv, "--run", few_run)
    assert result.code == 2
    assert "--resume" in result.err


def test_evaluate_says_how_many_digits_it_was_trained_on(tenfold, few_run: Path, few_csv: Path, tmp_path: Path) -> None:
    result = tenfold("evaluate", few_run, "--data", few_csv, "--output", tmp_path / "out")
    assert result.code == 0
    assert "480 of these 600 digits were among those it was trained on" in result.out
    assert "95 % interval" in result.out
    assert (tmp_path / "out" / "metrics.json").is_file()


def test_results_are_not_written_over_a_run(tenfold, few_run: Path, few_csv: Path) -> None:
    before = (few_run / "metrics.json").read_bytes()
    result = tenfold("evaluate", few_run, "--data", few_csv, "-o", few_run)
    assert (result.code, result.out) == (2, "")
    assert "holds a run" in result.err
    assert (few_run / "metrics.json").read_bytes() == before


def test_where_results_cannot_go_is_said_before_anything_is_measured(tenfold, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_: object) -> None:
        raise AssertionError("measured in vain")

    monkeypatch.setattr("tenfold.learn.measuring.measure", measure)
    result = tenfold("evaluate", "bundled", "-o", "/dev/null/results")
    assert result == (2, "", "error: cannot write /dev/null/results: /dev/null is no folder; choose another one\n")


@pytest.mark.parametrize("changes", [["--epochs", 3], ["--recipe", "mlp"], ["--seed", 1]])
def test_a_finished_run_of_another_recipe_is_not_taken_for_this_one(tenfold, few_run: Path, few_csv: Path, changes) -> None:
    result = tenfold("train", "--data", few_csv, *changes, "--run", few_run, "--resume")
    assert result.code == 2
    assert "was begun with another recipe" in result.err


def test_a_finished_run_on_other_digits_is_not_taken_for_this_one(tenfold, few_run: Path, few_csv: Path) -> None:
    content = few_csv.read_bytes()
    try:
        save(package.load("mnist", "train")[600:1200], few_csv)
        result = tenfold("train", "--data", few_csv, "--epochs", 2, "--run", few_run, "--resume")
    finally:
        few_csv.write_bytes(content)
    assert result.code == 2
    assert "was begun with other digits" in result.err


def test_a_folder_of_other_things_does_not_become_a_run(tenfold, few_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    result = tenfold("train", "--data", few_csv, "--run", tmp_path)
    assert result.code == 2
    assert "holds other files and no run" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_digits_that_the_first_weights_knew_are_counted(tenfold, few_run: Path, few_csv: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    save(package.load("mnist", "train")[600:900], other)
    options = ["--epochs", 1, "--bare", "--from", few_run, "--run", tmp_path / "r"]
    assert tenfold("train", "--data", other, *options).code == 0
    assert "480 of these 600 digits" in tenfold("evaluate", tmp_path / "r", "--data", few_csv, "-o", tmp_path / "out").out


@pytest.mark.parametrize("change", [{"temperature": "hot"}, {"temperature": -1}, {"val_accuracy": "x"}, {"n_validation": None}])
def test_figures_of_the_wrong_kind_are_named(tenfold, few_run: Path, tmp_path: Path, change: dict[str, object]) -> None:
    run = tmp_path / "run"
    shutil.copytree(few_run, run)
    metrics = json.loads((run / "metrics.json").read_text()) | change
    (run / "metrics.json").write_text(json.dumps(metrics))
    result = tenfold("evaluate", run, "--data", "mnist", "-o", tmp_path / "out")
    assert result.code == 2
    assert "metrics.json" in result.err
    assert next(iter(change)) in result.err


@pytest.mark.parametrize("content", [b"", b"no", b"\x93NUMPY\x01\x00v\x00{'descr': 'garbage"])
def test_damaged_fingerprints_are_named(tenfold, few_run: Path, tmp_path: Path, content: bytes) -> None:
    run = tmp_path / "run"
    shutil.copytree(few_run, run)
    (run / "fingerprints.npy").write_bytes(content)
    result = tenfold("evaluate", run, "--data", "mnist", "-o", tmp_path / "out")
    assert result.code == 2
    assert "fingerprints.npy: cannot be read; train the run anew" in result.err


def test_the_same_model_twice_is_found_however_it_is_spelt(tenfold, few_run: Path) -> None:
    assert "the same model twice" in tenfold("evaluate", few_run, f"{few_run}/../{few_run.name}/").err


def test_runs_lists_figures(tenfold, few_run: Path, tmp_path: Path) -> None:
    result = tenfold("runs", few_run.parent)
    assert result.code == 0
    assert str(few_run) in result.out
    assert "109,386" in result.out
    empty = tenfold("runs", tmp_path)
    assert (empty.code, empty.out) == (0, "")
    assert "no runs" in empty.err


def test_what_is_printed_of_names_and_files_steers_no_terminal(tenfold, few_csv: Path, tmp_path: Path) -> None:
    run, digits = tmp_path / "r\x1b[31m\udce9", tmp_path / "d\x1b[31m\udcff.csv"
    shutil.copy(few_csv, digits)
    made = tenfold("train", "--data", few_csv, "--epochs", 1, "--run", run)
    metrics = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(metrics | {"backend": "\x1b[2J"}))
    recipe = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(recipe | {"data": "\x1b[2J"}))
    listed = tenfold("runs", tmp_path)
    assert r"r\x1b[31m\xe9" in listed.out
    assert listed.out.count(r"\x1b[2J") == 2, "backend and digits"
    (run / "recipe.json").write_text(json.dumps(recipe))
    again = tenfold("train", "--data", few_csv, "--epochs", 1, "--run", run, "--resume")
    assert r"on \x1b[2J" in again.out
    for result in (
        *(made, listed, again, tenfold("runs", run)),
        tenfold("evaluate", run, "--data", digits),
        tenfold("compare", run, "bundled", "--data", digits),
        tenfold("submit", run, digits, "-o", tmp_path / "\x1b.csv"),
        tenfold("export", run, "-o", tmp_path / "\x1b.onnx"),
    ):
        assert result.code == 0
        assert all(line.isprintable() for line in (result.out + result.err).splitlines())
    assert not any(c in str(package.Run(run)) for c in "\x1b\udce9")


def test_evaluate_averages_several(tenfold, few_run: Path, tmp_path: Path) -> None:
    digits = tmp_path / "digits.npz"
    save(package.load("mnist", "train")[-200:], digits)
    result = tenfold("evaluate", few_run, "bundled", "--data", digits, "--tta", "-o", tmp_path / "out")
    assert result.code == 0
    assert f"{few_run} + bundled (test-time augmentation) on digits.npz: 200 digits" in result.out
    assert "none of these 200 digits were among those it was trained on" in result.out
    assert (tmp_path / "out" / "coverage.png").is_file()


def test_evaluate_tries_corruptions(tenfold, few_run: Path, tmp_path: Path) -> None:
    digits = tmp_path / "digits.npz"
    save(package.load("mnist", "train")[-200:], digits)
    result = tenfold("evaluate", few_run, "--data", digits, "--corruptions", "-o", tmp_path / "out")
    assert result.code == 0
    rows = [line.split() for line in result.out.splitlines()]
    assert len([row for row in rows if len(row) == 13 and row[2::2] == ["%"] * 6]) == 11
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {"corruptions.csv", "corruptions.png"}


def test_evaluate_gives_the_accuracy_without_doubtful_labels_beside_the_official(tenfold, tmp_path: Path) -> None:
    result = tenfold("evaluate", "bundled", "-o", tmp_path / "out")
    assert "without doubtful" in result.out
    assert "without 15 whose label people doubt" in result.out
    assert "to reach 99.9 %" in result.out
    assert "at temperature" in result.out


def test_compare_names_the_better_and_says_whether_it_may_be_chance(tenfold, few_run: Path, tmp_path: Path) -> None:
    digits = tmp_path / "digits.npz"
    save(package.load("mnist", "train")[-300:], digits)
    result = tenfold("compare", "bundled", few_run, "--data", digits)
    assert result.code == 0
    assert "300 digits of digits.npz" in result.out
    assert "a difference that chance seldom makes" in result.out
    same = tenfold("compare", few_run, few_run, "--data", digits)
    assert "over the 0 digits that only one reads right: p = 1, no difference at all" in same.out


def test_folds_are_trained_scored_and_submitted(tenfold, few_csv: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folds"
    result = tenfold("train", "--data", few_csv, "--epochs", 2, "--folds", 3, "--bare", "--run", folder)
    assert result.code == 0
    assert "out of fold" in result.out
    assert result.out.count("109,386") == 1
    begun = [f"fold {i} of 3: 400 digits to learn from, 200 held out for validation" for i in (1, 2, 3)]
    assert [line for line in result.out.splitlines() if line.startswith("fold ")] == begun
    assert "on all 600 digits, each read by a run that never saw it" in result.out
    again = tenfold("train", "--data", few_csv, "--epochs", 2, "--folds", 3, "--bare", "--run", folder)
    assert again.code == 2
    assert "--resume" in again.err
    test_csv = tmp_path / "test.csv"
    save(package.load("mnist", "test")[:25].unlabelled(), test_csv)
    assert tenfold("submit", folder, test_csv, "--tta", "-o", tmp_path / "submission.csv").code == 0
    assert len((tmp_path / "submission.csv").read_text().splitlines()) == 26


def test_recipes_are_listed_and_one_is_a_file_to_train(tenfold, few_csv: Path, tmp_path: Path) -> None:
    listed = tenfold("recipes").out
    for name, recipe in RECIPES.items():
        assert f"\n{name}" in listed
        assert recipe.why in listed
    assert "16 | 32 32 | 64 64" in listed
    mine = tmp_path / "mine.json"
    mine.write_text(tenfold("recipes", "mlp").out)
    result = tenfold(
        "train",
        "--recipe",
        mine,
        "--data",
        few_csv,
        "--validation",
        100,
        "--epochs",
        1,
        "--batch-size",
        64,
        "--bare",
        "--run",
        tmp_path / "r",
    )
    assert result.code == 0
    assert "109,386 parameters" in result.out


def test_bench_times_reading_and_training(tenfold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenfold.learn.speed.matrix_product", lambda: 1e6)
    result = tenfold("bench", "--recipe", "mlp")
    assert result.code == 0
    assert "glyphs a second on one thread" in result.out
    assert "digits a second" in result.out
    assert "GFLOP/s" in result.out
    assert "% of the limit" in result.out


def test_bench_claims_no_more_than_the_limit(tenfold, monkeypatch: pytest.MonkeyPatch) -> None:
    from tenfold.learn import speed

    monkeypatch.setattr(speed, "matrix_product", lambda: 1.0)
    monkeypatch.setattr(speed, "measure", lambda recipe: speed.TrainingSpeed(recipe.name, 1.0, 1e6, 109_386, "jax", 109_184))
    result = tenfold("bench", "--recipe", "mlp")
    assert "above the limit (other programs are computing here" in result.out
    assert "% of the limit" not in result.out


def test_submit_writes_ids_from_one(tenfold, few_run: Path, few_csv: Path, tmp_path: Path) -> None:
    test_csv = tmp_path / "test.csv"
    save(package.load("mnist", "test")[:25].unlabelled(), test_csv)
    result = tenfold("submit", few_run, test_csv, "-o", tmp_path / "submission.csv")
    assert result.code == 0
    assert "none of these 25 digits were among those it was trained on" in result.err
    lines = (tmp_path / "submission.csv").read_text().splitlines()
    assert len(lines) == 26
    assert lines[0] == "ImageId,Label"
    assert lines[1].startswith("1,")
    assert lines[-1].startswith("25,")


def test_a_bare_run_can_be_exported_later_to_the_same_bytes(tenfold, few_run: Path, few_csv: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    package.train("classic", data=str(few_csv), epochs=2, run=bare, bare=True)
    assert "tenfold export" in tenfold("read", "--model", bare, "x.png").err
    assert tenfold("export", bare).code == 0
    assert (bare / "model.onnx").read_bytes() == (few_run / "model.onnx").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--recipe", "cassic"], "expected one of classic"),
        (["train", "--data", "nowhere.csv"], "nowhere.csv"),
        (["train", "--set", "epochs=-1"], "epochs"),
        (["train", "--resume"], "--run"),
        (["evaluate", "nowhere"], "no run there"),
        (["submit", "nowhere", "test.csv"], "no run there"),
        (["submit", __file__, "bundled"], "a file; expected the folder of a run"),
        (["export", "nowhere"], "no run there"),
        (["recipes", "fastest"], "expected one of classic"),
        (["compare", "bundled", "nowhere"], "no run there"),
        (["evaluate", "bundled", "bundled"], "the same model twice"),
        (["train", "--folds", "1"], "expected 2 to 100"),
        (["train", "--from", "nowhere"], "no run there"),
        (
            ["train", "--recipe", "cnn", "--from", "bundled"],
            "has other hidden layers (bundled: 24 | 48 48 | 96 96); recipe cnn has 16 | 32 32 | 64 64",
        ),
        (["train", "--set", 'teaching={"teachers":["nowhere"]}'], "no run there"),
        (["train", "--set", "augmentation.rotation=90"], "augmentation.rotation: expected float <= 45"),
        (["train", "--recipe", "clasic"], "did you mean classic?"),
        (["train", "--recipe", "adapt"], "tenfold/samples.db: no such data set or file"),
        (["train", "--validation", "nan"], "a count (5000), a share below 1 (0.2) or a fold (2/5)"),
        (["train", "--set", "optimizer.learning_rate=nan"], "found 'nan'"),
        (["train", "--run", "x" * 300], "File name too long"),
        (["evaluate", "x" * 300], "no run there"),
        (["read", "--model", "/dev/null", "x.png"], "not a file"),
        (["evaluate", "bundled", "-o", "/dev/null"], "is a file"),
        (["export", "bundled"], "an ONNX model already"),
        (["runs", "nowhere"], "no such folder"),
        (["train", "--folds", "5", "--validation", "100"], "--folds and --validation"),
        (["bench", "--recipe", "fastest"], "expected one of classic"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_leaves_nothing(
    tenfold, arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = tenfold(*arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1
    assert not list(tmp_path.rglob("recipe.json"))


@pytest.mark.parametrize("content", ["[]", "{}", "not json", '{"parameters": 1}'])
def test_a_damaged_run_is_listed_as_such_beside_the_others(tenfold, few_run: Path, tmp_path: Path, content: str) -> None:
    shutil.copytree(few_run, tmp_path / "good")
    shutil.copytree(few_run, tmp_path / "bad")
    (tmp_path / "bad" / "metrics.json").write_text(content)
    result = tenfold("runs", tmp_path)
    assert result.code == 0
    lines = result.out.splitlines()
    assert "damaged" in lines[2]
    assert "109,386" in lines[3]
    exported = tenfold("export", tmp_path / "bad")
    assert exported.code == 2
    assert "metrics.json" in exported.err


def test_a_damaged_history_hides_no_other_run(tenfold, few_run: Path, tmp_path: Path) -> None:
    for name in ("bad", "good"):
        shutil.copytree(few_run, tmp_path / name)
    (tmp_path / "bad" / "metrics.json").unlink()
    (tmp_path / "bad" / "history.csv").write_text("epoch," + "1" * 140_000)
    listed = tenfold("runs", tmp_path)
    assert listed.code == 0
    assert "damaged" in listed.out.splitlines()[2]
    assert "109,386" in listed.out.splitlines()[3]


def test_a_folder_named_by_dots_does_not_lead_an_evaluation_out_of_its_place(
    tenfold, few_run: Path, few_csv: Path, tmp_path: Path, monkeypatch
) -> None:
    run = tmp_path / "digits" / "run"
    shutil.copytree(few_run, run)
    save(package.load(few_csv)[:30], tmp_path / "some", "folder")
    inside = tmp_path / "some" / "work"
    inside.mkdir()
    monkeypatch.chdir(inside)
    before = (run / "metrics.json").read_bytes()
    result = tenfold("evaluate", run, "--data", "..")
    assert result.code == 0
    assert str(run / "evaluations" / "some") in result.err
    assert (run / "metrics.json").read_bytes() == before
    refused = tenfold("evaluate", run, "--data", "..", "-o", run / "nowhere" / "..")
    assert refused.code == 2
    assert "holds a run" in refused.err


def test_an_evaluation_with_augmentation_has_a_place_of_its_own(tenfold, few_run: Path, few_csv: Path) -> None:
    for options in ((), ("--tta",)):
        assert tenfold("evaluate", few_run, "--data", few_csv, *options).code == 0
    assert (few_run / "evaluations" / few_csv.name / "metrics.json").is_file()
    assert (few_run / "evaluations" / f"{few_csv.name}-tta" / "metrics.json").is_file()


def test_submit_and_export_replace_no_other_files(tenfold, few_run: Path, tmp_path: Path) -> None:
    test_csv, link = tmp_path / "test.csv", tmp_path / "link.csv"
    save(package.load("mnist", "test")[:5].unlabelled(), test_csv)
    link.symlink_to(test_csv)
    pixels = test_csv.read_bytes()
    for target in (test_csv, link, few_run / "metrics.json"):
        refused = tenfold("submit", few_run, test_csv, "-o", target)
        assert refused.code == 2
        assert "is there already and is no submission" in refused.err
    assert test_csv.read_bytes() == pixels
    for _ in range(2):  # its own it may replace
        assert tenfold("submit", few_run, test_csv, "-o", tmp_path / "submission.csv").code == 0
    refused = tenfold("export", few_run, "-o", few_run / "model.keras")
    assert refused.code == 2
    assert "expected a name that ends in .onnx" in refused.err
    refused = tenfold("export", few_run, "--format", "keras", "-o", few_run / "model.keras")
    assert (refused.code, "a run keeps its own weights there" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("form", "name"),
    [("onnx", "model.onnx"), ("litert", "model.tflite"), ("savedmodel", "savedmodel"), ("keras", "exported.keras")],
)
def test_export_writes_each_format_beside_the_run(tenfold, few_run: Path, form: str, name: str) -> None:
    kept = {path.name: path.read_bytes() for path in few_run.iterdir() if path.is_file() and path.name != name}
    result = tenfold("export", few_run, "--format", form)
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith(f"{few_run / name}: differs from the run by at most ")
    assert (few_run / name).exists()
    assert all((few_run / name).read_bytes() == content for name, content in kept.items())


def test_a_dash_is_standard_output(few_run: Path, tmp_path: Path) -> None:
    test_csv = tmp_path / "test.csv"
    save(package.load("mnist", "test")[:3].unlabelled(), test_csv)
    command = [sys.executable, "-m", "tenfold", "submit", few_run, test_csv, "-o", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[0] == "ImageId,Label"
    assert len(done.stdout.splitlines()) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["test.csv"]
