/*
 * A machine that was saved once starts again where it was, in a tenth of the
 * time: `pollux run --warm`. When the program first waits, a task stops
 * everything and says so on the console; QEMU's state and memory are saved
 * then. The machine that is made of them finds new words from its host in
 * fw_cfg, and goes on: it takes over the time and what is to be secret, since
 * any number of machines are made of the same memory.
 */
#include "boot/warm.h"

#include "drivers/fw_cfg.h"
#include "kernel/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "kernel/x86/irqflags.h"
#include "net/tcp/tcp_cookie.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_isn.h"
#include "net/tcp/tcp_port.h"

#define LOOK_NS		(5 * NSEC_PER_MSEC)
#define QUIET_LOOKS	6u	/* so often in a row the program waited */

/* What the host says to a machine that goes on; tools/pollux writes it. */
struct warm_words {
	u64 real_ns;
	u8 seed[64];
};

static bool wanted;

static int set_warm(const char *val)
{
	wanted = true;
	return val ? -EINVAL : 0;
}
KERNEL_PARAM("warm", set_warm, "nothing behind it: just `warm`");

/* True if there is a program and all its threads sleep. */
static bool program_waits(void)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	bool any = false, busy = false;
	struct task *t;

	list_for_each_entry(t, &task_list, tasks) {
		any |= !t->kthread;
		busy |= !t->kthread && READ_ONCE(t->state) == TASK_RUNNING;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return any && !busy;
}

/* What the program maps from now on is elsewhere in each machine. */
static void move_mappings(void)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task *t;

	list_for_each_entry(t, &task_list, tasks) {
		if (!t->kthread && t->mm)
			mm_draw_base(t->mm);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/*
 * What the kernel drew in the saved machine is random and secret no more, but
 * for the places of what is mapped, guards, and keys of tables in use.
 */
static void take_over(const struct warm_words *w)
{
	add_entropy(w->seed, sizeof(w->seed), 256);
	tcp_isn_init();
	tcp_cookie_init();
	tcp_fastopen_init();
	tcp_port_init();
	move_mappings();
	ktime_set_real_ns(w->real_ns);
}

static void warm_task(void *arg)
{
	static const char say[] = "pollux: ready to be saved\n";
	struct warm_words w;
	unsigned long flags;

	(void)arg;
	for (unsigned int quiet = 0; quiet < QUIET_LOOKS;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		(void)schedule_hrtimeout_range(ktime_get_ns() + LOOK_NS,
					       LOOK_NS / 8);
		quiet = program_waits() ? quiet + 1 : 0;
	}
	flags = local_irq_save();
	console_write(say, sizeof(say) - 1);
	console_write(NULL, 0);
	while (fw_cfg_read("opt/pollux/warm", &w, sizeof(w)) != sizeof(w))
		cpu_relax();
	take_over(&w);
	local_irq_restore(flags);
}

void warm_init(void)
{
	if (wanted && !kthread_run(warm_task, NULL, "warm"))
		panic("warm: no memory for a task; give the machine more (-m)");
}
