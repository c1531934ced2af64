"""Disks: what a program sees on one, full ones, corrupt ones, and the end."""
import os
import random
import re
import shutil
import socket
import subprocess

import pytest

from tests.lib.disk import (KERNEL, DiskGuest, assert_clean, disk, fsck,
                            make_image, printed)
from tests.lib.guest import Guest, initramfs

FUZZ = int(os.environ.get("FUZZ", "12"))
pytestmark = pytest.mark.limit(60 + FUZZ)


def boot(image, args, prog="disk", machine="pc", mount="ext:vda:/data",
         **how):
    how.setdefault("extra", disk(machine, image))
    return Guest(machine=machine, kernel=KERNEL, mem="32",
                 initrd=initramfs({"prog": f"build/tests/{prog}"}),
                 append=f"init=/prog mount={mount} -- {args}", **how)


def debugfs(image, *commands):
    script = "\n".join(commands) + "\n"
    return subprocess.run(["debugfs", "-w", "-f", "-", image], input=script,
                          capture_output=True, text=True, check=True).stdout


def on_disk(image, name):
    return subprocess.run(["debugfs", "-R", f"cat {name}", image],
                          capture_output=True).stdout


@pytest.mark.parametrize("machine, kind", [
    ("pc", "ext4 -b 4096"), ("microvm", "ext4 -b 1024"), ("pc", "ext2"),
    ("pc", "ext3")])
def test_files_as_on_linux(machine, kind, tmp_path):
    image = make_image(tmp_path / "image", "32M", *kind.split())
    here = tmp_path / "linux"
    here.mkdir()
    want = subprocess.run(["build/tests/files", here], check=True,
                          capture_output=True, text=True).stdout
    with boot(image, "/data", "files", machine) as g:
        assert g.wait_exit(60) == 0, g.console
        assert printed(g.console) == printed(want)
    assert_clean(image)
    assert on_disk(image, "big") == (here / "big").read_bytes()


def test_two_disks_and_the_table(tmp_path):
    images = [make_image(tmp_path / f"image{i}", "4M") for i in range(2)]
    extra = disk("pc", images[0]) + disk("pc", images[1], 1)
    with boot(None, "/data fill", extra=extra,
              mount="ext:vda:/a mount=ext:vdb:/data") as g:
        assert g.wait_exit() == 0
    for image in images:
        assert_clean(image)
    assert on_disk(images[1], "full") and not on_disk(images[0], "full")


@pytest.mark.parametrize("kind", ["ext4", "ext2"])
def test_full_disk(kind, tmp_path):
    image = make_image(tmp_path / "image", "3M", kind)
    with boot(image, "/data fill") as g:
        assert g.wait_exit() == 0
        assert printed(g.console).splitlines() == [
            "full after much: ENOSPC", "fsync 0", "mkdir: ENOSPC",
            "ftruncate 0", "write 65536", "unlink 0", "again 65536"]
    assert_clean(image)


@pytest.mark.parametrize("kind", ["ext4", "ext2"])
def test_room_and_files_without_names(kind, tmp_path):
    """fallocate(2), O_TMPFILE: as here; what does not fit is given back."""
    image = make_image(tmp_path / "image", "4M", kind)
    (tmp_path / "here").mkdir()
    here = subprocess.run(["build/tests/space", tmp_path / "here"], text=True,
                          stdout=subprocess.PIPE, check=True).stdout
    with boot(image, "/data full", prog="space") as g:
        assert g.wait_exit() == 0
        lines = printed(g.console).splitlines()
    full = [line for line in lines if "1l << 30" in line]
    assert len(full) == 1 and "No space left on device size 300000" in full[0]
    lines.remove(full[0])
    assert lines == printed(here).splitlines()
    assert_clean(image)
    assert on_disk(image, "stays") == b"stay"


@pytest.mark.parametrize("kind", ["ext4 -b 1024", "ext2 -b 4096"])
def test_shared_mappings(kind, tmp_path):
    """Mappings, read(2) and write(2) agree, and the disk has it at the end."""
    image = make_image(tmp_path / "image", "16M", *kind.split())
    here = tmp_path / "linux"
    here.mkdir()
    want = subprocess.run(["build/tests/mapped", here], check=True,
                          capture_output=True, text=True).stdout
    with boot(image, "/data", "mapped") as g:
        assert g.wait_exit(60) == 0, g.console
        assert printed(g.console) == printed(want)
    assert_clean(image)
    for path in here.iterdir():
        assert on_disk(image, path.name) == path.read_bytes(), path.name


