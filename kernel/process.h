/*
 * The program as a process: how it enters user mode, is signalled, and ends.
 * There is one process; its threads share everything but registers.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct files_struct;
struct task;

/*
 * Leaves the kernel for good: user mode at @ip with stack @sp and all other
 * registers zero. The calling task must have its mm, files and signal state.
 */
void enter_user_mode(u64 ip, u64 sp) __noreturn;

/*
 * Ends the program with exit status @code (0 to 255): every thread, wherever
 * it sleeps; the last one ends the machine. Task context.
 */
void do_exit_group(int code) __noreturn;

/* Ends the calling thread. Task context. */
void do_exit(void) __noreturn;

/*
 * Makes the calling kernel task @task process 1, with the state that only
 * user tasks have (signal handlers, registers); called by exec before
 * enter_user_mode(). 0 or -ENOMEM. Task context.
 */
int process_init(struct task *task) __must_check;

/* The thread of the own process with id @tid, with a reference; or NULL. */
struct task *find_get_thread(s32 tid) __must_check;

/* Is the program root (its effective user)? Then it has all capabilities. */
bool is_root(void);

/* Sends @sig to the program, if it has been started. Any context. */
void signal_program(int sig);

/*
 * Called by the last thread when all files are closed, before the machine
 * ends: sees off what is still on its way. Set once by net/. May sleep.
 */
extern void (*process_last_words)(void);

/* What fs/ does when threads come and go; set before there is a process. */
struct process_ops {
	void (*share_files)(struct files_struct *files);
	void (*put_files)(struct files_struct *files);	/* may sleep */
	void (*sync)(void);	/* the program has ended; may sleep */
};

extern const struct process_ops *process_ops;
