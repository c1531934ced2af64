"""What is handed out stays small."""
import os


def test_stripped_kernel_is_at_most_400_kib():
    assert os.path.getsize("build/pollux.stripped.elf") <= 400 << 10


def test_iso_is_at_most_6_mb():
    assert os.path.getsize("build/pollux.iso") <= 6_000_000
