/*
 * Wait queues: see kernel/wait.h. Called from every context; each function
 * takes the queue's own lock with interrupts off and nothing else, except
 * that a wake function may take the run-queue lock below it.
 */
#include "kernel/wait.h"

#include "kernel/sched.h"

int default_wake_function(struct wait_queue_entry *wqe, unsigned int mode,
			  int flags, void *key)
{
	(void)mode;
	(void)flags;
	(void)key;
	return wake_up_process(wqe->private);
}

int autoremove_wake_function(struct wait_queue_entry *wqe, unsigned int mode,
			     int flags, void *key)
{
	int woken = default_wake_function(wqe, mode, flags, key);

	if (woken)
		list_del_init(&wqe->entry);
	return woken;
}

void init_waitqueue_entry(struct wait_queue_entry *wqe, struct task *task)
{
	wqe->flags = 0;
	wqe->private = task;
	wqe->func = default_wake_function;
	INIT_LIST_HEAD(&wqe->entry);
}

void init_waitqueue_func_entry(struct wait_queue_entry *wqe,
			       wait_queue_func_t func)
{
	wqe->flags = 0;
	wqe->private = NULL;
	wqe->func = func;
	INIT_LIST_HEAD(&wqe->entry);
}

void init_wait(struct wait_queue_entry *wqe)
{
	init_waitqueue_entry(wqe, current);
	wqe->func = autoremove_wake_function;
}

void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *wqe)
{
	unsigned long irq = spin_lock_irqsave(&wq->lock);

	wqe->flags &= ~WQ_FLAG_EXCLUSIVE;
	list_add(&wqe->entry, &wq->head);
	spin_unlock_irqrestore(&wq->lock, irq);
}

void add_wait_queue_exclusive(struct wait_queue_head *wq,
			      struct wait_queue_entry *wqe)
{
	unsigned long irq = spin_lock_irqsave(&wq->lock);

	wqe->flags |= WQ_FLAG_EXCLUSIVE;
	list_add_tail(&wqe->entry, &wq->head);
	spin_unlock_irqrestore(&wq->lock, irq);
}

void __add_wait_queue_exclusive(struct wait_queue_head *wq,
				struct wait_queue_entry *wqe)
{
	wqe->flags |= WQ_FLAG_EXCLUSIVE;
	list_add(&wqe->entry, &wq->head);
}

void remove_wait_queue(struct wait_queue_head *wq,
		       struct wait_queue_entry *wqe)
{
	unsigned long irq = spin_lock_irqsave(&wq->lock);

	list_del_init(&wqe->entry);
	spin_unlock_irqrestore(&wq->lock, irq);
}

static noinline void wake_entries(struct wait_queue_head *wq,
				  unsigned int mode, int nr_exclusive,
				  void *key)
{
	struct wait_queue_entry *wqe, *next;

	list_for_each_entry_safe(wqe, next, &wq->head, entry) {
		/* The function may take its entry off and let it be freed. */
		unsigned int flags = wqe->flags;
		int woken = wqe->func(wqe, mode, 0, key);

		if (woken < 0)
			return;
		if (woken && (flags & WQ_FLAG_EXCLUSIVE) && !--nr_exclusive)
			return;
	}
}

/* A sole entry, which is what most queues have, needs no walk. */
__inline_hot void __wake_up_locked(struct wait_queue_head *wq,
				   unsigned int mode, int nr_exclusive,
				   void *key)
{
	struct wait_queue_entry *first = list_first_entry(
		&wq->head, struct wait_queue_entry, entry);

	if (likely(first->entry.next == &wq->head && !list_empty(&wq->head)))
		first->func(first, mode, 0, key);
	else
		wake_entries(wq, mode, nr_exclusive, key);
}

void __wake_up(struct wait_queue_head *wq, unsigned int mode,
	       int nr_exclusive, void *key)
{
	unsigned long irq = spin_lock_irqsave(&wq->lock);

	__wake_up_locked(wq, mode, nr_exclusive, key);
	spin_unlock_irqrestore(&wq->lock, irq);
}

void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *wqe,
		     unsigned int state)
{
	unsigned long irq = spin_lock_irqsave(&wq->lock);

	wqe->flags &= ~WQ_FLAG_EXCLUSIVE;
	if (list_empty(&wqe->entry))
		list_add(&wqe->entry, &wq->head);
	set_current_state(state);
	spin_unlock_irqrestore(&wq->lock, irq);
}

void prepare_to_wait_exclusive(struct wait_queue_head *wq,
			       struct wait_queue_entry *wqe,
			       unsigned int state)
{
	unsigned long irq = spin_lock_irqsave(&wq->lock);

	wqe->flags |= WQ_FLAG_EXCLUSIVE;
	if (list_empty(&wqe->entry))
		list_add_tail(&wqe->entry, &wq->head);
	set_current_state(state);
	spin_unlock_irqrestore(&wq->lock, irq);
}

/*
 * The lock is taken even for an entry that looks removed: the waker that
 * removed it may still hold wq->lock, and the entry is on our stack.
 */
void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *wqe)
{
	unsigned long irq;

	set_current_state(TASK_RUNNING);
	irq = spin_lock_irqsave(&wq->lock);
	list_del_init(&wqe->entry);
	spin_unlock_irqrestore(&wq->lock, irq);
}
