"""What differs between backends: how a whole stretch of training steps is compiled into one call, and a model's answer.

Plain `fit` pays for every step in Python; one compiled loop with the digits held on the device does not (about 4 s instead of
30 s for the classic experiment on two cores, same result).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.learn.backend import load_keras

Arrays = list[Any]


class Totals(NamedTuple):
    """Sums over the digits of the steps that ran."""

    loss: float
    n_correct: float
    n_digits: float


# Runs the steps from a row of `order` up to another one; see `steps`.
Steps = Callable[[NDArray[np.int32], int, int], Totals]
Forward = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_FORWARD_BATCH = 1000
_MOST_BY_XLA = 128  # digits of a step; with more, what XLA saves a step no longer pays for its 2 s of compiling


class Objective(NamedTuple):
    """What a training minimises.

    Attributes:
        label_smoothing: share of each target that is spread over all classes.
        taught: share of the loss that compares with the teachers, for a model that answers [probabilities, teachers'].
    """

    label_smoothing: float = 0.0
    taught: float = 0.0


_PLAIN = Objective()


def steps(
    model: Any, optimizer: Any, images: NDArray[np.uint8], labels: NDArray[np.uint8], objective: Objective = _PLAIN
) -> Steps:
    """Compile the training loop of a model over a set of digits.

    Args:
        model: uint8 (batch, 28, 28) to probabilities (batch, 10); updated in place.
        optimizer: a Keras optimizer; updated in place.
        images: uint8 (N, 28, 28), held on the device.
        labels: uint8 (N,).
        objective: what is minimised.

    Returns:
        `steps(order, start, stop)`: one step for each of the rows `start` to `stop` of `order`, int32 (n_steps, batch), whose
        values are indices of digits. A place that is to stay empty has -1 - index: that digit takes part in batch norm, but
        weighs nothing. Cutting an epoch into several calls changes no bit.
    """
    keras = load_keras()
    optimizer.build(model.trainable_variables)
    makers: dict[str, Callable[..., Callable[..., Any]]] = {"tensorflow": _tensorflow_steps, "jax": _jax_steps}
    make = makers[keras.backend.backend()]
    held = [keras.ops.convert_to_tensor(array) for array in (images, labels.astype(np.int32))]
    run = make(model, optimizer, *held, objective)

    def taken(order: NDArray[np.int32], start: int, stop: int) -> Totals:
        rows = keras.ops.convert_to_tensor(order)
        bounds = [keras.ops.convert_to_tensor(np.int32(bound)) for bound in (start, stop)]
        return Totals(*(float(value) for value in keras.ops.convert_to_numpy(run(rows, *bounds))))

    return taken


def forward(model: Any) -> Forward:
    """Compile what a model answers to images, uint8 (N, 28, 28): probabilities float32 (N, 10).

    Not `model.predict`: on JAX it would import TensorFlow as well, for data sets that are not used here.
    """
    keras = load_keras()
    answer = {"tensorflow": _tensorflow_forward, "jax": _jax_forward}[keras.backend.backend()](model)

    def probabilities(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        answered = np.zeros((len(images), *model.output_shape[1:]), np.float32)
        for start in range(0, len(images), _FORWARD_BATCH):
            part = images[start : start + _FORWARD_BATCH]
            # Always the same shape, so that it is compiled once.
            padded = np.zeros((_FORWARD_BATCH, *part.shape[1:]), np.uint8)
            padded[: len(part)] = part
            answered[start : start + len(part)] = keras.ops.convert_to_numpy(answer(padded))[: len(part)]
        return answered

    return probabilities


def _batch(images: Any, labels: Any, order: Any, step: Any) -> tuple[Any, Any, Any]:
    """Images (batch, 28, 28), labels (batch,) and weights (batch,) of a step; an empty place weighs nothing."""
    from keras import ops

    places = ops.take(order, step, axis=0)
    chosen = ops.maximum(places, -1 - places)
    return ops.take(images, chosen, axis=0), ops.take(labels, chosen, axis=0), ops.cast(places >= 0, "float32")


def _loss(labels: Any, answers: Any, weights: Any, objective: Objective) -> tuple[Any, Any]:
    """The mean loss of a batch, and its sums (3,): loss, right answers, digits.

    The sparse form of categorical cross-entropy: numerically the one-hot form without making the one-hot targets.
    """
    from keras import losses, ops

    outputs, *teachers = answers if isinstance(answers, list | tuple) else [answers]
    each = losses.sparse_categorical_crossentropy(labels, outputs)
    if objective.label_smoothing:
        spread = -ops.mean(ops.log(ops.maximum(outputs, 1e-7)), axis=-1)
        each = (1 - objective.label_smoothing) * each + objective.label_smoothing * spread
    if teachers:
        each = (1 - objective.taught) * each + objective.taught * losses.categorical_crossentropy(teachers[0], outputs)
    each = each * weights
    right = ops.cast(ops.cast(ops.argmax(outputs, axis=-1), "int32") == labels, "float32") * weights
    totals = ops.stack([ops.sum(each), ops.sum(right), ops.sum(weights)])
    return totals[0] / totals[2], totals


def _convolves(model: Any) -> bool:
    return any(len(variable.shape) == 4 for variable in model.trainable_variables)


def _tensorflow_steps(model: Any, optimizer: Any, images: Any, labels: Any, objective: Objective) -> Callable[..., Any]:
    import tensorflow as tf

    # On a processor XLA makes small steps of dense networks fast, but gradients of convolutions slow: those are for oneDNN.
    dense = not _convolves(model)

    # A `while_loop` with bounds as tensors, since XLA compiles a `tf.range` loop anew for every bound.
    def loop(order: Any, start: Any, stop: Any) -> Any:
        def body(step: Any, totals: Any) -> tuple[Any, Any]:
            some_images, some_labels, weights = _batch(images, labels, order, step)
            with tf.GradientTape() as tape:
                loss, sums = _loss(some_labels, model(some_images, training=True), weights, objective)
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            return step + 1, totals + sums

        return tf.while_loop(lambda step, _: step < stop, body, (start, tf.zeros(3)))[1]

    @cache
    def compiled(by_xla: bool) -> Any:
        return tf.function(loop, jit_compile=by_xla, autograph=False)

    return lambda order, start, stop: compiled(dense and order.shape[1] <= _MOST_BY_XLA)(order, start, stop)


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors as one operation of the step it is part of, compiled by XLA; it is that already on JAX."""
    if load_keras().backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)  # type: ignore[no-any-return]


