/* The task that becomes the program. */
#pragma once

/* For kthread_run(); @arg is not used. Never returns. */
void init_task(void *arg);
