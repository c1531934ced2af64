"""px-tasks: every task, where it stands and what it waits for."""
import gdb

import px_waitqueue
from px_lib import (address, command, container, enum_names, functions_at,
                    layout, list_objs, memory, ns_text, obj, percpu,
                    pointer_name, rb_nodes, register, text_of,
                    variable)

STACK_SIZE = 16384     # of the boot stack, too
FRAMES = 24
USER_TOP = 1 << 47
SAVED_RBP = 40      # above task->sp, see switch_stacks()


def frames(pc, rbp, low, high):
    """Return addresses, innermost first, by frame pointers within a stack."""
    if pc:
        yield pc
    for _ in range(FRAMES):
        if not low <= rbp < high - 8 or rbp % 8:
            return
        ret = memory.u64(rbp + 8)
        if not ret:
            return
        yield ret
        next_rbp = memory.u64(rbp)
        if next_rbp <= rbp:
            return
        rbp = next_rbp


def stack_of(task):
    return task.stack, task.stack + STACK_SIZE


def backtrace(task, is_current):
    """[pc] of @task; empty while it runs in user mode."""
    low, high = stack_of(task)
    if not is_current:
        return list(frames(memory.u64(task.sp + SAVED_RBP + 8),
                           memory.u64(task.sp + SAVED_RBP), low, high))
    pc, rbp = register("rip"), register("rbp")
    if pc is None or pc < USER_TOP:
        return []
    return list(frames(pc, rbp, low, high))


def line_of(pc):
    sal = gdb.find_pc_line(pc)
    return f" at {sal.symtab.filename}:{sal.line}" if sal.symtab else ""


def sleep_entries(task):
    """The wait_queue_entry objects on the task's own stack that wake it."""
    low, high = stack_of(task)
    private = task.addr.to_bytes(8, "little")
    raw = memory.read(low, high - low)
    at = raw.find(private)
    while at >= 0:
        if at >= 8 and at % 8 == 0:
            entry = obj("wait_queue_entry", low + at - 8)
            if pointer_name(entry.func).endswith("wake_function"):
                yield entry
        at = raw.find(private, at + 1)


def queue_of(entry, queues):
    """The name of the queue that @entry is on, None if it is on none."""
    home = node = entry.member("entry")
    to_list = layout("wait_queue_head").offset("head")
    for _ in range(1 << 16):
        node = memory.u64(node)
        if node == home:
            return None
        if node - to_list in queues:
            return f"{queues[node - to_list]}, wait queue {node - to_list:#x}"
    return None


def timer_of(task):
    """The hrtimer that will wake @task, None if there is none."""
    queue = variable("queue", "kernel/hrtimer.c")
    for node, _, _ in rb_nodes(queue.tree):
        timer = container("hrtimer", node, "node")
        if pointer_name(timer.fn) == "wake_sleeper":
            sleeper = container("sleeper", timer.addr, "timer")
            if sleeper.task == task.addr:
                return timer
    return None


def waits_for(task, queues):
    """Lines that say what a sleeper waits for."""
    for entry in sleep_entries(task):
        name = queue_of(entry, queues)
        if name:
            yield f"on {name}, entry {entry.addr:#x}"
    timer = timer_of(task)
    if timer:
        yield f"until {ns_text(timer.soft_expires)} (hrtimer)"


def print_frames(pcs):
    for depth, pc in enumerate(pcs):
        # A return address may be the first byte after the call's function.
        at = pc if not depth else pc - 1
        names = " in ".join(functions_at(at)) or "?"
        print(f"    #{depth:<2} {pc:#x} {names}{line_of(at)}")


@command("px-tasks", "[PID]")
def tasks(words):
    """All tasks: state, what a sleeper waits for, and its backtrace."""
    states = enum_names("task_state", "TASK_")
    current = percpu("current_task")
    queues = px_waitqueue.known_queues()
    wanted = int(words[0], 0) if words else None
    for task in list_objs(address("task_list"), "task", "tasks"):
        if wanted is not None and task.pid != wanted:
            continue
        state = states.get(task.state, "?").lower()
        here = " (on the CPU)" if task.addr == current else ""
        print(f"task {task.addr:#x} pid {task.pid} {text_of(task.comm)}: "
              f"{state}{here}{' kernel' if task.kthread else ''}")
        if state != "running":
            for line in waits_for(task, queues):
                print(f"    waits {line}")
        pcs = backtrace(task, task.addr == current)
        print_frames(pcs)
        if not pcs:
            print("    in user mode")