@pytest.mark.parametrize("how", ["sync", "fsync"])
def test_synced_mapping(how, tmp_path):
    """What was stored when msync or fsync returned survives a kill."""
    image = make_image(tmp_path / "image", "4M")
    with boot(image, f"/data {how}", "mapped") as g:
        g.wait_console(f"{how} 0")
    fsck(image, "-fp")
    assert_clean(image)
    assert on_disk(image, "left")[4096:4107] == b"this stays\0"


@pytest.mark.parametrize("how, code", [("leave", 3), ("die", 137)])
def test_synced_at_the_end(how, code, tmp_path):
    image = make_image(tmp_path / "image", "4M")
    with boot(image, f"/data {how}") as g:
        assert g.wait_exit() in (code, code & 0x7f), g.console
    assert_clean(image)
    assert on_disk(image, "left") == b"not synced"


def test_names_of_no_files(tmp_path):
    image = make_image(tmp_path / "image", "4M")
    with boot(image, "/data specials") as g:
        assert g.wait_exit() == 0
        assert printed(g.console).splitlines() == [
            "mkfifo 0", "write 2", "read 2", "bind 0", "connect 0", "bind -1",
            "mknod 0", "read 0"]
    assert_clean(image)


def test_read_only(tmp_path):
    image = make_image(tmp_path / "image", "4M")
    before = open(image, "rb").read()
    with boot(image, "/data fill", mount="ext:vda:/data:ro") as g:
        g.wait_exit()
        assert "Read-only file system" in g.console
    assert open(image, "rb").read() == before


@pytest.mark.parametrize("mount, says", [
    ("ext:vdb:/data", "no disk 'vdb'"),
    ("ext:vda", "want TYPE:SOURCE:/PATH"),
    ("9p:data:/data", "no share 'data'"),
    ("xfs:vda:/data", "no file system 'xfs'"),
    ("ext:vda:/data mount=ext:vda:/b", "vda is mounted already")])
def test_what_a_wrong_mount_says(mount, says, tmp_path):
    image = make_image(tmp_path / "image", "4M")
    with boot(image, "/data fill", mount=mount) as g:
        assert g.wait_exit() == 127
        assert says in g.console


@pytest.mark.parametrize("kind, says", [
    ("ext4 -O inline_data", "features that are not supported"),
    ("ext4 -O bigalloc", "features that are not supported"),
    ("none", "no ext2 or ext4 that can be used")])
def test_what_is_not_supported(kind, says, tmp_path):
    if kind == "none":
        image = str(tmp_path / "image")
        with open(image, "wb") as f:
            f.write(bytes(range(256)) * 8192)
    else:
        image = make_image(tmp_path / "image", "16M", *kind.split())
    with boot(image, "/data fill") as g:
        assert g.wait_exit() == 127
        assert says in g.console


@pytest.mark.parametrize("kind", ["write", "read"])
def test_a_disk_that_fails(kind, tmp_path):
    """QEMU's blkdebug refuses one sector: of the journal, or of a file."""
    image = make_image(tmp_path / "image", "8M")
    (tmp_path / "old").write_bytes(b"o" * 40000)
    debugfs(image, f"write {tmp_path}/old file")
    inode = "<8>" if kind == "write" else "file"
    blocks = [int(b) for b in debugfs(image, f"blocks {inode}").split()
              if b.isdigit()]
    block = blocks[513] if kind == "write" else blocks[5]
    drive = ["-blockdev", f"driver=file,node-name=f0,filename={image}",
             "-blockdev", "driver=blkdebug,node-name=d0,image=f0,"
             f"inject-error.0.event=none,inject-error.0.iotype={kind},"
             f"inject-error.0.errno=5,inject-error.0.sector={block * 2}"]
    extra = disk("pc", drive)
    extra[-1] += ",werror=report,rerror=report"
    with boot(image, "/data walk", extra=extra) as g:
        assert g.wait_exit() == 0, g.console
        assert "walked" in g.console, g.console
        errors = int(re.search(r"(\d+) errors", g.console)[1])
        assert errors > 0
        if kind == "write":
            assert "can only be read" in g.console
    assert fsck(image, "-p")[0] in (0, 1)
    assert_clean(image)


# --- corrupt images: an error, never a crash ---

def populated(path, options):
    folder = f"{path}.d"
    os.makedirs(f"{folder}/a/b/c")
    for i in range(60):
        with open(f"{folder}/a/file-{i}", "wb") as f:
            f.write(os.urandom(i * 700))
        os.symlink("x" * (i * 3 + 1), f"{folder}/a/b/link-{i}")
    with open(f"{folder}/a/b/c/sparse", "wb") as f:
        for i in range(40):
            f.seek(i * 20000)
            f.write(b"part")
    return make_image(path, "4M", *options, "-d", folder)


