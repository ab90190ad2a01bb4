import numpy as np
import pytest

from tenfold import Reader
from tenfold.read.explaining import explain
from tenfold.read.model import Model


def test_ink_that_makes_the_label_speaks_for_it_and_other_ink_against(make_model) -> None:
    """In the toy the class is the brightest row of bars: a faint bar elsewhere speaks against."""
    glyph = np.zeros((28, 28), np.uint8)
    glyph[2 * 3 + 4 : 2 * 3 + 7] = 255
    glyph[2 * 8 + 4 : 2 * 8 + 7, :10] = 255
    explanation = explain(Reader(Model(make_model(), "toy")), glyph)
    assert explanation.classification.labels.tolist() == [3]
    assert explanation.evidence[11, 5:23].min() > 0
    assert explanation.evidence[21, 1:9].max() < 0
    assert not explanation.evidence[glyph == 0].any()


def test_no_ink_is_no_evidence() -> None:
    explanation = explain(Reader(threads=1), np.zeros((28, 28), np.uint8))
    assert not explanation.evidence.any()
    assert explanation.classification.digit_score.tolist() == [0]


def test_the_bundled_model_tells_what_its_layers_answer() -> None:
    glyph = np.zeros((28, 28), np.uint8)
    glyph[4:24, 13:16] = 255
    layers = explain(Reader(threads=1), glyph).layers
    assert [layer.name for layer in layers] == [f"activation_{k}" for k in range(1, len(layers) + 1)]
    assert len(layers) >= 3
    assert all(layer.values.ndim == 3 and layer.values.min() == 0 < layer.values.max() for layer in layers)
    assert layers[0].values.shape[:2] == (14, 14)


def test_a_model_without_these_outputs_has_no_layers(make_model) -> None:
    model = Model(make_model(), "toy")
    assert model.activations(np.zeros((28, 28), np.uint8)) == {}


@pytest.mark.parametrize("glyph", [np.full((28, 28), 255, np.uint8), np.eye(28, dtype=np.uint8) * 255])
def test_evidence_is_finite_whatever_is_drawn(glyph: np.ndarray) -> None:
    assert np.isfinite(explain(Reader(threads=1), glyph).evidence).all()
