"""px-timers: the timer wheel, slot by slot, and the tree of precise ones."""
from px_lib import (address, command, container, hlist_nodes, Missing,
                    ns_text, obj, pointer_name, rb_nodes, text_of, variable)

TICK_SHIFT = 20
SHOWN = 64


def wheel_timers(wheel):
    """(level, slot, timer); level -1: due."""
    for node in hlist_nodes(wheel.member("due")):
        yield -1, 0, container("timer", node, "node")
    per_level = len(wheel.slot) // len(wheel.used)
    for n, head in enumerate(wheel.slot):
        if head.first:
            level, slot = divmod(n, per_level)
            for node in hlist_nodes(head.addr):
                yield level, slot, container("timer", node, "node")


def owner_text(timer):
    """Whose timer it is, where that is known."""
    try:
        tcp = address("tcp_timer_fired", "net/tcp/tcp_timer.c")
    except Missing:
        return ""
    if timer.fn != tcp:
        return ""
    sk = container("tcp_sock", timer.addr, "timer").sk
    return f" of sock {sk.addr:#x} port {sk.sk_num} - {sk.sk_dport}"


def show_wheel():
    wheel = variable("wheel", "kernel/timer.c")
    now = wheel.clock << TICK_SHIFT
    print(f"wheel: clock at tick {wheel.clock} ({ns_text(now)} after boot)")
    total = 0
    for level, slot, timer in wheel_timers(wheel):
        total += 1
        if total > SHOWN:
            continue
        name = pointer_name(timer.fn)
        where = "due" if level < 0 else f"level {level} slot {slot}"
        print(f"  {where}: timer {timer.addr:#x} {name} in "
              f"{ns_text(timer.expires - now)}{owner_text(timer)}")
    print(f"  {total} timers on the wheel")
    if wheel.running:
        print(f"  running now: {wheel.running:#x}")


def show_tree():
    queue = variable("queue", "kernel/hrtimer.c")
    total = 0
    for node, _, _ in rb_nodes(queue.tree):
        timer = container("hrtimer", node, "node")
        name = pointer_name(timer.fn)
        who = ""
        if name == "wake_sleeper":
            task = obj("task", container("sleeper", timer.addr, "timer").task)
            who = f" wakes pid {task.pid} {text_of(task.comm)}"
        print(f"  hrtimer {timer.addr:#x} {name} at "
              f"{ns_text(timer.soft_expires)}, latest "
              f"{ns_text(timer.expires)}{who}")
        total += 1
    print(f"  {total} precise timers")


@command("px-timers")
def timers(words):
    """Every timer that is set: the wheel (coarse) and the tree (precise)."""
    del words
    show_wheel()
    print("precise:")
    show_tree()
