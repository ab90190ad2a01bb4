from typing import Any

import numpy as np
import pytest

import tenfold
from tenfold.learn import backend
from tenfold.learn.layers import BatchNormalization, GlobalPooling, RandomChange

keras = backend.load_keras()
STILL = dict.fromkeys(("rotation", "shear", "scale", "aspect", "shift", "elastic", "stroke", "blur"), 0.0) | {"alike": 8}


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return tenfold.load("mnist", "train").images[:64].astype(np.float32) / 255


def changed(images: np.ndarray, **amounts: float) -> np.ndarray:
    layer = RandomChange({**STILL, **amounts}, seed=1)
    return keras.ops.convert_to_numpy(layer(images, training=True))


def weights(images: np.ndarray) -> np.ndarray:
    return images.sum(axis=(1, 2))


def centres(images: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:28, :28]
    return np.stack([(images * axis).sum(axis=(1, 2)) for axis in (y, x)], axis=-1) / weights(images)[:, None]


def test_outside_training_and_without_strength_nothing_changes(images: np.ndarray) -> None:
    layer = RandomChange({**STILL, "rotation": 30.0, "stroke": 1.0, "elastic": 2.0}, seed=1)
    assert (keras.ops.convert_to_numpy(layer(images)) == images).all()
    layer.strength.assign(0.0)
    assert np.allclose(keras.ops.convert_to_numpy(layer(images, training=True)), images, atol=1e-6)


@pytest.mark.parametrize(
    "amounts",
    [
        {"rotation": 15},
        {"shear": 15},
        {"scale": 0.2},
        {"aspect": 0.2},
        {"shift": 2},
        {"elastic": 1.5},
        {"stroke": 1},
        {"blur": 1},
    ],
)
def test_each_amount_changes_digits_and_keeps_them_digits(images: np.ndarray, amounts: dict[str, float]) -> None:
    made = changed(images, **amounts)
    assert made.shape == images.shape
    assert made.min() >= -1e-6
    assert made.max() <= 1 + 1e-6
    assert np.abs(made - images).mean() > 0.002
    correlation = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(made, images, strict=True)]
    assert np.mean(correlation) > 0.5


def test_a_shift_moves_the_centre_by_no_more_than_it_says(images: np.ndarray) -> None:
    moved = centres(changed(images, shift=2.0)) - centres(images)
    assert np.abs(moved).max() <= 2.02
    assert moved.std(axis=0).min() > 0.5, "in both directions"


def test_the_nearest_pixel_is_near_what_lies_between_four(images: np.ndarray) -> None:
    """The same motions, so whole pixels, none invented, at most half a pixel from where the mean of four puts them."""
    motion = {"shift": 2.0, "rotation": 10.0, "alike": 1}
    nearest, between = changed(images, nearest=True, **motion), changed(images, **motion)
    assert all(np.isin(a, np.append(b, 0)).all() for a, b in zip(nearest, images, strict=True))
    assert np.abs(centres(nearest) - centres(between)).max() < 0.55
    assert np.abs(centres(nearest) - centres(images)).max() > 0.5


def test_the_nearest_pixel_serves_any_number_of_digits_and_any_motion(images: np.ndarray) -> None:
    for n, alike in ((1, 1), (7, 1), (8, 8), (24, 8)):
        made = changed(images[:n], nearest=True, elastic=1.5, rotation=10.0, alike=alike)
        assert made.shape == (n, 28, 28)
        assert all(np.isin(a, np.append(b, 0)).all() for a, b in zip(made, images[:n], strict=True))
        assert (made != images[:n]).any(axis=(1, 2)).all()


def test_neighbours_share_a_motion_and_groups_do_not(images: np.ndarray) -> None:
    images = np.pad(images[:, 3:25, 3:25], ((0, 0), (3, 3), (3, 3)))  # so that nothing is pushed out
    moved = (centres(changed(images, shift=2.0, alike=8)) - centres(images)).reshape(8, 8, 2)
    assert np.abs(moved - moved[:, :1]).max() < 0.02
    assert np.abs(moved[:, 0, None] - moved[None, :, 0]).max() > 0.5
    alone = (centres(changed(images, shift=2.0, alike=1)) - centres(images)).reshape(8, 8, 2)
    assert np.abs(alone - alone[:, :1]).max() > 0.5


