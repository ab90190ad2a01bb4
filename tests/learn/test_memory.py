import numpy as np

from tenfold.learn.memory import Memory


def test_a_class_counts_as_much_as_its_digit_that_is_most_alike() -> None:
    random = np.random.default_rng(0)
    maps, given = random.random((5, 3, 3, 2), np.float32), random.dirichlet(np.ones(10), 5).astype(np.float32)
    layer = Memory(3, weight=7.0, sharpness=2.0, maps_of="somewhere")
    layer.build([(None, 3, 3, 2), (None, 10)])
    remembered, others = random.random((3, 3, 3, 2), np.float32), random.random((40, 3, 3, 2), np.float32)
    layer.remember(remembered, np.array([4, 4, 9]), others)

    def roots(maps: np.ndarray) -> np.ndarray:
        flat = maps.reshape(len(maps), -1)
        return np.sqrt(flat / flat.sum(axis=1, keepdims=True))

    mean, expected = roots(others).mean(axis=0), []
    for one, before in zip(roots(maps) - mean, given, strict=True):
        likeness = [one @ other / np.linalg.norm(one) / np.linalg.norm(other) for other in roots(remembered) - mean]
        votes = np.zeros(10)
        votes[[4, 9]] = np.exp(2.0 * (max(likeness[:2]) - 1)), np.exp(2.0 * (likeness[2] - 1))
        after = before * np.exp(7.0 * votes)
        expected.append(after / after.sum())
    assert np.allclose(np.array(layer([maps, given])), expected, atol=1e-5)


def test_digits_by_another_hand_are_turned_less() -> None:
    """Two hands whose maps differ in how strong they are; what a digit shows lies in where they are strong."""
    random = np.random.default_rng(1)

    def written(labels: np.ndarray, mine: bool) -> np.ndarray:
        maps = random.random((len(labels), 2, 5, 3)).astype(np.float32)
        maps[np.arange(len(labels)), labels // 5, labels % 5] += 3
        return maps * np.array([2, 1, 0.5] if mine else [0.5, 1, 2], np.float32)

    labels = np.resize(np.arange(10), 200)
    layer = Memory(20, weight=50.0, sharpness=5.0, maps_of="somewhere")
    layer.build([(None, 2, 5, 3), (None, 10)])
    layer.remember(written(labels[:20], True), labels[:20], written(labels, False))
    unsure = np.full((200, 10), 0.1, np.float32)
    before = np.array(layer([written(labels, False), unsure])).max(axis=1)
    layer.tell_apart(written(labels, True), labels, written(labels, False), labels)
    mine, others = (np.array(layer([written(labels, by_me), unsure])) for by_me in (True, False))
    assert (mine.argmax(axis=1) == labels).all()
    assert mine.max(axis=1).mean() > 0.9
    assert before.mean() > 0.6
    assert others.max(axis=1).mean() < before.mean() - 0.2


def test_one_hand_that_writes_as_all_others_is_told_from_none() -> None:
    maps = np.tile(np.random.default_rng(2).random((10, 1, 1, 4)).astype(np.float32), (4, 2, 2, 1))
    labels = np.resize(np.arange(10), 40)
    layer = Memory(1, weight=7.0, sharpness=2.0, maps_of="somewhere")
    layer.build([(None, 2, 2, 4), (None, 10)])
    layer.tell_apart(maps, labels, maps, labels)
    assert np.abs(layer.get_weights()[4]).max() < 1e-3  # no map speaks for it


def test_empty_maps_are_like_none() -> None:
    layer = Memory(1, weight=7.0, sharpness=2.0, maps_of="somewhere")
    layer.build([(None, 4), (None, 10)])
    layer.remember(np.eye(4, dtype=np.float32)[:1], np.array([3]), np.zeros((1, 4), np.float32))
    answer = np.array(layer([np.zeros((1, 4), np.float32), np.full((1, 10), 0.1, np.float32)]))
    assert np.isfinite(answer).all()
    assert answer[0, 3] < 0.3
