/* What the network shows in /proc/net. */
#pragma once

#include "kernel/seq_file.h"

/* For fs/proc.h's proc_net_register(); a NULL name ends it. */
extern const struct seq_entry net_proc_entries[];
