"""PyTorch's MNIST example (pytorch/examples/mnist): its network, Adadelta, StepLR 0.7, batch 64, 14 epochs."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from watched import digits, watch


class Net(nn.Module):  # type: ignore[misc,unused-ignore]
    """The example's network, 1,199,882 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3, 1), nn.Conv2d(32, 64, 3, 1)
        self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)
        self.fc1, self.fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.conv2(functional.relu(self.conv1(x))))
        x = torch.flatten(self.dropout1(functional.max_pool2d(x, 2)), 1)
        return functional.log_softmax(self.fc2(self.dropout2(functional.relu(self.fc1(x)))), dim=1)


def to_tensor(images: NDArray[np.uint8]) -> torch.Tensor:
    """As the example's transform: scaled to 0-1, then normalised."""
    return ((torch.from_numpy(images.copy()).float() / 255 - 0.1307) / 0.3081)[:, None]


def predict(images: NDArray[np.uint8]) -> NDArray[np.integer]:
    model.eval()
    with torch.no_grad():
        return np.concatenate([model(part).argmax(1).numpy() for part in to_tensor(images).split(1000)])


torch.manual_seed(1)
model = Net()


def main() -> None:
    training, _, _ = digits()
    x, y = to_tensor(training.images), torch.from_numpy(training.known_labels.astype(np.int64))
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)

    def epoch() -> None:
        model.train()
        for chosen in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            functional.nll_loss(model(x[chosen]), y[chosen]).backward()
            optimizer.step()
        scheduler.step()

    watch(14, epoch, predict)


if __name__ == "__main__":
    main()
