/*
 * The console's input ring. console_input() fills it from the serial
 * interrupt, console_input_read() empties it from the console file.
 *
 * LOCKING: ring.lock guards the ring; interrupts are off under it. It is
 * dropped before the wakeup.
 */
#include "kernel/console_input.h"

#include "kernel/poll.h"
#include "kernel/spinlock.h"

#define INPUT_SIZE 256u		/* a power of two: a pasted line or two */

struct wait_queue_head console_input_wait =
	WAIT_QUEUE_HEAD_INIT(console_input_wait);
u32 console_input_lost;

/* Locks: l lock. The indices run freely; their difference is the fill. */
static struct {
	struct spinlock lock;
	u32 head;		/* l  next byte to write */
	u32 tail;		/* l  next byte to read */
	char buf[INPUT_SIZE];	/* l */
} ring;

void console_input(const char *s, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&ring.lock);

	for (size_t i = 0; i < n; i++) {
		if (ring.head - ring.tail == INPUT_SIZE) {
			console_input_lost += (u32)(n - i);
			break;
		}
		ring.buf[ring.head++ % INPUT_SIZE] = s[i];
	}
	spin_unlock_irqrestore(&ring.lock, flags);
	/* The bytes are in the ring: a reader that looks now finds them. */
	if (wq_has_sleeper(&console_input_wait))
		wake_up_poll(&console_input_wait, EPOLLIN | EPOLLRDNORM);
}

size_t console_input_read(char *buf, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&ring.lock);
	size_t done = 0;

	while (done < n && ring.tail != ring.head)
		buf[done++] = ring.buf[ring.tail++ % INPUT_SIZE];
	spin_unlock_irqrestore(&ring.lock, flags);
	return done;
}

size_t console_input_pending(void)
{
	return READ_ONCE(ring.head) - READ_ONCE(ring.tail);
}
