"""What types.py finds out about a kernel image, kept beside it."""
import json
import os
import subprocess


def load(elf):
    """The description of @elf; made anew if the image is newer."""
    cache = f"{elf}.types.json"
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "types.py")
    newest = max(os.path.getmtime(elf), os.path.getmtime(script))
    if not os.path.exists(cache) or os.path.getmtime(cache) < newest:
        done = subprocess.run(["gdb", "-q", "-nx", "-batch", "-x", script,
                               elf], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE, check=False)
        if not done.stdout.startswith("{"):
            raise RuntimeError(f"gdb cannot read {elf}: {done.stderr[-500:]}")
        with open(f"{cache}.{os.getpid()}", "w", encoding="utf-8") as f:
            f.write(done.stdout)
        os.replace(f"{cache}.{os.getpid()}", cache)
    with open(cache, encoding="utf-8") as f:
        return json.load(f)
