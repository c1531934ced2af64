/* Counters for Prometheus: metrics=9100 on the command line. */
#pragma once

#include "kernel/seq_file.h"

/* Starts the task that serves them, if the command line asks for it. Boot,
 * once there is a network; task context. */
void metrics_start(void);

/* Prints all, in the text exposition format 0.0.4. Task context. */
void metrics_show(struct seq_file *m);
