from itertools import pairwise

import numpy as np
import pytest

from tenfold import Digits, load
from tenfold.learn import compiled, networks, recipes
from tenfold.learn.recipe import Recipe

RECIPE = recipes.changed(recipes.RECIPES["classic"], ["network.units=[8]", "batch_size=8"])
CONVOLUTIONAL = recipes.changed(recipes.RECIPES["cnn"], ["network.stages=[[4],[8]]", "augmentation=null", "batch_size=8"])


def weights_after(toy: Digits, order: np.ndarray, cuts: list[int], recipe: Recipe = RECIPE) -> list[np.ndarray]:
    model = networks.build(recipe)
    steps = compiled.steps(model, networks.make_optimizer(recipe.optimizer, 100), toy.images, toy.known_labels)
    for start, stop in pairwise(cuts):
        steps(order, start, stop)
    return [np.array(w) for w in model.get_weights()]


def test_one_step_on_eight_digits_is_adam_by_hand(toy: Digits) -> None:
    """Against gradients and the first step of Adam (Kingma and Ba, 2015) computed in NumPy."""
    model = networks.build(RECIPE)
    before = [np.array(w) for w in model.get_weights()]
    steps = compiled.steps(model, networks.make_optimizer(RECIPE.optimizer, 100), toy.images[:8], toy.known_labels[:8])
    steps(np.arange(8, dtype=np.int32)[None], 0, 1)
    (kernel_1, bias_1), (kernel_2, bias_2) = before[:2], before[2:]
    x, labels = toy.images[:8].reshape(8, 784) / 255.0, toy.known_labels[:8]
    hidden = np.maximum(x @ kernel_1 + bias_1, 0)
    logits = hidden @ kernel_2 + bias_2
    error = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) - np.eye(10)[labels]
    gradients = [None, None, hidden.T @ error / 8, error.mean(axis=0)]
    back = (error @ kernel_2.T) * (hidden > 0)
    gradients[:2] = [x.T @ back / 8, back.mean(axis=0)]
    for old, new, gradient in zip(before, model.get_weights(), gradients, strict=True):
        # beta_2 = 0.999; epsilon = 1e-7 stands beside the square root of the uncorrected second moment.
        root = np.sqrt(1 - 0.999)
        expected = -1e-3 * root * gradient / (root * np.abs(gradient) + 1e-7)
        clear = np.abs(gradient) > 1e-5  # below, float32 rounding of the gradient decides
        assert clear.any()
        assert np.allclose((new - old)[clear], expected[clear], atol=1e-5)


def test_totals_are_sums_over_the_digits_of_the_steps(toy: Digits) -> None:
    model = networks.build(RECIPE)
    answered = compiled.forward(model)(toy.images[:8])
    steps = compiled.steps(model, networks.make_optimizer(RECIPE.optimizer, 100), toy.images, toy.known_labels)
    totals = steps(np.arange(8, dtype=np.int32)[None], 0, 1)
    labels = toy.known_labels[:8]
    assert totals.n_digits == 8
    assert totals.n_correct == (answered.argmax(axis=1) == labels).sum()
    assert totals.loss == pytest.approx(-np.log(answered[np.arange(8), labels]).sum(), rel=1e-4)


@pytest.mark.parametrize("recipe", [RECIPE, CONVOLUTIONAL], ids=["dense", "convolutional"])
def test_cutting_an_epoch_into_calls_changes_no_bit(toy: Digits, recipe: Recipe) -> None:
    order = np.random.default_rng(0).permutation(400).astype(np.int32).reshape(50, 8)
    whole, cut = weights_after(toy, order, [0, 50], recipe), weights_after(toy, order, [0, 1, 17, 50], recipe)
    assert all((a == b).all() for a, b in zip(whole, cut, strict=True))


def test_a_convolutional_network_learns() -> None:
    digits, model = load("mnist", "train")[:400], networks.build(CONVOLUTIONAL)
    steps = compiled.steps(model, networks.make_optimizer(CONVOLUTIONAL.optimizer, 100), digits.images, digits.known_labels)
    orders = [np.random.default_rng(k).permutation(400).astype(np.int32).reshape(10, 40) for k in range(10)]
    losses = [steps(order, 0, 10).loss for order in orders]
    assert losses[-1] < 0.9 * 400 * np.log(10) < losses[0]  # what guessing would cost


def test_large_steps_are_compiled_in_another_way_with_the_same_result(toy: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    order = np.random.default_rng(0).permutation(400).astype(np.int32).reshape(50, 8)
    small = weights_after(toy, order, [0, 50])
    monkeypatch.setattr(compiled, "_MOST_BY_XLA", 7)
    large, cut = weights_after(toy, order, [0, 50]), weights_after(toy, order, [0, 1, 17, 50])
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(small, large, strict=True))
    assert all((a == b).all() for a, b in zip(large, cut, strict=True))


def test_an_empty_place_weighs_nothing(toy: Digits) -> None:
    """A batch of five digits and three empty places is a batch of five digits."""
    padded = np.array([[1, 2, 3, 4, 5, -1, -2, -9]], np.int32)
    a, b = weights_after(toy, padded, [0, 1]), weights_after(toy, padded[:, :5], [0, 1])
    assert all(np.allclose(x, y, atol=1e-6) for x, y in zip(a, b, strict=True))


def test_label_smoothing_and_teaching_are_in_the_loss_as_defined(toy: Digits) -> None:
    """Against both terms computed in NumPy; the teacher is an untrained network of another seed."""
    model, teacher = networks.build(RECIPE), networks.build(recipes.changed(RECIPE, ["seed=1"]))
    p, q = (compiled.forward(m)(toy.images[:8]).astype(float) for m in (model, teacher))
    hard = np.eye(10)[toy.known_labels[:8]] * 0.9 + 0.01
    expected = -((0.25 * hard + 0.75 * q) * np.log(p)).sum()
    both = networks.taught(model, [teacher])
    objective = compiled.Objective(label_smoothing=0.1, taught=0.75)
    optimizer = networks.make_optimizer(RECIPE.optimizer, 100)
    before = [np.array(w) for w in teacher.get_weights()]
    steps = compiled.steps(both, optimizer, toy.images, toy.known_labels, objective)
    assert steps(np.arange(8, dtype=np.int32)[None], 0, 1).loss == pytest.approx(expected, rel=1e-4)
    assert all((a == b).all() for a, b in zip(before, teacher.get_weights(), strict=True)), "a teacher does not learn"
    assert np.abs(compiled.forward(model)(toy.images[:8]) - p).max() > 0, "the model itself does"


def test_several_teachers_are_averaged(toy: Digits) -> None:
    model, *teachers = (networks.build(recipes.changed(RECIPE, [f"seed={seed}"])) for seed in range(3))
    _, mean = networks.taught(model, teachers)(toy.images[:8])
    expected = np.mean([compiled.forward(teacher)(toy.images[:8]) for teacher in teachers], axis=0)
    assert np.allclose(np.array(mean), expected, atol=1e-6)


def test_forward_does_not_depend_on_how_many_images_come_together(toy: Digits) -> None:
    forward = compiled.forward(networks.build(RECIPE))
    assert forward(toy.images[:0]).shape == (0, 10)
    assert (forward(toy.images[:3]) == forward(toy.images)[:3]).all()
