from pathlib import Path

import numpy as np
import pytest

from tenfold.errors import RunError
from tenfold.learn import backend, checkpoints
from tenfold.learn.checkpoints import Checkpoint
from tenfold.learn.runs import HISTORY_COLUMNS, History


def one(epoch: int) -> Checkpoint:
    history: History = dict.fromkeys(HISTORY_COLUMNS, [1.0] * epoch) | {"val_loss": [None] * epoch}
    return Checkpoint(epoch, "abc", history, [np.full((2, 3), epoch, np.float32), np.array(7)])


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, one(3))
    found = checkpoints.latest(tmp_path)
    assert found is not None
    assert found[:3] == one(3)[:3]
    assert all((a == b).all() and a.dtype == b.dtype for a, b in zip(found.arrays, one(3).arrays, strict=True))


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for epoch in (1, 2, 9, 10):
        checkpoints.save(tmp_path, one(epoch))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-00009.npz", "epoch-00010.npz"]


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_a_damaged_newest_one_gives_way_to_the_one_before(tmp_path: Path, harm: str) -> None:
    checkpoints.save(tmp_path, one(1))
    checkpoints.save(tmp_path, one(2))
    newest = tmp_path / "epoch-00002.npz"
    content = bytearray(newest.read_bytes())
    middle = content.index(np.full(6, 2, np.float32).tobytes())
    content[middle] ^= 0xFF
    newest.write_bytes({"cut": content[: len(content) // 2], "flip": content, "empty": b""}[harm])
    found = checkpoints.latest(tmp_path)
    assert found is not None
    assert found.epoch == 1


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert checkpoints.latest(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    "changes",
    [{"facts": "[]"}, {"facts": "{}"}, {"facts": "{"}, {"array_0000": np.array(["text"])}, {"array_0000": np.array([None])}],
)
def test_what_is_no_checkpoint_inside_gives_way_too(tmp_path: Path, changes: dict[str, object]) -> None:
    checkpoints.save(tmp_path, one(1))
    checkpoints.save(tmp_path, one(2))
    with np.load(tmp_path / "epoch-00002.npz") as stored:
        arrays = dict(stored) | {key: np.array(value) for key, value in changes.items()}
    np.savez(tmp_path / "epoch-00002.npz", **arrays)
    found = checkpoints.latest(tmp_path)
    assert found is not None
    assert found.epoch == 1


@pytest.mark.parametrize("arrays", [[], [np.zeros(3, np.float32)], [np.zeros(2, np.float32)] * 2])
def test_values_of_another_network_are_refused(arrays: list[np.ndarray]) -> None:
    variable = backend.load_keras().Variable(np.zeros(2, np.float32))
    with pytest.raises(RunError, match="of another network"):
        checkpoints.restore([variable], arrays)
