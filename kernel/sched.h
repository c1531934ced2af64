/*
 * Tasks and the scheduler: one run queue per CPU, first come first served,
 * with a time slice only while somebody else is waiting to run.
 */
#pragma once

#include "kernel/atomic.h"
#include "kernel/list.h"
#include "kernel/percpu.h"
#include "kernel/signal.h"
#include "kernel/spinlock.h"
#include "kernel/types.h"

struct files_struct;		/* fs/fdtable.h */
struct mm_struct;		/* kernel/mm/mm.h */
struct pt_regs;			/* kernel/x86/ptrace.h */

#define TASK_COMM_LEN 16

enum task_state {
	TASK_RUNNING,		/* on a CPU or on its run queue */
	TASK_INTERRUPTIBLE,	/* sleeps until woken or signalled */
	TASK_UNINTERRUPTIBLE,	/* sleeps until woken */
	TASK_DEAD,		/* has left for good */
};

extern const char *const task_state_names[TASK_DEAD + 1];

/* Work to do before going back to user mode (task->work, atomic bits). */
#define TIF_NEED_RESCHED	(1u << 0)
#define TIF_SIGPENDING		(1u << 1)
#define TIF_SIGRETURN		(1u << 2)	/* rt_sigreturn(2) was called */

/* Where SA_ONSTACK handlers run. */
struct altstack {
	u64 sp, size;
	u32 flags;		/* SS_AUTODISARM or 0 */
};

/* What the CPU said, for a handler's sigcontext. */
struct trap_info {
	u64 nr, error, address;
};

/* How restart_syscall(2) goes on with an interrupted wait. */
struct restart_block {
	long (*fn)(struct restart_block *block);
	u64 deadline;		/* ktime ns */
	u64 arg[4];
};

/*
 * One task: the program's thread(s) and the kernel's own.
 * Locks: c const after creation, r the run-queue lock, o own task only,
 * s sighand->lock (own task reads freely), a atomic.
 */
struct task {
	u32 state;			/* r  enum task_state */
	u32 work;			/* a  TIF_ bits */
	void *sp;			/* r  saved kernel stack pointer */
	void *stack;			/* c  lowest address of the stack */
	u64 guard;			/* c  __stack_chk_guard while it runs */
	struct list_head run_list;	/* r  in the run queue if runnable */
	bool on_rq;			/* r */
	bool on_cpu;			/* r  its registers are in a CPU */
	bool kthread;			/* o  has no user mode (yet) */
	u8 looks;			/* kernel/watchdog.c, ksoftirqd only */
	s32 pid;			/* c  thread id; kernel tasks too */
	s32 tgid;			/* c  process id */
	char comm[TASK_COMM_LEN];	/* o */
	struct mm_struct *mm;		/* c  NULL for kernel tasks */
	struct files_struct *files;	/* c  NULL for kernel tasks */
	struct sighand *sighand;	/* c  NULL for kernel tasks */
	struct list_head thread_node;	/* s  in sighand->threads */
	struct sigpending pending;	/* s  for this thread only */
	u64 sig_blocked;		/* s  mask of signals held back */
	u64 sig_real_blocked;		/* s  the same during sigtimedwait */
	u64 sig_saved;			/* o  mask to put back, if ... */
	bool sig_restore;		/* o  ... a call has set its own */
	bool exiting;			/* s  takes no signals any more */
	s8 nice;			/* tasklist_lock; only kept */
	struct altstack altstack;	/* o  sigaltstack(2) */
	struct trap_info trap;		/* o  the last exception */
	struct restart_block restart;	/* o  for restart_syscall(2) */
	u64 fs_base;			/* o  user TLS pointer */
	u64 gs_base;			/* o  user GS base */
	void *fpu;			/* o  FPU save area, NULL if unused */
	u64 slice_end;			/* o  ns, when others may run */
	u64 start_time;			/* c  ns */
	u64 cpu_ns;			/* r  it ran; see task_cpu_ns() */
	u32 *clear_child_tid;		/* o  set_tid_address(2), user */
	void *robust_list;		/* o  set_robust_list(2), user */
	void (*wait_at)(void);		/* o  where it sleeps, for px-tasks */
	struct list_head tasks;		/* all tasks, tasklist_lock */
	struct atomic refs;		/* a */
};

