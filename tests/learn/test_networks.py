import numpy as np

from tenfold import Digits
from tenfold.learn import backend, networks, recipes

CLASSIC = recipes.RECIPES["classic"]


def test_classic_has_109386_parameters_all_trainable() -> None:
    model = networks.build(CLASSIC)
    assert [n for _, _, n in networks.summary(model) if n] == [100_480, 8_256, 650]
    assert model.count_params() == 109_386
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 109_386


def test_keras_agrees_with_a_forward_pass_in_numpy(toy: Digits) -> None:
    model = networks.build(CLASSIC)
    activation = toy.images.reshape(-1, 784) / 255.0
    *hidden, last = [layer.get_weights() for layer in model.layers if layer.get_weights()]
    for kernel, bias in hidden:
        activation = np.maximum(activation @ kernel + bias, 0)
    logits = activation @ last[0] + last[1]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.abs(backend.compiled_forward(model)(toy.images) - expected).max() < 1e-5


def test_the_seed_decides_the_first_weights_and_nothing_else_does() -> None:
    np.random.seed(1)
    one, same = networks.build(CLASSIC), networks.build(CLASSIC)
    other = networks.build(recipes.changed(CLASSIC, ["seed=1"]))
    assert all((a == b).all() for a, b in zip(one.get_weights(), same.get_weights(), strict=True))
    assert (one.get_weights()[0] != other.get_weights()[0]).any()


def test_the_optimizer_is_the_recipes() -> None:
    adam = networks.make_optimizer(recipes.changed(CLASSIC, ["optimizer.learning_rate=0.02", "optimizer.beta_1=0.5"]))
    assert float(adam.learning_rate) == np.float32(0.02)
    assert adam.beta_1 == 0.5
