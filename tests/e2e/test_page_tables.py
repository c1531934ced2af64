"""munmap gives back the page tables that nothing needs any more."""
import re

from tests.lib.guest import Guest, initramfs


def test_page_tables_are_freed():
    image = initramfs({"tables": "build/tests/tables"})
    with Guest(append="init=/tables", initrd=image, mem="24M") as guest:
        guest.wait_exit(30)
        shrank = re.search(r"shrank by (-?\d+) KiB", guest.console)
    # 2000 GiB apart: 8 KiB of tables each, were they kept.
    assert shrank and int(shrank[1]) < 512, guest.console
