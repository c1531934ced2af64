"""What epoll costs does not grow with what is watched: counted in guest
instructions, so that the machine's speed does not matter."""
from bench import epoll_cost


def test_flat():
    (few, many), closing = epoll_cost.costs(10, 10000)
    # A tree of 1,000 times as many is ten levels deeper.
    assert many["add"] <= 1.6 * few["add"], (few, many)
    assert many["del"] <= 1.6 * few["del"], (few, many)
    for what in ("wake", "wait1", "wait10"):
        assert many[what] <= 1.05 * few[what], (few, many)
    # For each of what is ready, not for each of what is watched.
    assert few["wait10"] <= 5 * few["wait1"], (few, many)
    # Nor is the end quadratic, though all are of one file.
    assert closing <= 2 * few["add"], (few, closing)
