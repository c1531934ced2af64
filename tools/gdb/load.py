"""Loaded by gdb (`source tools/gdb/load.py`): defines all px- commands."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# The kernel has moved at boot: so do its symbols, before anybody asks.
import kaslr        # noqa: E402  pylint: disable=wrong-import-position
kaslr.move_symbols()

# pylint: disable=unused-import,wrong-import-position
import px_drops     # noqa: E402,F401
import px_epoll     # noqa: E402,F401
import px_files     # noqa: E402,F401
import px_help      # noqa: E402,F401
import px_log       # noqa: E402,F401
import px_lwip      # noqa: E402,F401
import px_skb       # noqa: E402,F401
import px_slab      # noqa: E402,F401
import px_sock      # noqa: E402,F401
import px_softirq   # noqa: E402,F401
import px_tasks     # noqa: E402,F401
import px_timers    # noqa: E402,F401
import px_trace     # noqa: E402,F401
import px_waitqueue  # noqa: E402,F401
import px_wakeup    # noqa: E402,F401
