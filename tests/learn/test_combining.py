"""Reviewers as one file: it answers with the geometric mean of what they say, in half the room."""

import json

import numpy as np
import onnx
import pytest

from tenfold.errors import ModelError
from tenfold.learn import combining, exporting, reviewing
from tenfold.read.reviewer import SIDE, Reviewer

VIEWS = np.random.default_rng(0).integers(0, 256, (20, 2, SIDE, SIDE)).astype(np.uint8)


def member(seed: int, afar: bool = True) -> bytes:
    return exporting.reviewer_to_onnx(reviewing.network(seed, afar=afar), {})


@pytest.mark.parametrize("afar", [(True, True), (False, True), (True, False)])
def test_it_answers_with_the_geometric_mean_and_takes_half_the_room(afar: tuple[bool, bool]) -> None:
    """One that does not see from afar is given the closer view of both."""
    members = [member(seed, sees) for seed, sees in enumerate(afar, start=1)]
    made = combining.combined(members, {"seed": 3})
    views = [VIEWS if sees else VIEWS[:, 0] for sees in afar]
    logs = [np.log(np.maximum(Reviewer(one, 1).probabilities(v), 1e-9)) for one, v in zip(members, views, strict=True)]
    mean = np.exp((logs[0] + logs[1]) / 2)
    both = Reviewer(made, 1)
    assert np.abs(both.probabilities(VIEWS) - mean / mean.sum(axis=1, keepdims=True)).max() < 2e-3, "weights are rounded"
    assert len(made) < 0.55 * sum(map(len, members))
    assert json.loads(both.metadata["seed"]) == 3
    assert len(set(json.loads(both.metadata["members"]))) == 2


def test_the_same_members_give_the_same_bytes_and_others_another_version() -> None:
    one, two, three = member(1), member(2), member(3)
    made = combining.combined([one, two], {})
    assert made == combining.combined([one, two], {})
    versions = [Reviewer(combining.combined(some, {}), 1).metadata["version"] for some in ([one, two], [one, three])]
    assert versions[0] != versions[1]


def test_a_network_without_a_version_is_refused() -> None:
    bare = onnx.load_from_string(member(1))
    del bare.metadata_props[:]
    with pytest.raises(ModelError, match="without a version"):
        combining.combined([member(2), bare.SerializeToString()], {})


def test_what_is_small_keeps_its_precision() -> None:
    graph = onnx.load_from_string(combining.combined([member(1)], {})).graph
    kinds = {constant.name: constant.data_type for constant in graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds.values()
    assert kinds["least"] == onnx.TensorProto.FLOAT