def test_scale_changes_the_size_and_rotation_does_not(images: np.ndarray) -> None:
    larger = weights(changed(images, scale=0.2)) / weights(images)
    assert larger.min() < 0.9
    assert larger.max() > 1.1
    assert weights(changed(images, rotation=15.0)) / weights(images) == pytest.approx(1, abs=0.05)


def test_a_digit_is_never_flipped(images: np.ndarray) -> None:
    """Whatever the motion, a digit looks more like itself than like its mirror images."""
    made = changed(images, rotation=15.0, shear=10.0, scale=0.15, aspect=0.1, shift=1.0, elastic=1.0)
    labels = tenfold.load("mnist", "train").labels[:64]
    for image, original in zip(made[np.isin(labels, [2, 4, 7])], images[np.isin(labels, [2, 4, 7])], strict=True):
        likeness = [float((image * other).sum()) for other in (original, original[:, ::-1], original[::-1])]
        assert likeness[0] == max(likeness)


def test_strokes_get_wider_and_narrower(images: np.ndarray) -> None:
    ratio = weights(changed(images, stroke=1.0)) / weights(images)
    assert ratio.min() < 0.7
    assert ratio.max() > 1.4


def test_random_numbers_follow_the_seed(images: np.ndarray) -> None:
    one, same, other = (RandomChange({**STILL, "rotation": 10.0}, seed=seed) for seed in (1, 1, 2))
    a, b, c = (keras.ops.convert_to_numpy(layer(images, training=True)) for layer in (one, same, other))
    assert (a == b).all()
    assert (a != c).any()
    assert (keras.ops.convert_to_numpy(one(images, training=True)) != a).any(), "another change at the next step"


def test_a_layer_is_made_again_from_its_config() -> None:
    layer = RandomChange({**STILL, "rotation": 10.0}, seed=3, name="augment")
    again = RandomChange.from_config(layer.get_config())
    assert (again.amounts, again.seed, again.name) == (layer.amounts, 3, "augment")


def test_global_pooling_is_largest_and_mean_side_by_side() -> None:
    maps = np.random.default_rng(0).random((2, 7, 7, 3), np.float32)
    expected = np.concatenate([maps.max(axis=(1, 2)), maps.mean(axis=(1, 2))], axis=-1)
    assert np.allclose(keras.ops.convert_to_numpy(GlobalPooling()(maps)), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(16, 6, 5, 7), (16, 7)])
def test_the_batch_norm_is_keras_own_in_answer_gradient_and_what_it_learns(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    given, slope = random.normal(2, 3, shape).astype(np.float32), random.normal(0, 1, shape).astype(np.float32)
    found = [_normed(layer, given, slope) for layer in (BatchNormalization, keras.layers.BatchNormalization)]
    for ours, kerass in zip(*found, strict=True):
        assert np.allclose(ours, kerass, atol=1e-4)
    assert np.abs(found[0][1]).max() > 0.1


def _normed(kind: type, given: np.ndarray, slope: np.ndarray) -> list[np.ndarray]:
    """Answer in training, gradient of answer times slope, moving mean and variance, answer when it is not training."""
    layer = kind(momentum=0.9)
    layer.build(given.shape)
    layer.gamma.assign(np.linspace(0.5, 2, given.shape[-1]))
    layer.beta.assign(np.linspace(-1, 1, given.shape[-1]))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        x = tf.constant(given)
        with tf.GradientTape() as tape:
            tape.watch(x)
            answer = layer(x, training=True)
            total = tf.reduce_sum(answer * slope)
        gradient = tape.gradient(total, x)
    else:
        import jax

        def total_of(x: Any) -> Any:
            state = [variable.value for variable in layer.non_trainable_variables]
            answer, state = layer.stateless_call([v.value for v in layer.trainable_variables], state, x, training=True)
            return (answer * slope).sum(), (answer, state)

        gradient, (answer, state) = jax.grad(total_of, has_aux=True)(given)
        for variable, value in zip(layer.non_trainable_variables, state, strict=True):
            variable.assign(value)
    later = layer(given, training=False)
    return [keras.ops.convert_to_numpy(v) for v in (answer, gradient, layer.moving_mean, layer.moving_variance, later)]
