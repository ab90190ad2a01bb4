"""What a recipe is: everything that decides a training run, field by field, each with its range.

A recipe may come from a stranger's file, so unknown keys and values out of range are refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

from tenfold.errors import MissingExtraError

try:
    import msgspec
    from msgspec import Meta
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "msgspec") from problem

Count = Annotated[int, Meta(ge=1, le=100_000)]
# `\Z`, since `$` lets a last newline pass.
Fold = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,2}/[1-9][0-9]{0,2}\Z")]
Share = Annotated[float, Meta(ge=0, le=1)]
LearningRate = Annotated[float, Meta(gt=0, le=10)]
WeightDecay = Annotated[float, Meta(ge=0, le=10)]
Schedule = Literal["constant", "one_cycle"]
Warmup = Annotated[float, Meta(gt=0, lt=1)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a recipe."""


class Dense(_Part, frozen=True, tag_field="kind", tag="dense"):
    """Fully connected layers with ReLU, then ten outputs with softmax.

    Attributes:
        units: of each hidden layer.
        batch_norm: normalise each hidden sum over the batch (Ioffe and Szegedy, 2015); folded into the weights at export.
    """

    units: Annotated[tuple[Annotated[int, Meta(ge=1, le=8192)], ...], Meta(max_length=16)] = (128, 64)
    batch_norm: bool = False

    def __str__(self) -> str:
        """The units of each layer: 128-64."""
        return "-".join(map(str, self.units))


class Convolutional(_Part, frozen=True, tag_field="kind", tag="convolutional"):
    """3x3 convolutions in stages with a 2x2 max pooling between them, then the largest and the mean of each map, then softmax.

    Each convolution is followed by batch norm and ReLU; where a pooling follows, it comes before them, which costs a quarter.

    Attributes:
        stages: for each stage the number of maps of its convolutions.
        dropout: share of the pooled values left out in training.
    """

    stages: Annotated[
        tuple[Annotated[tuple[Annotated[int, Meta(ge=1, le=1024)], ...], Meta(min_length=1, max_length=8)], ...],
        Meta(min_length=1, max_length=4),
    ]
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0

    def __str__(self) -> str:
        """The maps of each convolution, a bar for each pooling: 16 | 32 32 | 64 64."""
        return " | ".join(" ".join(map(str, stage)) for stage in self.stages)


