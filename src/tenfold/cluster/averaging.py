"""Several networks as one ONNX file that answers with the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tenfold.learn import combining
from tenfold.read.model import KIND


def averaged(members: Sequence[bytes], metadata: Mapping[str, Any]) -> bytes:
    """Put models side by side into one graph: input `images` uint8 (batch, 28, 28), output `probabilities` float32 (batch, 10).

    What hidden layers answer is no output any more. The same members give the same bytes.

    Args:
        members: ONNX files of `exporting.to_onnx`.
        metadata: kept in the file, each value as JSON; `kind` and `version` (a hash of the members' versions) are added.

    Raises:
        ModelError: the result is no valid ONNX.
    """
    made = combining.side_by_side(members, "digits", _mean)
    return combining.finished(made, {"kind": KIND, "version": combining.version(members)}, metadata)


def _mean(names: list[str]) -> list[Any]:
    from onnx import helper

    return [helper.make_node("Mean", names, [combining.OUTPUT], name="mean")]
