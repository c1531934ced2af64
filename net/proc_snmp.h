/* The protocols' counters as files of /proc/net. */
#pragma once

#include "kernel/seq_file.h"

bool snmp_show(struct seq_file *m, u64 *cursor);
bool snmp6_show(struct seq_file *m, u64 *cursor);
bool netstat_show(struct seq_file *m, u64 *cursor);
