from pathlib import Path

import numpy as np
import pytest

from tenfold.errors import RunError, TenfoldNotice
from tenfold.learn import backend, checkpoints
from tenfold.learn.checkpoints import Checkpoint, Part
from tenfold.learn.runs import HISTORY_COLUMNS, History


def one(epoch: int, n_steps: int = 0) -> Checkpoint:
    history: History = dict.fromkeys(HISTORY_COLUMNS, [1.0] * epoch) | {"val_loss": [None] * epoch}
    arrays = [np.full((2, 3), epoch, np.float32), np.array(7)]
    part = Part(n_steps, 0.1, 3.0, 32.0, 0.7) if n_steps else Part()
    return Checkpoint(epoch, {"digits": "abc"}, history, arrays, [np.full(4, 0.3)], part)


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = one(3, n_steps=50)
    checkpoints.save(tmp_path, saved)
    found = checkpoints.latest(tmp_path)
    assert found is not None
    assert (*found[:3], found.part) == (*saved[:3], saved.part)
    pairs = zip(found.arrays + found.best, saved.arrays + saved.best, strict=True)
    assert all((a == b).all() and a.dtype == b.dtype for a, b in pairs)


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for epoch, n_steps in ((1, 0), (2, 0), (2, 9), (2, 1_000_000), (99_999, 0), (100_000, 0)):
        checkpoints.save(tmp_path, one(epoch, n_steps))
        newest = checkpoints.latest(tmp_path)
        assert newest is not None
        assert (newest.epoch, newest.part.n_steps) == (epoch, n_steps)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-100000.npz", "epoch-99999.npz"]


def test_what_a_training_did_not_go_on_from_goes_when_it_saves(tmp_path: Path) -> None:
    """The newest was damaged: the two that are kept are whole all the same."""
    for n_steps in (0, 5, 9):
        checkpoints.save(tmp_path, one(2, n_steps))
    checkpoints.save(tmp_path, one(2, 7))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-00002.step-000005.npz", "epoch-00002.step-000007.npz"]


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_a_damaged_newest_one_gives_way_to_the_one_before(tmp_path: Path, harm: str) -> None:
    checkpoints.save(tmp_path, one(1))
    checkpoints.save(tmp_path, one(2))
    newest = tmp_path / "epoch-00002.npz"
    content = bytearray(newest.read_bytes())
    middle = content.index(np.full(6, 2, np.float32).tobytes())
    content[middle] ^= 0xFF
    newest.write_bytes({"cut": content[: len(content) // 2], "flip": content, "empty": b""}[harm])
    with pytest.warns(TenfoldNotice, match=r"epoch-00002\.npz: damaged \(.+\); going on from before it"):
        found = checkpoints.latest(tmp_path)
    assert found is not None
    assert found.epoch == 1


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert checkpoints.latest(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"facts": "[]"},
        {"facts": "{}"},
        {"facts": "{"},
        {"array_0000": np.array(["text"])},
        {"array_0000": np.array([None])},
        {"array_0000": np.zeros((2, 3), np.float32)},
        {"best_0000": np.zeros(4)},
        {"sha256": "0" * 64},
    ],
)
@pytest.mark.filterwarnings("ignore::tenfold.errors.TenfoldNotice")
def test_what_is_no_checkpoint_inside_gives_way_too(tmp_path: Path, changes: dict[str, object]) -> None:
    checkpoints.save(tmp_path, one(1))
    checkpoints.save(tmp_path, one(2))
    with np.load(tmp_path / "epoch-00002.npz") as stored:
        arrays = dict(stored) | {key: np.array(value) for key, value in changes.items()}
    np.savez(tmp_path / "epoch-00002.npz", **arrays)
    found = checkpoints.latest(tmp_path)
    assert found is not None
    assert found.epoch == 1


@pytest.mark.filterwarnings("ignore::tenfold.errors.TenfoldNotice")
def test_little_does_not_become_much(tmp_path: Path) -> None:
    """A checkpoint is never compressed, so it takes no more memory than its file has bytes."""
    checkpoints.save(tmp_path, one(1))
    with np.load(tmp_path / "epoch-00001.npz") as stored:
        np.savez_compressed(tmp_path / "epoch-00001.npz", **dict(stored))
    assert checkpoints.latest(tmp_path) is None


@pytest.mark.parametrize("arrays", [[], [np.zeros(3, np.float32)], [np.zeros(2, np.float32)] * 2])
def test_values_of_another_network_are_refused(arrays: list[np.ndarray]) -> None:
    variable = backend.load_keras().Variable(np.zeros(2, np.float32))
    with pytest.raises(RunError, match="of another network"):
        checkpoints.restore([variable], arrays)