def metadata(image):
    """The blocks that are not a file's contents, and the block size."""
    text = subprocess.run(["dumpe2fs", image], capture_output=True,
                          text=True).stdout
    size = int(re.search(r"Block size:\s+(\d+)", text)[1])
    blocks = [0, 1, 2]
    for first, last in re.findall(r"at (\d+)(?:-(\d+))?", text):
        blocks += range(int(first), int(last or first) + 1)
    tree = subprocess.run(
        ["debugfs", "-R", "ex -l /a/b/c/sparse", image],
        capture_output=True, text=True).stdout
    blocks += [int(b) for b in re.findall(r"\s(\d{3,})\s", tree)]
    for name in ("/", "/a", "/a/b", "/a/b/c"):
        out = subprocess.run(["debugfs", "-R", f"blocks {name}", image],
                             capture_output=True, text=True).stdout
        blocks += [int(b) for b in out.split()]
    return blocks, size


def spoil(image, blocks, size, rnd):
    with open(image, "r+b") as f:
        for _ in range(rnd.choice((1, 3, 20, 100))):
            f.seek(rnd.choice(blocks) * size + rnd.randrange(size))
            f.write(bytes([rnd.randrange(256)]) * rnd.choice((1, 1, 2, 4)))


@pytest.mark.parametrize("options", [
    ("ext4", "-O", "^metadata_csum"), ("ext2",), ("ext4",)])
def test_corrupt_images(options, tmp_path):
    good = populated(tmp_path / "good", options)
    blocks, size = metadata(good)
    seed = int(os.environ.get("SEED", "1"))
    rnd = random.Random(seed)
    image = str(tmp_path / "image")
    for n in range(FUZZ // 3):
        shutil.copyfile(good, image)
        spoil(image, blocks, size, rnd)
        with boot(image, "/data walk") as g:
            code = g.wait_exit(40)
            text = g.console
            if code not in (0, 127) or "Call trace" in text:
                shutil.copyfile(image, "/tmp/corrupt.img")
                g.fail(f"seed {seed}, image {n}: exit {code}")
            if code == 127:
                assert "ext: " in text
            else:
                assert "walked" in text
    # A good one is walked without errors, and is good afterwards.
    with boot(good, "/data walk") as g:
        assert g.wait_exit() == 0
        assert " 0 errors" in g.console, g.console
    assert fsck(good)[0] == 0


def test_corrupt_journals(tmp_path):
    """A disk that was not closed, and whose journal is not as it was."""
    good = make_image(tmp_path / "good", "8M")
    with DiskGuest("records", "ext:vda:/data", disk("pc", good)) as g:
        with socket.create_connection(("127.0.0.1", g.port)) as s:
            for _ in range(30):
                s.sendall(b"r")
                assert s.recv(4)
        g.process.kill()
    out = subprocess.run(["debugfs", "-R", "blocks <8>", good],
                         capture_output=True, text=True).stdout
    blocks = [int(b) for b in out.split()]
    half = len(blocks) // 2
    used = blocks[:1] * 10 + blocks[1:20] + blocks[half:half + 20]
    rnd = random.Random(int(os.environ.get("SEED", "1")))
    image = str(tmp_path / "image")
    for n in range(FUZZ // 3):
        shutil.copyfile(good, image)
        spoil(image, used, 1024, rnd)
        with boot(image, "/data walk") as g:
            assert g.wait_exit(40) in (0, 127), f"{n}\n{g.console}"
            assert "Call trace" not in g.console, f"{n}\n{g.console}"


# --- journals that others wrote ---

@pytest.mark.parametrize("how", ["jo", "jo -c"])
def test_replays_what_others_wrote(how, tmp_path):
    """debugfs puts a block into the journal, and leaves it there."""
    image = make_image(tmp_path / "image", "16M", "ext4", "-b", "4096")
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"o" * 4096)
    new.write_bytes(b"n" * 4096)
    debugfs(image, f"write {old} file")
    block = debugfs(image, "blocks /file").split()[-1]
    if not block.isdigit():
        block = re.search(r"\d+", debugfs(image, "blocks /file"))[0]
    debugfs(image, how, f"jw -b {block} {new}", "jc")
    assert on_disk(image, "file") == b"o" * 4096
    # Read only it cannot be had: there is something to replay.
    with boot(image, "/data fill", mount="ext:vda:/data:ro") as g:
        assert g.wait_exit() == 127
        assert "must be mounted for writing once" in g.console
    with boot(image, "/data leave") as g:
        assert g.wait_exit() == 3, g.console
    assert on_disk(image, "file") == b"n" * 4096
    assert_clean(image)
