"""The finder: a small network that sees a whole picture and says at each place which digit stands there and how large.

Trained on composed pages, as a detector without anchors (FCOS, Tian et al., 2019; CenterNet, Zhou et al., 2019): each cell of
a grid of 4 pixels answers with eleven probabilities (ten digits and none) and a box.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data.digits import CLASSES, Digits
from tenfold.learn import backend, networks, streaming
from tenfold.learn.composing import Composer, Kind
from tenfold.learn.recipe import Adam
from tenfold.learn.sheets import Page
from tenfold.picture.contrast import contrast
from tenfold.read.finder import LARGEST, LEAST, STRIDE, TYPICAL, resized

PATCH = (96, 256)  # height and width of what it learns from, in pixels
_MARGIN = 1.25  # so much beyond the sizes it answers for, a digit is neither here nor there
_DOUBLED = 0.15  # the share of pictures seen at twice their size
_SHARES: dict[Kind, float] = {"words": 0.08, "alone": 0.06, "signed": 0.06}
# Of a digit's width and height: how far from its middle cells answer for it, and how far they may answer anything.
_MIDDLE, _AROUND = (0.25, 0.2), (0.5, 0.4)


class Examples(NamedTuple):
    """What the finder learns from.

    Attributes:
        contrasts: float16 (n, 96, 256).
        targets: float16 (n, 24, 64, 6): label (10 for none), weight, and dx, dy, log width, log height of the digit's box.
    """

    contrasts: NDArray[np.float16]
    targets: NDArray[np.float16]


def stream(digits: Digits, fonts: Sequence[Path], n_parts: int, n: int, seed: int, processes: int = 2) -> Iterator[Examples]:
    """So many parts of `n` composed patches each; see `streaming.stream`."""
    return (Examples(*arrays) for arrays in streaming.stream(_one, digits, fonts, n_parts, n, seed, processes))


def _one(composer: Composer, random: np.random.Generator) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    patch, wanted = example(composer, random)
    return patch[None], wanted[None]


def example(composer: Composer, random: np.random.Generator) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """One patch and its targets; now and then its digits are too large or too small to be answered for.

    Some are pictures seen at twice their size, as small digits are.
    """
    composer = composer.varied()
    way = random.random()
    low, high = (LARGEST, 2.5 * LARGEST) if way < 0.1 else (0.4 * LEAST, LEAST) if way < 0.18 else (LEAST, LARGEST)
    digit_height = float(np.exp(random.uniform(np.log(low), np.log(high))))
    if other := composer.now_and_then(_SHARES, random):
        return _laid_out(_reduced(other, digit_height), random)
    zoom = 2 if random.random() < _DOUBLED else 1
    if way > 0.6:
        page = composer.line(random, int(random.integers(1, 8)), digit_height / zoom)
    else:
        height, width = PATCH
        if random.random() < 0.2:  # something cut out closely
            height, width = int(random.integers(height // 3, height)), int(random.integers(width // 4, width))
        page = composer.page(random, height // zoom, width // zoom, digit_height / zoom)
    return _laid_out(_resized(page, zoom), random)


def _reduced(page: Page, digit_height: float) -> Page:
    """The page as seen where its digits are no higher than that, as those of a large picture are."""
    return _resized(page, min(1.0, digit_height / float(np.median(page.boxes[:, 3])))) if len(page.boxes) else page


def _resized(page: Page, scale: float) -> Page:
    if scale == 1:
        return page
    picture = resized(page.picture.astype(np.float32), scale)
    ratio = np.array(picture.shape[::-1]) / page.picture.shape[::-1]
    return page._replace(picture=picture.astype(np.uint8), boxes=page.boxes * np.tile(ratio, 2).astype(np.float32))


def _laid_out(page: Page, random: np.random.Generator) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """The page's contrast somewhere in a patch that is blank otherwise, and what each cell should answer."""
    seen = contrast(page.picture.astype(np.float32))
    patch = np.zeros(PATCH, np.float16)
    (room_y, room_x), (h, w) = PATCH, seen.shape
    # Larger than the patch: a part of it; smaller: somewhere in it.
    y, x = (int(random.integers(min(0, room - side), max(0, room - side) + 1)) for room, side in ((room_y, h), (room_x, w)))
    top, left = max(0, y), max(0, x)
    part = seen[top - y : top - y + room_y - top, left - x : left - x + room_x - left]
    patch[top : top + part.shape[0], left : left + part.shape[1]] = part
    boxes = page.boxes + np.array([x, y, 0, 0], np.float32)
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    cut = ((middle < 0) | (middle >= PATCH[::-1])).any(axis=1)
    outside = ((boxes[:, :2] < -2) | (boxes[:, :2] + boxes[:, 2:] > np.array(PATCH[::-1]) + 2)).any(axis=1)
    return patch, targets(boxes[~cut], np.where(outside, -1, page.labels)[~cut])


