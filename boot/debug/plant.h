/* plant=NAME: does what one of the checkers must report (DEBUG=1 only). */
#pragma once

#ifdef DEBUG_KERNEL

/* Plants what the command line asks for; ends the machine if it survives. */
void run_planted(void);

#else

static inline void run_planted(void)
{
}

#endif
