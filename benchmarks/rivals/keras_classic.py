"""The classic experiment as a plain Keras script, on MNIST: 784-128-64-10, Adam, batch 32, 10 epochs."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from numpy.typing import NDArray
from watched import digits, watch

training, _, _ = digits()
x = training.images.reshape(-1, 784).astype("float32") / 255
y = keras.utils.to_categorical(training.known_labels, 10)
layers = keras.layers
model = keras.Sequential(
    [
        keras.Input((784,)),
        layers.Dense(128, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])


def predict(images: NDArray[np.uint8]) -> NDArray[np.integer]:
    probabilities = model.predict(images.reshape(-1, 784).astype("float32") / 255, verbose=0, batch_size=1000)
    return np.asarray(probabilities.argmax(axis=1))


if __name__ == "__main__":
    watch(10, lambda: model.fit(x, y, batch_size=32, epochs=1, verbose=0), predict)