def targets(boxes: NDArray[np.float32], labels: NDArray[np.int64], shape: tuple[int, int] = PATCH) -> NDArray[np.float16]:
    """What each cell of a picture should answer, float16 (H / 4, W / 4, 6); see `Examples`.

    Args:
        boxes: float32 (n, 4).
        labels: int (n,); -1 where any answer will do.
        shape: of the picture.
    """
    rows, columns = shape[0] // STRIDE, shape[1] // STRIDE
    made = np.zeros((rows, columns, 6), np.float32)
    made[..., 0], made[..., 1] = CLASSES, 1
    y, x = (np.arange(n, dtype=np.float32)[:, None] * STRIDE + STRIDE / 2 for n in (rows, columns))
    nearest = np.full((rows, columns), np.inf, np.float32)
    for (left, top, width, height), label in zip(boxes, labels, strict=True):
        across, down = np.abs(x.T - left - width / 2), np.abs(y - top - height / 2)
        size = max(height, width)
        if size < LEAST / _MARGIN or size > LARGEST * _MARGIN:
            continue  # not seen at this size
        ring = (across < max(_AROUND[0] * width, STRIDE)) & (down < max(_AROUND[1] * height, STRIDE))
        made[..., 1] = np.where(ring & np.isinf(nearest), 0, made[..., 1])
        if label < 0 or not LEAST <= size <= LARGEST:
            continue
        reach = max(_MIDDLE[0] * width, 0.51 * STRIDE), max(_MIDDLE[1] * height, 0.51 * STRIDE)
        distance = np.hypot(across / width, down / height)
        inside = (across < reach[0]) & (down < reach[1]) & (distance < nearest)
        nearest = np.where(inside, distance, nearest)
        box = np.stack(
            np.broadcast_arrays(
                (left + width / 2 - x.T) / TYPICAL,
                (top + height / 2 - y) / TYPICAL,
                np.log(width / TYPICAL),
                np.log(height / TYPICAL),
            ),
            axis=-1,
        )
        made[inside, 0], made[inside, 1], made[inside, 2:] = label, 1, box[inside]
    return made.astype(np.float16)


