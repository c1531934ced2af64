"""px-tasks: every task, where it stands and what it waits for."""
import gdb
import gdb.unwinder

import px_waitqueue
from px_lib import (address, command, container, enum_names, functions_at,
                    layout, list_objs, memory, ns_text, obj, percpu,
                    pointer_name, rb_nodes, register, text_of,
                    U64, variable)

STACK_SIZE = 16384     # of the boot stack, too
FRAMES = 24
USER_TOP = 1 << 47
# What switch_stacks() has pushed, from task->sp up.
SWITCHED = ("r15", "r14", "r13", "r12", "rbx", "rbp", "rip")


def is_end(pc):
    """User mode, or assembly: below the entry code nothing is certain."""
    symtab = gdb.find_pc_line(pc - 1).symtab
    return pc < USER_TOP or not symtab or symtab.filename.endswith(".S")


class SleeperId:
    """What gdb wants to tell one frame from another."""

    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class SleeperUnwinder(gdb.unwinder.Unwinder):
    """Lets gdb believe that the CPU's innermost frame was called by a task
    that sleeps: then its unwinder walks that task's stack, by the debug
    information, on a guest and on a core."""

    def __init__(self):
        super().__init__("px-tasks")
        self.task_sp = None
        self.top_sp = None

    def __call__(self, pending):
        if self.task_sp is None:
            return None
        if int(pending.read_register("rsp")) & U64 != self.top_sp:
            return None
        info = pending.create_unwind_info(
            SleeperId(gdb.Value(self.top_sp), pending.read_register("rip")))
        u64 = gdb.lookup_type("unsigned long")
        for n, name in enumerate(SWITCHED):
            value = memory.u64(self.task_sp + 8 * n)
            info.add_saved_register(
                name, gdb.Value(value).cast(u64))
        info.add_saved_register(
            "rsp", gdb.Value(self.task_sp + 8 * len(SWITCHED)).cast(u64))
        return info

    def walk(self, task_sp):
        """[pc] of the frames of a sleeper; of the CPU itself if None."""
        self.task_sp, self.top_sp = task_sp, register("rsp")
        gdb.invalidate_cached_frames()
        try:
            frame = gdb.newest_frame()
            # The CPU's own, inlined ones included, stand on its stack.
            while task_sp is not None and frame and \
                    int(frame.read_register("rsp")) & U64 == self.top_sp:
                frame = frame.older()
            pcs = []
            while frame and len(pcs) < FRAMES:
                if frame.type() == gdb.NORMAL_FRAME:
                    if is_end(frame.pc()):
                        break
                    pcs.append(frame.pc())
                frame = frame.older()
        except gdb.error:
            pass
        finally:
            self.task_sp = None
            gdb.invalidate_cached_frames()
        return pcs


unwinder = SleeperUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, True)


def stack_of(task):
    return task.stack, task.stack + STACK_SIZE


def backtrace(task, is_current):
    """[pc] of @task; empty while it runs in user mode."""
    return unwinder.walk(None if is_current else task.sp)


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

