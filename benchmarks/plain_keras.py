"""The classic experiment as a plain Keras script: default backend, batch 32, `fit` with no options."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

import tenfold

digits = tenfold.load("digit-recognizer", "train")
x = digits.images.reshape(-1, 784).astype("float32") / 255
y = keras.utils.to_categorical(digits.known_labels, 10)

model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=10, batch_size=32, validation_split=0.2)
print(f"val_accuracy {history.history['val_accuracy'][-1]:.4f}")
