"""Digits: a set of glyphs with or without labels. Checks, splits, fingerprints.

Knows nothing of files or networks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError

SIDE = 28
_PAPER = 150  # of 255: no rim of ink is so bright
CLASSES = 10


@dataclass(frozen=True, eq=False)
class Digits:
    """A set of digits.

    Attributes:
        images: uint8 (N, 28, 28), white ink (255) on black (0), laid out as MNIST is.
        labels: uint8 (N,) with values 0-9, or None where they are not known.
        name: what to call the set in messages and reports, e.g. 'digit-recognizer train'.

    Raises:
        DataError: an array has another shape or type, a label is over 9, or the counts differ.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None
    name: str

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
            raise DataError(f"{self.name}: images are {images.dtype} {images.shape}, expected uint8 (N, 28, 28)")
        if labels is None:
            return
        if labels.dtype != np.uint8 or labels.ndim != 1:
            raise DataError(f"{self.name}: labels are {labels.dtype} {labels.shape}, expected uint8 (N,)")
        if len(labels) != len(images):
            raise DataError(f"{self.name}: {len(images):,} images but {len(labels):,} labels; expected as many of each")
        if len(labels) and labels.max() >= CLASSES:
            row = int(np.argmax(labels >= CLASSES))
            raise DataError(f"{self.name}, row {row + 1}: label {labels[row]}, expected a digit 0-9")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, which: Any) -> Digits:
        """A part of the set: by a slice, an index array or a mask."""
        return Digits(self.images[which], None if self.labels is None else self.labels[which], self.name)

    def __repr__(self) -> str:
        labelled = "without labels" if self.labels is None else "labelled"
        return f"<Digits {self.name!r}: {len(self):,} digits, {labelled}>"

    def named(self, name: str) -> Digits:
        """The same digits under another name."""
        return Digits(self.images, self.labels, name)

    def unlabelled(self) -> Digits:
        """The same digits without their labels."""
        return Digits(self.images, None, self.name)

    def oddity(self) -> str | None:
        """What speaks against these being white ink on black, 0-255, as all of tenfold expects; None if nothing does."""
        if not self.images.any():
            return "all digits are blank" if len(self) else None
        if self.images.max() == 1:
            return "no pixel is over 1, expected 0 to 255; are these shares, or bits? Multiply them by 255"
        rims = np.concatenate([self.images[:, [0, -1]].ravel(), self.images[:, :, [0, -1]].ravel()])
        if rims.mean() > _PAPER:
            return "bright at the rim, expected white ink on black; is this ink on paper? Turn it round: 255 - pixels"
        return None

    @property
    def known_labels(self) -> NDArray[np.uint8]:
        """The labels, uint8 (N,).

        Raises:
            DataError: the set has none.
        """
        if self.labels is None:
            raise DataError(
                f"{self.name} has no labels; expected a column `label` in a CSV, `labels` in an .npz, folders 0 to 9"
            )
        return self.labels

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many digits of each class there are, int64 (10,)."""
        return np.bincount(self.known_labels, minlength=CLASSES)

    def split(self, validation: int | float) -> tuple[Digits, Digits]:
        """Hold out the last digits: a count (int) or a share below 1 (float); 0 holds out none.

        Raises:
            DataError: nothing would be left to train on, or the number is negative.
        """
        is_share = isinstance(validation, float)
        possible = 0 <= validation < (1 if is_share else len(self))
        kept = len(self) - (round(validation * len(self)) if is_share else int(validation)) if possible else 0
        if kept < 1:
            raise DataError(
                f"{self.name}: cannot hold out {validation} of {len(self):,} digits; "
                "expected a count (0, 1, …) or a share below 1 (0.2) that leaves digits to train on"
            )
        return self[:kept], self[kept:]

    def in_fold(self, number: int, n_folds: int) -> NDArray[np.bool_]:
        """Which digits are in fold `number`, from 1, of `n_folds`: every n-th, bool (N,)."""
        return np.asarray(np.arange(len(self)) % n_folds == number - 1, np.bool_)

    @cached_property
    def fingerprints(self) -> NDArray[np.uint64]:
        """A 64-bit BLAKE2b hash of each image's 784 bytes, uint64 (N,): equal pixels give equal fingerprints."""
        rows = np.ascontiguousarray(self.images).reshape(-1, SIDE * SIDE)
        hashes = b"".join(hashlib.blake2b(row.data, digest_size=8).digest() for row in rows)
        return np.frombuffer(hashes, dtype="<u8").astype(np.uint64)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over all image bytes, then all label bytes, in order: 64 hexadecimal digits."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()
