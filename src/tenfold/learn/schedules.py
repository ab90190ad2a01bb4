"""Learning rates over a training, as Keras schedules."""

from __future__ import annotations

from typing import Any

from tenfold.learn.backend import load_keras

keras: Any = load_keras()

_FIRST = 0.05


@keras.saving.register_keras_serializable("tenfold")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Straight up from a twentieth of `highest`, then straight down to zero (Smith, A disciplined approach, 2018).

    Args:
        highest: the learning rate at the top.
        n_steps: of the whole training.
        warmup: the share of the steps that go up.
    """

    def __init__(self, highest: float, n_steps: int, warmup: float) -> None:
        self.highest, self.n_steps, self.warmup = highest, n_steps, warmup

    def __call__(self, step: Any) -> Any:
        done = keras.ops.cast(step, "float32") / self.n_steps
        up = _FIRST + (1 - _FIRST) * done / self.warmup
        down = (1 - done) / (1 - self.warmup)
        return self.highest * keras.ops.clip(keras.ops.minimum(up, down), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"highest": self.highest, "n_steps": self.n_steps, "warmup": self.warmup}
