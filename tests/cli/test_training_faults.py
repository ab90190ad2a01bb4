"""The faults of training, 48 to 55, from outside: what a command says, its exit code, and what it leaves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tenfold.data.digits import Digits
from tenfold.data.sources import save
from tenfold.errors import RunError
from tenfold.learn import checkpoints, recipes, runs

PATIENCE_S = 1800
LONG = ("--epochs", "100000", "--set", "network.units=[16]")  # for ever, in short epochs


@pytest.fixture(scope="module")
def few_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits whose class is the height of a bright bar."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 200).astype(np.uint8)
    images = rng.integers(0, 60, (200, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 4 : 2 * label + 7, 4:24] = 250
    path = tmp_path_factory.mktemp("few") / "train.csv"
    save(Digits(images, labels, "few"), path)
    return path


@pytest.fixture
def begin(few_csv: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Begin `tenfold train` in a folder."""
    begun: list[subprocess.Popen[str]] = []

    def start(run: Path, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tenfold", "train", "--data", str(few_csv), "--run", str(run), *options]
        begun.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def refused(process: subprocess.Popen[str]) -> str:
    """What a training says that stops with 2: one line."""
    said = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 2, said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


def n_epochs(run: Path) -> int:
    try:
        return len(runs.read_history(run / "history.csv")["epoch"])
    except RunError:
        return 0


def wait_for(moment: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not moment():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small disk of its own with these options."""
    places: list[Path] = []

    def make(options: str) -> Path:
        place = tmp_path / f"disk-{len(places)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            (pytest.fail if os.environ.get("CI") and os.geteuid() == 0 else pytest.skip)(f"no mounting here: {done.stderr}")
        places.append(place)
        return place

    yield make
    for place in places:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        for size in (2**16, 2**10, 1):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError:
                continue


def test_49_a_disk_that_fills_up_is_said_and_the_last_checkpoint_is_whole(begin: Callable, mount: Callable) -> None:
    disk = mount("size=4m")
    run = disk / "run"
    process = begin(run, *LONG)
    wait_for(lambda: n_epochs(run) >= 2, process)
    fill(disk)
    assert "No space left on device" in refused(process)
    assert not list(run.rglob(".[0-9]*"))
    found = checkpoints.latest(run / "checkpoints")
    assert found is not None
    assert found.epoch >= 1
    (disk / "ballast").unlink()
    again = begin(run, *LONG, "--resume")
    wait_for(lambda: n_epochs(run) > found.epoch + 1, again)


def test_49_a_disk_that_is_too_small_is_said_before_training(begin: Callable, mount: Callable) -> None:
    run = mount("size=4m") / "run"
    said = refused(begin(run))
    assert "No space left on device" in said
    assert "MB needed" in said
    assert not (run / "recipe.json").exists()


def test_49_a_disk_that_is_full_in_the_end_keeps_the_checkpoint_and_no_half_model(
    few_csv: Path, mount: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras writes the model itself; what it raises must come out as one line too."""
    import tenfold as package
    from tenfold.errors import StorageError
    from tenfold.learn import concluding

    disk = mount("size=4m")
    run = disk / "run"
    plain = concluding._metrics

    def late(*arguments: object) -> dict[str, object]:
        fill(disk)
        return plain(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(concluding, "_metrics", late)
    with pytest.raises(StorageError, match=r"model\.keras: No space left on device"):
        package.train("classic", data=str(few_csv), epochs=1, changes=["network.units=[16]"], run=run)
    assert not (run / "model.keras").exists()
    assert not list(run.rglob(".[0-9]*"))
    assert checkpoints.latest(run / "checkpoints") is not None


def test_50_two_trainings_share_no_folder_and_a_killed_one_leaves_it_free(begin: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = begin(run, *LONG)
    wait_for(lambda: n_epochs(run) >= 2, first)
    assert "in use by another training" in refused(begin(run, *LONG, "--resume"))
    first.kill()
    first.wait()
    before = n_epochs(run)
    wait_for(lambda: n_epochs(run) > before + 1, begin(run, *LONG, "--resume"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_51_one_interrupt_saves_and_says_how_to_go_on(begin: Callable, tmp_path: Path, number: int) -> None:
    run = tmp_path / "run"
    process = begin(run, *LONG)
    wait_for(lambda: n_epochs(run) >= 2, process)
    process.send_signal(number)
    said = process.communicate(timeout=PATIENCE_S)[1].splitlines()
    assert process.returncode == 130
    assert said == [
        "saving, which takes a moment; once more to end at once",
        f"saved; go on with the same command and: --resume --run {run}",
        "interrupted",
    ]
    found = checkpoints.latest(run / "checkpoints")
    assert found is not None
    assert found.epoch == n_epochs(run)


def test_51_two_interrupts_end_it_at_once(begin: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = begin(run, *LONG)
    wait_for(lambda: n_epochs(run) >= 2, process)
    # Stopped meanwhile, so that it cannot be done with the first before the second comes.
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
        process.send_signal(number)
    said = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 130
    assert said == "saving, which takes a moment; once more to end at once\n"
    assert checkpoints.latest(run / "checkpoints") is not None


def test_52_a_loss_that_is_no_number_stops_and_the_best_weights_can_be_gone_on_from(begin: Callable, tmp_path: Path) -> None:
    """The rate rises until weight decay turns weights round, and larger, with every step."""
    wild = ["--set", "optimizer.weight_decay=10", "--set", "optimizer.learning_rate=10", "--set", "optimizer.warmup=0.9"]
    run = tmp_path / "wild"
    said = refused(begin(run, *wild, "--set", "optimizer.schedule=one_cycle", "--epochs", "40"))
    assert "model.keras keeps the weights of epoch" in said
    assert f"--from {run}" in said
    assert n_epochs(run) >= 1
    assert not (run / "metrics.json").exists()
    tame = begin(tmp_path / "tame", "--from", str(run), "--epochs", "1", "--bare")
    assert tame.communicate(timeout=PATIENCE_S)[1] == ""
    assert tame.returncode == 0


def test_53_another_recipe_or_other_digits_are_refused_with_the_difference(
    begin: Callable, few_csv: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = begin(run, *LONG)
    wait_for(lambda: n_epochs(run) >= 2, process)  # then there is a checkpoint
    process.kill()
    process.wait()
    assert "another recipe (epochs: 100000 and 7)" in refused(begin(run, *LONG, "--epochs", "7", "--resume"))
    other = tmp_path / "other.csv"
    other.write_bytes(b"".join(few_csv.read_bytes().splitlines(keepends=True)[:-1]))
    (run / "recipe.json").write_bytes(recipes.as_json(recipes.changed(recipes.read(run / "recipe.json"), [f'data="{other}"'])))
    said = refused(begin(run, *LONG, "--resume", "--data", str(other)))
    assert "was begun with other digits to learn from (160 with SHA-256 " in said
    assert "; now 159 with SHA-256 " in said


def test_54_a_folder_that_cannot_be_written_to_is_said_before_anything_is_loaded(begin: Callable, mount: Callable) -> None:
    run = mount("ro") / "run"
    process = begin(run)
    assert "is read-only or belongs to others" in refused(process)