def _tensorflow_forward(model: Any) -> Callable[[NDArray[np.uint8]], Any]:
    import tensorflow as tf

    return tf.function(lambda images: model(images, training=False), autograph=False)  # type: ignore[no-any-return]


def _jax_forward(model: Any) -> Callable[[NDArray[np.uint8]], Any]:
    import jax

    run = jax.jit(lambda trainable, others, images: model.stateless_call(trainable, others, images, training=False)[0])

    def forward(images: NDArray[np.uint8]) -> Any:
        return run([v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables], images)

    return forward


def _jax_steps(model: Any, optimizer: Any, images: Any, labels: Any, objective: Objective) -> Callable[..., Any]:
    import jax

    def loss_of(trainable: Arrays, others: Arrays, some_images: Any, some_labels: Any, weights: Any) -> Any:
        outputs, others = model.stateless_call(trainable, others, some_images, training=True)
        loss, sums = _loss(some_labels, outputs, weights, objective)
        return loss, (others, sums)

    gradients_of = jax.grad(loss_of, has_aux=True)

    @jax.jit  # type: ignore[untyped-decorator]
    def one(step: Any, carried: Any, images: Any, labels: Any, order: Any) -> Any:
        (trainable, others, slots), totals = carried
        gradients, (others, sums) = gradients_of(trainable, others, *_batch(images, labels, order, step))
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return (list(trainable), list(others), list(slots)), totals + sums

    def one_by_one(carried: Any, images: Any, labels: Any, order: Any, start: Any, stop: Any) -> Any:
        for step in range(int(start), int(stop)):
            carried = one(np.int32(step), carried, images, labels, order)
        return carried

    @jax.jit  # type: ignore[untyped-decorator]
    def in_a_loop(carried: Any, images: Any, labels: Any, order: Any, start: Any, stop: Any) -> Any:
        return jax.lax.fori_loop(start, stop, lambda step, carried: one(step, carried, images, labels, order), carried)

    # Within a loop XLA computes convolutions on a processor by plain loops of its own: ten to twenty times as long.
    run = one_by_one if _convolves(model) and jax.default_backend() == "cpu" else in_a_loop

    variables = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)

    def run_in_place(order: Any, start: Any, stop: Any) -> Any:
        state = tuple([variable.value for variable in group] for group in variables)
        state, totals = run((state, jax.numpy.zeros(3)), images, labels, order, start, stop)
        for group, values in zip(variables, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return totals

    return run_in_place
