/* The end of the machine: what the program sent should arrive. */
#pragma once

/* Sets process_last_words. Boot. */
void net_drain_init(void);
