"""The boot image holds those of GRUB's modules that it needs, and no more."""
import re

MODULES = "/usr/lib/grub/i386-pc"
# The drive and what is on it, and who reads the configuration.
ALWAYS = {"biosdisk", "iso9660", "normal"}


def test_grub_modules_are_those_of_the_menu():
    with open(f"{MODULES}/command.lst", encoding="ascii") as f:
        module_of = dict(re.findall(r"^\*?(\S+): (\S+)$", f.read(), re.M))
    with open("boot/grub.cfg", encoding="ascii") as f:
        words = set(re.findall(r"^\s*(\w+)", f.read(), re.M))
    with open("tools/mkiso", encoding="ascii") as f:
        packed = re.search(r"^grub-mkimage .*\\\n\t(.+)$", f.read(), re.M)[1]
    needed = ALWAYS | {module_of[w] for w in words if w in module_of}
    assert set(packed.split()) == needed
