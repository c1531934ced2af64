# Loaded by `make gdb` once the guest is there, stopped at its first
# instruction. Before paging is on, only hardware breakpoints can be set.
source tools/gdb/load.py
set confirm off
set pagination off
hbreak start_kernel
continue
delete
