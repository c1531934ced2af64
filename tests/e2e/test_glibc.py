"""Programs of the other C library: what it asks of a kernel and musl does
not (clone3, rseq)."""
import pytest

from tests.lib.guest import Guest, initramfs


@pytest.mark.parametrize("prog", ["threads", "threads-glibc"])
def test_threads(prog):
    image = initramfs({prog: f"build/tests/{prog}"})
    with Guest(append=f"init=/{prog} strace=1", initrd=image) as guest:
        assert guest.wait_exit() == 0, guest.console
        assert "sum 8400, results 84, mine 7" in guest.console
        # glibc goes on to clone() if, and only if, clone3() is not there.
        assert "which Pollux lacks" not in guest.console
