/*
 * The generator: ChaCha20 whose key is replaced by its own first output each
 * time (fast key erasure), so that who reads our memory cannot look back.
 * Input is mixed into the key by running it through the same function. Small
 * requests are served from a per-CPU buffer.
 *
 * LOCKING: pool.lock, interrupts off, guards the key. The per-CPU buffer is
 * its CPU's own with interrupts off.
 */
#include "kernel/random.h"

#include "kernel/chacha20.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/printk.h"
#include "kernel/spinlock.h"
#include "kernel/string.h"
#include "kernel/x86/entropy.h"
#include "kernel/x86/irqflags.h"

#define READY_BITS	256
/* Without a hardware source: so many timing samples, a bit each. */
#define JITTER_SAMPLES	512

/* Locks: p lock. */
struct pool {
	struct spinlock lock;
	u8 key[CHACHA20_KEY];		/* p */
	u32 bits;			/* p  entropy credited so far */
	u32 generation;			/* p  counts what was mixed in */
};

/* Locks: i own CPU, interrupts off. */
struct batch {
	u8 byte[2 * CHACHA20_BLOCK - CHACHA20_KEY];	/* i */
	u32 left;			/* i  bytes at the end, still unused */
	u32 generation;			/* i  of the pool when filled */
};

static struct pool pool;
static DEFINE_PER_CPU(struct batch, batch);

bool random_ready(void)
{
	return READ_ONCE(pool.bits) >= READY_BITS;
}

/*
 * Replaces the key by output of its own and hands out what is left of that
 * block and the blocks that follow.
 */
static void generate_locked(struct pool *p, u8 *out, size_t len)
{
	struct chacha20_state s;
	u8 block[CHACHA20_BLOCK];
	size_t at = CHACHA20_KEY;

	chacha20_init(&s, p->key);
	chacha20_block(&s, block);
	memcpy(p->key, block, CHACHA20_KEY);
	while (len) {
		size_t n = min(len, CHACHA20_BLOCK - at);

		memcpy(out, block + at, n);
		out += n;
		len -= n;
		at = 0;
		if (len)
			chacha20_block(&s, block);
	}
	memset(block, 0, sizeof(block));
	memset(&s, 0, sizeof(s));
}

/* The key becomes the cipher's output under (key ^ input). */
static void mix_locked(struct pool *p, const u8 *data, size_t len)
{
	while (len) {
		size_t n = min(len, (size_t)CHACHA20_KEY);

		for (size_t i = 0; i < n; i++)
			p->key[i] ^= data[i];
		generate_locked(p, NULL, 0);
		data += n;
		len -= n;
	}
	p->generation++;
}

void add_entropy(const void *data, size_t len, unsigned int entropy_bits)
{
	unsigned long irq = spin_lock_irqsave(&pool.lock);

	mix_locked(&pool, data, len);
	/* Input cannot be worth more than its size. */
	pool.bits += min((u64)entropy_bits, (u64)len * 8);
	pool.bits = min(pool.bits, 1u << 20);
	spin_unlock_irqrestore(&pool.lock, irq);
}

static void check_ready(void)
{
	if (unlikely(!random_ready()))
		panic("randomness asked for before there is any: call random_init() first");
}

void get_random_bytes(void *buf, size_t len)
{
	unsigned long irq;

	check_ready();
	irq = spin_lock_irqsave(&pool.lock);
	generate_locked(&pool, buf, len);
	spin_unlock_irqrestore(&pool.lock, irq);
}

/* Takes the next @len (4 or 8) bytes of this CPU's buffer, and wipes them. */
static void from_batch(void *out, size_t len)
{
	unsigned long irq = local_irq_save();
	struct batch *b = this_cpu_ptr(&batch);
	u8 *p;

	if (unlikely(b->left < len ||
		     b->generation != READ_ONCE(pool.generation))) {
		check_ready();
		spin_lock(&pool.lock);
		generate_locked(&pool, b->byte, sizeof(b->byte));
		b->generation = pool.generation;
		spin_unlock(&pool.lock);
		b->left = sizeof(b->byte);
	}
	p = b->byte + sizeof(b->byte) - b->left;
	memcpy(out, p, len);
	memset(p, 0, len);
	b->left -= len;
	local_irq_restore(irq);
}

u32 get_random_u32(void)
{
	u32 v;

	from_batch(&v, sizeof(v));
	return v;
}

u64 get_random_u64(void)
{
	u64 v;

	from_batch(&v, sizeof(v));
	return v;
}

/*
 * Lemire's multiplication: the high word is uniform once the low word is not
 * among the 2^32 mod bound values that would be one too many.
 */
u32 get_random_below(u32 bound)
{
	u64 m = (u64)get_random_u32() * bound;

	if (unlikely((u32)m < bound)) {
		u32 surplus = -bound % bound;

		while ((u32)m < surplus)
			m = (u64)get_random_u32() * bound;
	}
	return m >> 32;
}

void random_init(void)
{
	u64 word[8];
	unsigned int n = cpu_random(word, ARRAY_SIZE(word));

	if (n)
		add_entropy(word, n * sizeof(u64), n * 64);
	/* Not trusting one source alone costs little: mix in the time, too. */
	word[0] = entropy_counter();
	add_entropy(word, sizeof(u64), 0);
	if (random_ready())
		return;
	for (int i = 0; i < JITTER_SAMPLES; i++) {
		word[i % 8] = entropy_jitter();
		if (i % 8 == 7)
			add_entropy(word, sizeof(word), 8);
	}
	pr_info("random: no RDRAND, seeded from timing");
}