def network(seed: int = 0, dtype: str = "float32") -> Any:
    """The finder: contrast float32 (n, H, W, 1) to cells (n, H / 4, W / 4, 15): eleven logits, then the box.

    H and W are multiples of 8. Most of its 360,000 weights look from twice as far, on cells of 8 pixels, where they cost a
    quarter; what they see is added to what the cells of 4 pixels see themselves.

    Args:
        seed: decides the first weights.
        dtype: the Keras dtype policy of all layers but the last.
    """
    from tenfold.learn.layers import BatchNormalization, Detour

    keras = backend.load_keras()
    layers = keras.layers
    numbers = count(1)

    def conv(n: int, side: int = 3, stride: int = 1, spread: int = 1) -> list[Any]:
        i = next(numbers)
        first = keras.initializers.HeNormal(seed=seed * 1000 + i)
        options = {"strides": stride, "dilation_rate": spread, "use_bias": False, "kernel_initializer": first}
        return [
            layers.ZeroPadding2D(side // 2 * spread, dtype=dtype, name=f"conv_{i}_pad"),
            layers.Conv2D(n, side, dtype=dtype, name=f"conv_{i}", **options),
            BatchNormalization(momentum=0.95, dtype=dtype, name=f"conv_{i}_norm"),
            layers.ReLU(dtype=dtype, name=f"conv_{i}_relu"),
        ]

    near = [*conv(16, 5, 2), *conv(32, 3, 2), *conv(48)]
    far = [*conv(96, stride=2), *conv(96), *conv(96, spread=2), *conv(96)]
    first = keras.initializers.GlorotUniform(seed=seed * 1000)
    far.append(layers.Conv2DTranspose(48, 2, strides=2, kernel_initializer=first, dtype=dtype, name="nearer"))
    answer = layers.Conv2D(CLASSES + 5, 1, kernel_initializer=first, name="cells")
    return keras.Sequential(
        [keras.Input((None, None, 1), name="contrast"), *near, Detour(far, dtype=dtype, name="far"), *conv(64), answer],
        name="finder",
    )


def loss(wanted: Any, answered: Any) -> Any:
    """Cross-entropy over the cells that count, and the distance of the boxes where a digit is."""
    from keras import losses, ops

    label, weight, box = wanted[..., 0], wanted[..., 1], wanted[..., 2:]
    digit = weight * ops.cast(label < CLASSES, "float32")
    entropy = losses.sparse_categorical_crossentropy(ops.cast(label, "int32"), answered[..., : CLASSES + 1], from_logits=True)
    # Confident and right counts little (Lin et al., focal loss, 2017), or the paper would outweigh the digits.
    hard = 1 - ops.exp(-entropy)
    n_digits = ops.sum(digit) + 1
    classes = ops.sum(weight * entropy * ops.where(digit > 0, ops.ones_like(hard), hard)) / n_digits
    away = ops.abs(box - answered[..., CLASSES + 1 :])
    return classes + ops.sum(digit * ops.mean(ops.minimum(away, away * away * 4), axis=-1)) / n_digits


def train(
    parts: Iterable[Examples],
    n_steps: int,
    epochs: int = 1,
    batch_size: int = 16,
    learning_rate: float = 4e-3,
    seed: int = 0,
    kept: Path | None = None,
) -> Any:
    """A finder trained on parts of examples one after the other, its learning rate in one cycle.

    Args:
        parts: the examples.
        n_steps: of all parts and epochs together.
        epochs: how often each part is gone through before the next.
        batch_size: patches a step.
        learning_rate: the highest.
        seed: decides the first weights and the order of the patches.
        kept: a .keras file for the model after each part, so that hours are not lost.
    """
    backend.load_keras().utils.set_random_seed(seed)
    model = network(seed, backend.dtype_policy("bfloat16"))
    settings = Adam(learning_rate=learning_rate, beta_2=0.99, weight_decay=0.02, schedule="one_cycle", warmup=0.15)
    model.compile(networks.make_optimizer(settings, n_steps), loss, steps_per_execution=8)
    for i, made in enumerate(parts):
        model.fit(_Batches(made, batch_size, seed + i), epochs=epochs, verbose=2)
        if kept:
            with storage.whole_file(kept) as temporary:
                backend.save(model, temporary)
    return networks.with_weights_of(model, network(seed))


def _batches_class() -> Any:

    class Batches(backend.load_keras().utils.PyDataset):  # type: ignore[misc]
        """Shuffled batches of examples, anew each epoch."""

        def __init__(self, made: Examples, batch_size: int, seed: int) -> None:
            super().__init__()
            self._made, self._batch_size, self._random = made, batch_size, np.random.default_rng([seed, 3])
            self.on_epoch_end()

        def __len__(self) -> int:
            return len(self._made.contrasts) // self._batch_size

        def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
            return self._made.contrasts[chosen, ..., None].astype(np.float32), self._made.targets[chosen].astype(np.float32)

        def on_epoch_end(self) -> None:
            self._order = self._random.permutation(len(self._made.contrasts))

    return Batches


_Batches = partial(lambda *args: _batches_class()(*args))
