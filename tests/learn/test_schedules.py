import pytest

from tenfold.learn.schedules import OneCycle

pytestmark = pytest.mark.one_backend


@pytest.mark.parametrize(("step", "rate"), [(0, 0.05), (125, 0.525), (250, 1.0), (625, 0.5), (1000, 0.0), (1001, 0.0)])
def test_up_from_a_twentieth_then_straight_down_to_zero(step: int, rate: float) -> None:
    assert float(OneCycle(0.01, 1000, 0.25)(step)) == pytest.approx(0.01 * rate, abs=1e-9)


def test_it_is_made_again_from_its_config() -> None:
    again = OneCycle.from_config(OneCycle(0.01, 1000, 0.25).get_config())
    assert (again.highest, again.n_steps, again.warmup) == (0.01, 1000, 0.25)
