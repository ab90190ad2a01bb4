from pathlib import Path

import numpy as np
import pytest

from tenfold.learn import checkpoints
from tenfold.learn.checkpoints import Checkpoint


def one(epoch: int) -> Checkpoint:
    return Checkpoint(epoch, "abc", {"epoch": [1.0] * epoch, "loss": [None]}, [np.full((2, 3), epoch, np.float32), np.array(7)])


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
