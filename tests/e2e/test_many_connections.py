"""Thousands of connections at once, and nothing left when they are closed.

What `make bench-million` does with a million, in seconds.
"""
import pytest

from bench import million
from tests.lib import netns

pytestmark = pytest.mark.skipif(netns.why_not() is not None,
                                reason=str(netns.why_not()))


def test_kilobyte_for_each_connection():
    wrong, kernel_bytes = million.run_million(8000, mem="64")
    assert not wrong
    # Less than what it holds: then the bill is wrong.
    assert kernel_bytes > 700
