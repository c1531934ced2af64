"""Run in gdb (`source tests/security/guards.py`) on a guest: prints for each
task its guard, for the running one with a star, and what the CPU has."""
import os
import sys

sys.path.insert(0, os.path.join(os.getcwd(), "tools", "gdb"))

# pylint: disable=wrong-import-position
from px_lib import address, list_objs, percpu           # noqa: E402

current = percpu("current_task", "kernel/sched.c")
for task in list_objs(address("task_list"), "task", "tasks"):
    star = "*" if task.addr == current else " "
    print(f"task {star} {task.guard:x}")
print(f"cpu {percpu('__stack_chk_guard'):x}")
