"""A judge of a few hundred glyphs already tells digits from the rest; in ONNX it says the same."""

import numpy as np

import tenfold
from tenfold.learn import clutter, compiled, exporting, judging, recipes
from tenfold.learn.nondigits import NonDigits
from tenfold.read.judge import Judge


def test_a_small_judge_learns_and_onnx_says_the_same() -> None:
    digits = tenfold.load("mnist", "train")
    recipe = recipes.changed(judging.RECIPE, ["epochs=5", "network.stages=[[8],[16],[32]]"])
    model = judging.train(digits[:1500], clutter.packaged_fonts()[:3], recipe)
    others = NonDigits(digits.images[2000:2500], clutter.packaged_fonts()[:3]).drawn(300, 5)
    glyphs = np.concatenate([digits.images[3000:3300], others])
    judge = Judge(exporting.judge_to_onnx(model, {"threshold": 0.5}))
    scores = judge.scores(glyphs)
    answered = compiled.forward(model)(glyphs)
    np.testing.assert_allclose(scores, 1 - answered[:, -1], atol=1e-5)
    assert answered.shape == (600, 11)
    known = answered[:300].argmax(axis=1) == digits.known_labels[3000:3300]
    assert known.mean() > 0.7, "which digit it is, it learns too"
    assert judge.threshold == 0.5
    pairs = scores[:300, None] > scores[None, 300:]
    assert pairs.mean() > 0.85
    assert judge.scores(np.zeros((0, 28, 28), np.uint8)).shape == (0,)
