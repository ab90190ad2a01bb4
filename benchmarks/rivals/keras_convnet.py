"""The convnet of keras.io (examples/vision/mnist_convnet): its network, Adam, batch 128, 15 epochs."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from numpy.typing import NDArray
from watched import digits, watch

layers = keras.layers
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])


def predict(images: NDArray[np.uint8]) -> NDArray[np.integer]:
    probabilities = model.predict(images[..., None].astype("float32") / 255, verbose=0, batch_size=1000)
    return np.asarray(probabilities.argmax(axis=1))


if __name__ == "__main__":
    training, _, _ = digits()
    x = training.images[..., None].astype("float32") / 255
    y = keras.utils.to_categorical(training.known_labels, 10)
    watch(15, lambda: model.fit(x, y, batch_size=128, epochs=1, verbose=0), predict)
