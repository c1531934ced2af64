"""Every test has a time limit: 120 seconds, or @pytest.mark.limit(seconds)."""
import os
import signal

import pytest

LIMIT_SECONDS = 120


def pytest_configure(config):
    os.makedirs("build/tests", exist_ok=True)
    config.addinivalue_line("markers", "limit(seconds): this test's limit")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    marker = item.get_closest_marker("limit")
    seconds = marker.args[0] if marker else LIMIT_SECONDS

    def too_late(*_):
        raise TimeoutError(f"the test took over {seconds} s")

    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
