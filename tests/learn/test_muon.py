"""Muon in the smaller space: Keras's update, for tall, wide and square kernels."""

from __future__ import annotations

import numpy as np
import pytest

from tenfold.learn.backend import load_keras
from tenfold.learn.muon import GramMuon


@pytest.mark.parametrize("shape", [(50, 12), (12, 50), (16, 16)])
@pytest.mark.parametrize("steps", [1, 5])
def test_it_makes_the_update_that_keras_makes(shape: tuple[int, int], steps: int) -> None:
    keras = load_keras()
    gradient = keras.ops.convert_to_tensor(np.random.default_rng(3).normal(size=shape).astype(np.float32))
    ours, theirs = (make().zeropower_via_newtonschulz5(gradient, steps) for make in (GramMuon, keras.optimizers.Muon))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs), atol=2e-5)
