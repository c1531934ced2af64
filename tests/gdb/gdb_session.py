"""gdb in a batch, with the px- commands, on a guest or on a core."""
import subprocess

GDB = ["gdb", "-q", "-nx", "-batch"]
MARK = "@@ "


def stub(folder):
    """QEMU's arguments for a gdb stub in @folder, and its socket."""
    sock = f"{folder}/gdb"
    return ["-gdb", f"unix:{sock},server=on,wait=off"], sock


def script(target, commands, elf="build/pollux.elf", core=False):
    """gdb's command line. @target: the stub's socket, or a core."""
    line = [*GDB, elf] + ([target] if core else [])
    steps = [] if core else [f"target remote {target}"]
    steps.append("source tools/gdb/load.py")
    for command in commands:
        steps += [f"echo {MARK}{command}\\n", command]
    for step in steps:
        line += ["-ex", step]
    return line


def run(target, commands, seconds=50, **how):
    """{command: what it printed}."""
    done = subprocess.run(script(target, commands, **how), text=True,
                          timeout=seconds, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    parts = ("\n" + done.stdout).split("\n" + MARK)[1:]
    out = {}
    for part in parts:
        command, _, text = part.partition("\n")
        out[command] = text.split("[Inferior 1")[0].rstrip("\n")
    assert set(out) == set(commands), done.stdout
    for command, text in out.items():
        assert "Python Exception" not in text and "Traceback" not in text, \
            f"{command}: {text}"
    return out