class Adam(_Part, frozen=True, tag_field="name", tag="adam"):
    """Adam (Kingma and Ba, 2015); with weight decay AdamW (Loshchilov and Hutter, 2019).

    Attributes:
        learning_rate: the highest of the schedule.
        beta_1: how much of the mean gradient is kept a step.
        beta_2: how much of the mean squared gradient is kept a step.
        epsilon: keeps the quotient of both finite.
        weight_decay: the share of each kernel that goes away a step is this times the learning rate.
        schedule: `constant`, or `one_cycle` (Smith, 2018): up from a twentieth, then straight down to zero.
        warmup: the share of all steps in which a cycle rises.
    """

    learning_rate: LearningRate = 1e-3
    beta_1: Annotated[float, Meta(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Meta(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Meta(gt=0, le=1)] = 1e-7
    weight_decay: WeightDecay = 0.0
    schedule: Schedule = "constant"
    warmup: Warmup = 0.25


class Muon(_Part, frozen=True, tag_field="name", tag="muon"):
    """Muon (Jordan et al., 2024) for the kernels of hidden dense layers, AdamW for all else.

    Attributes:
        learning_rate: the highest of the schedule, for both.
        momentum: how much of the mean gradient is kept a step.
        weight_decay: as in `Adam`.
        schedule: as in `Adam`.
        warmup: as in `Adam`.
    """

    learning_rate: LearningRate = 1.5e-2
    momentum: Annotated[float, Meta(ge=0, lt=1)] = 0.95
    weight_decay: WeightDecay = 0.1
    schedule: Schedule = "one_cycle"
    warmup: Warmup = 0.25


class Augmentation(_Part, frozen=True):
    """How far training digits are changed at random, anew in each epoch; each amount is the most in either direction.

    Attributes:
        rotation: degrees.
        shear: degrees of slant.
        scale: share of the size.
        aspect: share by which width and height part.
        shift: pixels.
        elastic: pixels that points of a coarse grid move, each on its own (Simard et al., 2003, smoother).
        stroke: share of the way to strokes a pixel wider, or narrower, on either side.
        blur: share of the way to the mean of 3x3 pixels.
        alike: so many digits that follow each other share a motion, which makes it as many times cheaper.
        nearest: take each pixel from the nearest place, not from between the four around it: as good for a network without
            convolutions, and cheaper.
        strangers: share of the sevens that come once more with a bar, of the ones with a flag or foot, and, halved, of all
            in a low resolution (`strangers.added`).
        copies: so many times a step has each of its digits, changed in other ways each time (Hoffer et al., 2020).
        clean_epochs: the last epochs see the digits as they are, once.
    """

    rotation: Annotated[float, Meta(ge=0, le=45)] = 0.0
    shear: Annotated[float, Meta(ge=0, le=45)] = 0.0
    scale: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    aspect: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    shift: Annotated[float, Meta(ge=0, le=10)] = 0.0
    elastic: Annotated[float, Meta(ge=0, le=5)] = 0.0
    stroke: Share = 0.0
    blur: Share = 0.0
    strangers: Share = 0.0
    alike: Annotated[int, Meta(ge=1, le=64)] = 8
    nearest: bool = False
    copies: Annotated[int, Meta(ge=1, le=64)] = 1
    clean_epochs: Annotated[int, Meta(ge=0, le=100_000)] = 0


class Teaching(_Part, frozen=True):
    """Learning from what other networks answer to the same changed digits (Hinton et al., 2015; Beyer et al., 2022).

    Attributes:
        teachers: runs, or `bundled`; their probabilities are averaged.
        share: of the loss that compares with the teachers; the rest compares with the labels.
    """

    teachers: Annotated[tuple[str, ...], Meta(min_length=1, max_length=16)] = ("bundled",)
    share: Share = 0.9


class Remembering(_Part, frozen=True):
    """The new digits are kept beside the weights: one that looks like them is likely of their class (`memory.Memory`).

    Attributes:
        weight: what a digit that is quite alike, and surely by the same hand, adds to the logit of its class.
        sharpness: how fast that falls with less likeness.
        most: digits of each class that are kept, the newest.
    """

    weight: Annotated[float, Meta(gt=0, le=1000)] = 100.0
    sharpness: Annotated[float, Meta(gt=0, le=100)] = 7.0
    most: Annotated[int, Meta(ge=1, le=100)] = 20


class Rehearsal(_Part, frozen=True):
    """Old digits among a few new ones, so that nothing is forgotten (`adapting`).

    Attributes:
        n_digits: training digits of the run it starts from, others in each epoch.
        share: of the places of an epoch that the new digits take, each of them as often as the others.
        kept: share of the way from the old weights to the new ones that is gone in the end.
        folds: so many further trainings read the new digits that they did not learn from; 0 for none.
        remembering: how the new digits themselves are kept, or null.
    """

    n_digits: Count = 1800
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.25
    kept: Annotated[float, Meta(gt=0, le=1)] = 1.0
    folds: Annotated[int, Meta(ge=0, le=100)] = 2
    remembering: Remembering | None = None


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides a training run.

    Attributes:
        name: names the default run folder.
        why: one sentence on what the recipe is for.
        network: the layers between the pixels and the ten probabilities.
        optimizer: how the weights follow the gradient.
        augmentation: how the training digits are changed, or null.
        loss: what is minimised.
        label_smoothing: share of each target that is spread over all ten classes (Szegedy et al., 2016).
        teaching: networks to learn from besides the labels, or null.
        rehearsal: `data` are few digits, to be learnt without forgetting those of `start_from`; or null.
        epochs: passes over the training digits.
        batch_size: digits a step.
        precision: what the convolutions of a training are computed in. `bfloat16` is so only where it is faster (a GPU, or on
            TensorFlow a processor with AMX or AVX-512's bf16); weights and sums stay float32 (Micikevicius et al., 2018).
        data: `mnist`, `digit-recognizer`, or the path of a labelled set.
        validation: digits held out for choosing: the last ones, a count or a share below 1; or a fold such as "2/5".
        start_from: a run, or `bundled`, whose weights come first instead of random ones; or null.
        seed: decides the first weights, the order of the digits and how they are changed.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
    why: str = ""
    network: Dense | Convolutional = Dense()
    optimizer: Adam | Muon = Adam()
    augmentation: Augmentation | None = None
    loss: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    teaching: Teaching | None = None
    rehearsal: Rehearsal | None = None
    epochs: Count = 10
    batch_size: Count = 32
    precision: Literal["float32", "bfloat16"] = "float32"
    data: str = "mnist"
    validation: Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0, lt=1)] | Fold = 5000
    start_from: str | None = None
    seed: Annotated[int, Meta(ge=0, lt=2**31)] = 0
