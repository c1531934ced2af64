/* Timers that send signals: setitimer(2) and timer_create(2). */
#pragma once

#include "kernel/types.h"

struct siginfo;

/*
 * A signal is being acted on that may be a timer's: then its interval begins
 * again. Task context, no lock held.
 */
void timer_signal_delivered(struct siginfo *info);

/*
 * The same for timer_create(2)'s: counts what was missed and starts it
 * again. Task context, no lock held.
 */
void posix_timer_delivered(struct siginfo *info);
