from tenfold.read import speed


def test_reading_is_measured_in_plausible_units() -> None:
    found = speed.measure(256)
    assert 0 < found.one_ms < 1000
    assert found.per_second > 1000 / found.one_ms / 10, "in batches at least about as fast as one by one"
    assert min(found) > 0
