import os

import pytest

from tenfold.learn import recipes, speed


def test_training_is_measured_and_leaves_nothing() -> None:
    found = speed.measure(recipes.changed(recipes.RECIPES["mlp"], ["network.units=[8]"]))
    assert (found.recipe, found.backend) == ("mlp", os.environ["KERAS_BACKEND"])
    assert found.digits_per_second > 0
    assert found.epoch_s(1000) == 1000 / found.digits_per_second
    assert found.parameters == 784 * 8 + 8 + 8 * 10 + 10
    assert found.multiply_adds == 784 * 8 + 8 * 10
    assert found.share_of(200) == pytest.approx(6 * found.multiply_adds * found.digits_per_second / 200e9)


def test_the_limit_of_the_machine_is_measured() -> None:
    assert 0.1 < speed.matrix_product() < 100_000
