from typing import Any

import numpy as np
import onnx
import pytest

from tenfold import Digits
from tenfold.learn import backend, compiled, exporting, networks, recipes

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
    assert np.abs(compiled.forward(model)(toy.images) - expected).max() < 1e-5


def test_the_seed_decides_the_first_weights_and_nothing_else_does() -> None:
    np.random.seed(1)
    one, same = networks.build(CLASSIC), networks.build(CLASSIC)
    other = networks.build(recipes.changed(CLASSIC, ["seed=1"]))
    assert all((a == b).all() for a, b in zip(one.get_weights(), same.get_weights(), strict=True))
    assert (one.get_weights()[0] != other.get_weights()[0]).any()


def test_the_optimizer_is_the_recipes() -> None:
    changed = recipes.changed(CLASSIC, ["optimizer.learning_rate=0.02", "optimizer.beta_1=0.5"])
    adam = networks.make_optimizer(changed.optimizer, 100)
    assert float(adam.learning_rate) == np.float32(0.02)
    assert adam.beta_1 == 0.5


def test_mlp_has_109386_parameters_at_prediction_time() -> None:
    model = networks.build(recipes.RECIPES["mlp"])
    assert networks.count_parameters(model) == 109_386
    assert networks.count_parameters(networks.build(CLASSIC)) == 109_386


@pytest.mark.parametrize("name", ["cnn", "cnn-fast"])
def test_the_small_convolutional_networks_have_at_most_100000_parameters(name: str) -> None:
    model = networks.build(recipes.RECIPES[name])
    exported = onnx.load_from_string(exporting.to_onnx(model, {}))
    sizes = {c.name: int(np.prod(c.dims)) for c in exported.graph.initializer if not c.name.startswith(("scale", "maps"))}
    assert networks.count_parameters(model) == sum(sizes.values()) <= 100_000


def test_the_arithmetic_of_an_answer_is_counted() -> None:
    first, second, third = 28 * 28 * 9 * 24, 14 * 14 * 9 * (24 * 48 + 48 * 48), 7 * 7 * 9 * (48 * 96 + 96 * 96)
    assert networks.count_multiply_adds(networks.build(recipes.RECIPES["bundled"])) == first + second + third + 192 * 10


def test_weight_decay_spares_norms_and_biases() -> None:
    model = networks.build(recipes.RECIPES["mlp"])
    optimizer = networks.make_optimizer(recipes.RECIPES["mlp"].optimizer, 100)
    optimizer.build(model.trainable_variables)
    decayed = {v.path.split("/")[-1] for v in model.trainable_variables if optimizer._use_weight_decay(v)}
    assert decayed == {"kernel"}


def test_augmentation_is_switched_off_and_on() -> None:
    model = networks.build(recipes.RECIPES["mlp"])
    for on in (False, True):
        networks.set_augmentation(model, on)
        assert float(model.get_layer("augment").strength.numpy()) == on
    networks.set_augmentation(networks.build(CLASSIC), False)


def test_muon_moves_hidden_kernels_by_matrices_whose_singular_values_are_alike(toy: Digits) -> None:
    """The first step of Muon is the gradient made orthogonal; AdamW's would have singular values of all sizes."""
    changes = ['optimizer={"name":"muon","schedule":"constant"}', "augmentation=null", "network.units=[32,16]"]
    recipe = recipes.changed(recipes.RECIPES["mlp"], changes)
    model = networks.build(recipe)
    before = np.array(model.get_layer("dense_2").get_weights()[0])
    steps = compiled.steps(model, networks.make_optimizer(recipe.optimizer, 100), toy.images, toy.known_labels)
    steps(np.arange(256, dtype=np.int32)[None], 0, 1)
    moved = np.array(model.get_layer("dense_2").get_weights()[0]) - before
    values = np.linalg.svd(moved, compute_uv=False)
    assert values.min() > 0.4 * values.max()


def test_a_teacher_leaves_nothing_out(toy: Digits) -> None:
    """Its answers are those it gives when it is asked, and it draws no random numbers, which no checkpoint of a pupil holds."""
    dropping = recipes.changed(recipes.RECIPES["best"], ["network.stages=[[4]]", "network.dropout=0.5", "augmentation=null"])
    teacher = networks.build(dropping)
    learning = networks.taught(networks.build(CLASSIC), [teacher])
    taught = backend.load_keras().ops.convert_to_numpy(learning(toy.images[:50], training=True)[1])
    assert np.abs(taught - compiled.forward(teacher)(toy.images[:50])).max() < 1e-5
    assert not [variable.path for variable in learning.variables if "seed" in variable.path]


HALVED = recipes.changed(recipes.RECIPES["cnn-fast"], ["precision=bfloat16", "network.stages=[[4],[6]]"])


def test_convolutions_are_trained_in_bfloat16_where_there_are_units_for_it_and_read_in_float32(
    monkeypatch: pytest.MonkeyPatch, toy: Digits
) -> None:
    def dtypes(model: Any) -> set[str]:
        return {layer.compute_dtype for layer in model.layers if layer.name.startswith(("conv", "pool"))}

    monkeypatch.setattr(backend, "_multiplies_bfloat16", lambda: False)
    whole = networks.build(HALVED, learning=True)
    assert dtypes(whole) == {"float32"}
    assert networks.in_float32(whole, HALVED) is whole
    monkeypatch.setattr(backend, "_multiplies_bfloat16", lambda: True)
    assert dtypes(networks.build(HALVED)) == {"float32"}, "whoever opens a run reads with it"
    learning = networks.build(HALVED, learning=True)
    assert dtypes(learning) == {"bfloat16"}
    assert {v.dtype for v in learning.trainable_variables} == {"float32"}
    precise = networks.in_float32(learning, HALVED)
    assert dtypes(precise) == {"float32"}
    differences = np.abs(compiled.forward(precise)(toy.images) - compiled.forward(learning)(toy.images))
    assert 0 < differences.max() < 0.02
