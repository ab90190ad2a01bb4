"""scikit-learn's MLPClassifier with the hidden layers of the classic experiment, otherwise as it comes; 10 epochs."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier
from watched import digits, watch

model = MLPClassifier(hidden_layer_sizes=(128, 64), random_state=0)

if __name__ == "__main__":
    training, _, _ = digits()
    x = training.images.reshape(-1, 784).astype("float32") / 255
    watch(
        10,
        lambda: model.partial_fit(x, training.known_labels, classes=np.arange(10)),
        lambda images: model.predict(images.reshape(-1, 784).astype("float32") / 255),
    )
