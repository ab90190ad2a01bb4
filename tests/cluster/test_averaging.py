"""Models as one file: it answers with their mean."""

import numpy as np
import onnx
import pytest

from tenfold.cluster import averaging
from tenfold.errors import ModelError
from tenfold.learn import exporting, networks, recipes
from tenfold.read.model import Model

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28)).astype(np.uint8)


def member(seed: int) -> bytes:
    return exporting.to_onnx(networks.build(recipes.chosen("classic", [f"seed={seed}"])), {})


def test_it_answers_with_the_mean() -> None:
    members = [member(seed) for seed in (1, 2)]
    both = Model(averaging.averaged(members, {"seed": 3}), "both")
    mean = np.mean([Model(one, "one").probabilities(IMAGES) for one in members], axis=0)
    np.testing.assert_allclose(both.probabilities(IMAGES), mean, atol=1e-6)
    assert both.metadata["seed"] == 3


def test_the_same_members_give_the_same_bytes_and_others_another_version() -> None:
    one, two, three = member(1), member(2), member(3)
    made = averaging.averaged([one, two], {})
    assert made == averaging.averaged([one, two], {})
    assert Model(made, "a").metadata["version"] != Model(averaging.averaged([one, three], {}), "b").metadata["version"]


def test_a_network_without_a_version_is_refused() -> None:
    bare = onnx.load_from_string(member(1))
    del bare.metadata_props[:]
    with pytest.raises(ModelError, match="without a version"):
        averaging.averaged([member(2), bare.SerializeToString()], {})