DECLARE_PER_CPU(struct task *, current_task);
#define current this_cpu_read(current_task)

extern struct list_head task_list;	/* tasklist_lock */
extern struct spinlock tasklist_lock;

/* kernel/task.c, for sched_init(): the idle task on the boot stack. */
struct task *task_adopt_boot_stack(void);

/* The idle task adopts the boot stack. Boot, before anything that sleeps. */
void sched_init(void);

/*
 * Gives the CPU away. The caller has set its state; a task in TASK_RUNNING
 * goes to the tail of the run queue. Task context, no spinlock held.
 */
void schedule(void);

/*
 * The full barrier orders the state before the test of the condition that
 * follows, see wq_has_sleeper().
 */
static inline void set_current_state(u32 state)
{
	__atomic_store_n(&current->state, state, __ATOMIC_SEQ_CST);
}

/*
 * Makes a sleeping task runnable. Returns 1 if it slept, 0 if it was running
 * or runnable already. Any context; takes the run-queue lock (irqsave).
 */
int wake_up_process(struct task *task);

/*
 * Sleeps until woken or until @deadline (absolute ktime_get_ns() time;
 * KTIME_MAX: no deadline). Returns 0 if the deadline came, -EINTR if woken
 * earlier. The caller has set its state; it is TASK_RUNNING on return.
 * @slack ns: how much later than the deadline is still fine.
 */
int schedule_hrtimeout_range(u64 deadline, u64 slack);

/* Lets others run if the time slice is over or somebody was woken. */
void cond_resched(void);

/*
 * A task is signalled when a wait must end early with -ERESTARTSYS or -EINTR.
 */
static inline bool signal_pending(const struct task *task)
{
	return READ_ONCE(task->work) & TIF_SIGPENDING;
}

/*
 * How long @task has had the CPU, ns, interrupts that came meanwhile included;
 * all threads of the program, dead ones too; and how long nobody needed it.
 * Any context; take the run-queue lock, the last two the tasklist_lock first.
 */
u64 task_cpu_ns(const struct task *task);
u64 process_cpu_ns(void);
u64 idle_cpu_ns(void);

/* Starts a kernel task running fn(arg). NULL if out of memory. Task. */
struct task *kthread_run(void (*fn)(void *arg), void *arg, const char *name);

/*
 * Creates a task that shares nothing yet (mm, files NULL) and is not yet
 * runnable; its first run enters @entry on its own kernel stack. NULL if out
 * of memory.
 */
struct task *task_create(const char *name, void (*entry)(void *arg),
			 void *arg);
/* Puts a task from task_create() on the run queue for the first time. */
void wake_up_new_task(struct task *task);

/* The user registers at the top of @task's stack (kernel/x86/ptrace.h). */
struct pt_regs *task_pt_regs(const struct task *task);
#define current_pt_regs() task_pt_regs(current)

/*
 * Does the work in current->work before user mode goes on. From the entry
 * code: interrupts off on entry and exit, on in between; @regs complete.
 * @syscall: a system call returns, its result in regs->rax.
 */
asmlinkage void exit_to_user_work(struct pt_regs *regs, bool syscall);

/* References to a task; the last put frees it and its stack. Task context. */
void get_task(struct task *task);
void put_task(struct task *task);

/* Ends the calling task; its memory goes when the last reference does. */
void task_exit(void) __noreturn;

/* The idle loop: `hlt` until an interrupt makes somebody runnable. */
void cpu_idle_loop(void) __noreturn;
