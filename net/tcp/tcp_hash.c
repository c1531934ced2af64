/*
 * The tables of net/tcp/tcp_hash.h.
 *
 * LOCKING: 64 stripes of spinlocks per table. A bucket and the bucket it is
 * split into share the low bits of their number and so the stripe: the number
 * of buckets may change under a lookup, but not in a way that moves what the
 * looker's stripe guards. grow_lock lets one split happen at a time and is
 * taken outside the stripe locks. The listener table has one lock.
 */
#include "net/tcp/tcp_hash.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/random.h"
#include "kernel/string.h"
#include "kernel/trace.h"

#define STRIPES		64u
#define LEAF_SHIFT	9	/* buckets per page */
#define LEAF		(1u << LEAF_SHIFT)
#define ROOT		64u	/* root * page * page: 16 million buckets */
#define LISTEN_BUCKETS	64u

/* Locks: s stripe, g grow_lock. */
struct table {
	struct spinlock stripe[STRIPES];
	struct hlist_head *first;	/* c  the first leaf */
	struct hlist_head **root[ROOT];	/* g, read under any stripe */
	u32 nr_buckets;			/* g + s of the split bucket */
	u32 mask;			/* the same; the bits that they need */
	struct atomic count;
	struct spinlock grow_lock;
	u32 hash_off;			/* c  of the u32 hash from the node */
};

static struct table socks, minis;

static struct {
	struct spinlock lock;
	struct hlist_head bucket[LISTEN_BUCKETS];
} listeners;

static u64 hash_keys[10];

/*
 * A sum of products with secret odd factors, mixed once more: pairs that
 * collide cannot be found without the keys, and it costs a dozen
 * instructions for IPv4.
 */
static inline u64 hash_sum(u32 remote, u32 local, u32 ports)
{
	const u64 *k = hash_keys;

	return k[0] + k[1] * remote + k[2] * local + k[3] * ports;
}

static inline u32 hash_mix(u64 sum)
{
	return (u32)((sum ^ sum >> 32) * hash_keys[9] >> 32);
}

void tcp_tuple_hash(struct tcp_tuple *t)
{
	u64 sum = hash_sum(t->remote.a[3], t->local.a[3],
			   (u32)t->lport << 16 | t->rport);

	if (!ip_addr_is_v4(&t->remote)) {
		for (unsigned int i = 0; i < 3; i++)
			sum += hash_keys[4 + i] * t->remote.a[i] +
			       hash_keys[7 + i] * t->local.a[i];
	}
	t->hash = hash_mix(sum);
}

void tcp_sock_tuple(const struct sock *sk, struct tcp_tuple *t)
{
	t->local = sk->sk_rcv_saddr;
	t->remote = sk->sk_daddr;
	t->lport = sk->sk_num;
	t->rport = sk->sk_dport;
	t->hash = sk->sk_hash;
}

static struct hlist_head *bucket_at(struct table *t, u32 n)
{
	u32 leaf = n >> LEAF_SHIFT;

	if (likely(!leaf))
		return &t->first[n];
	return &t->root[leaf >> LEAF_SHIFT][leaf & (LEAF - 1)]
		[n & (LEAF - 1)];
}

/* The bits that numbers below @nr need. */
static u32 mask_of(u32 nr)
{
	return ~0u >> __builtin_clz(nr - 1);
}

/* With @nr buckets: as many low bits as give a bucket that exists. */
static u32 bucket_of(u32 hash, u32 nr, u32 mask)
{
	u32 n = hash & mask;

	return n < nr ? n : n & mask >> 1;
}

/*
 * While the number changes under us, old and new of both give the same, but
 * for the bucket that is split: that is of our stripe or does not matter.
 */
static struct hlist_head *find_bucket(struct table *t, u32 hash)
{
	return bucket_at(t, bucket_of(hash, READ_ONCE(t->nr_buckets),
				      READ_ONCE(t->mask)));
}

static struct spinlock *stripe_of(struct table *t, u32 hash)
{
	return &t->stripe[hash & (STRIPES - 1)];
}

static u32 hash_of(const struct table *t, const struct hlist_node *node)
{
	u32 hash;

	memcpy(&hash, (const char *)node + t->hash_off, sizeof(hash));
	return hash;
}

/* Makes bucket @n addressable. False if memory or the root is out. */
static bool make_leaf(struct table *t, u32 n)
{
	u32 leaf = n >> LEAF_SHIFT;
	u32 top = leaf >> LEAF_SHIFT;

	if (top >= ROOT)
		return false;
	if (!t->root[top])
		t->root[top] = get_zeroed_page();
	if (!t->root[top])
		return false;
	if (!t->root[top][leaf & (LEAF - 1)])
		t->root[top][leaf & (LEAF - 1)] = get_zeroed_page();
	return t->root[top][leaf & (LEAF - 1)];
}

/* Splits one bucket in two; chains hold some sixteen nodes at the worst. */
static void split_bucket(struct table *t, u32 n)
{
	struct hlist_head *to = bucket_at(t, n);
	struct hlist_node *node, *next;
	u32 from = bucket_of(n, n, mask_of(n));
	u32 mask = mask_of(n + 1);

	spin_lock(stripe_of(t, n));
	for (node = bucket_at(t, from)->first; node; node = next) {
		next = node->next;
		if (bucket_of(hash_of(t, node), n + 1, mask) == n) {
			hlist_del_init(node);
			hlist_add_head(node, to);
		}
	}
	WRITE_ONCE(t->mask, mask);
	WRITE_ONCE(t->nr_buckets, n + 1);
	spin_unlock(stripe_of(t, n));
}

static noinline void grow_slow(struct table *t)
{
	u32 n;

	if (!spin_trylock(&t->grow_lock))
		return;
	n = t->nr_buckets;
	if (make_leaf(t, n))
		split_bucket(t, n);
	spin_unlock(&t->grow_lock);
}

/* Ours in the upper half, the peer's in the lower. */
static inline u32 sock_ports(const struct sock *sk)
{
	return (u32)sk->sk_num << 16 | sk->sk_dport;
}

static bool sock_is(const struct sock *sk, const struct tcp_tuple *t)
{
	return sk->sk_hash == t->hash && sk->sk_dport == t->rport &&
	       sk->sk_num == t->lport &&
	       ip_addr_eq(&sk->sk_daddr, &t->remote) &&
	       ip_addr_eq(&sk->sk_rcv_saddr, &t->local);
}

/*
 * One more element may mean one more bucket. Without memory for it the chains
 * get longer, no more than that. No stripe lock held.
 */
static inline void table_grow(struct table *t)
{
	if ((u32)atomic_read(&t->count) > READ_ONCE(t->nr_buckets))
		grow_slow(t);
}

static inline struct sock *find_in(const struct hlist_head *bucket,
				   const struct tcp_tuple *t)
{
	struct sock *sk;

	hlist_for_each_entry(sk, bucket, sk_node) {
		if (likely(sock_is(sk, t)))
			return sk;
	}
	return NULL;
}

struct sock *tcp_lookup(const struct tcp_tuple *t)
{
	struct spinlock *lock = stripe_of(&socks, t->hash);
	struct sock *sk;

	spin_lock(lock);
	sk = find_in(find_bucket(&socks, t->hash), t);
	if (sk)
		sock_hold(sk);
	spin_unlock(lock);
	return sk;
}

struct sock *tcp_lookup_v4(be32 remote, be32 local, u32 ports, u32 *to)
{
	u32 hash = hash_mix(hash_sum(remote, local, ports));
	struct spinlock *lock = stripe_of(&socks, hash);
	const struct hlist_head *bucket;
	struct sock *sk;

	*to = hash;
	spin_lock(lock);
	bucket = find_bucket(&socks, hash);
	hlist_for_each_entry(sk, bucket, sk_node) {
		if (likely(sk->sk_hash == hash && sock_ports(sk) == ports &&
			   sk->sk_v4 && sk->sk_daddr.a[3] == remote &&
			   sk->sk_rcv_saddr.a[3] == local)) {
			sock_hold(sk);
			break;
		}
	}
	spin_unlock(lock);
	return sk;
}

/* Is a connection with @sk's addresses and ports there? */
static bool is_taken(const struct hlist_head *bucket, const struct sock *sk)
{
	const struct sock *s;

	hlist_for_each_entry(s, bucket, sk_node) {
		if (s->sk_hash == sk->sk_hash &&
		    sock_ports(s) == sock_ports(sk) &&
		    ip_addr_eq(&s->sk_daddr, &sk->sk_daddr) &&
		    ip_addr_eq(&s->sk_rcv_saddr, &sk->sk_rcv_saddr))
			return true;
	}
	return false;
}

int tcp_hash_add(struct sock *sk)
{
	struct spinlock *lock = stripe_of(&socks, sk->sk_hash);
	struct hlist_head *bucket;
	bool taken;

	local_bh_disable();
	spin_lock(lock);
	bucket = find_bucket(&socks, sk->sk_hash);
	taken = is_taken(bucket, sk);
	if (!taken) {
		sock_hold(sk);
		sk->sk_v4 = ip_addr_is_v4(&sk->sk_daddr) &&
			    ip_addr_is_v4(&sk->sk_rcv_saddr);
		tcp_sk(sk)->flags |= TCP_F_HASHED;
		hlist_add_head(&sk->sk_node, bucket);
		atomic_inc(&socks.count);
	}
	spin_unlock(lock);
	table_grow(&socks);
	local_bh_enable();
	return taken ? -EADDRNOTAVAIL : 0;
}

void tcp_unhash(struct sock *sk)
{
	struct spinlock *lock = stripe_of(&socks, sk->sk_hash);

	if (!(tcp_sk(sk)->flags & TCP_F_HASHED))
		return;
	tcp_sk(sk)->flags &= ~TCP_F_HASHED;
	spin_lock_bh(lock);
	hlist_del_init(&sk->sk_node);
	spin_unlock_bh(lock);
	atomic_dec(&socks.count);
	sock_put(sk);
}

static inline struct tcp_mini *find_mini(const struct hlist_head *bucket,
					 const struct tcp_tuple *t)
{
	struct tcp_mini *m;

	hlist_for_each_entry(m, bucket, node) {
		if (m->tuple.hash == t->hash && m->tuple.rport == t->rport &&
		    m->tuple.lport == t->lport &&
		    ip_addr_eq(&m->tuple.remote, &t->remote) &&
		    ip_addr_eq(&m->tuple.local, &t->local))
			return m;
	}
	return NULL;
}

struct tcp_mini *tcp_mini_lookup(const struct tcp_tuple *t)
{
	struct spinlock *lock = stripe_of(&minis, t->hash);
	struct tcp_mini *m;

	if (!atomic_read(&minis.count))
		return NULL;
	spin_lock(lock);
	m = find_mini(find_bucket(&minis, t->hash), t);
	if (m)
		atomic_inc(&m->refs);
	spin_unlock(lock);
	return m;
}

/* A record has no other state than that it stands in the table. */
static void trace_mini(const struct tcp_mini *mini, bool added)
{
	static const u8 states[] = {
		[TCP_MINI_REQUEST] = TCP_NEW_SYN_RECV,
		[TCP_MINI_FIN_WAIT2] = TCP_FIN_WAIT2,
		[TCP_MINI_TIME_WAIT] = TCP_TIME_WAIT,
	};
	u32 state = states[mini->kind];

	trace(TRACE_TCP_SET_STATE, mini, added ? TCP_CLOSE << 16 | state
					       : state << 16 | TCP_CLOSE);
}

bool tcp_mini_add(struct tcp_mini *mini)
{
	struct spinlock *lock = stripe_of(&minis, mini->tuple.hash);
	struct hlist_head *bucket;
	bool taken;

	local_bh_disable();
	spin_lock(lock);
	bucket = find_bucket(&minis, mini->tuple.hash);
	taken = find_mini(bucket, &mini->tuple);
	if (!taken) {
		atomic_inc(&mini->refs);
		atomic_inc(&minis.count);
		hlist_add_head(&mini->node, bucket);
		trace_mini(mini, true);
	}
	spin_unlock(lock);
	table_grow(&minis);
	local_bh_enable();
	return !taken;
}

bool tcp_mini_unhash(struct tcp_mini *mini)
{
	struct spinlock *lock = stripe_of(&minis, mini->tuple.hash);
	bool was;

	spin_lock_bh(lock);
	was = !hlist_unhashed(&mini->node);
	hlist_del_init(&mini->node);
	if (was) {
		atomic_dec(&minis.count);
		trace_mini(mini, false);
	}
	spin_unlock_bh(lock);
	return was;
}

static struct hlist_head *listen_bucket(u16 port)
{
	return &listeners.bucket[port % LISTEN_BUCKETS];
}

__cold void tcp_listener_add(struct sock *sk)
{
	sock_hold(sk);
	spin_lock_bh(&listeners.lock);
	hlist_add_head(&sk->sk_node, listen_bucket(sk->sk_num));
	spin_unlock_bh(&listeners.lock);
}

__cold void tcp_listener_del(struct sock *sk)
{
	bool was;

	spin_lock_bh(&listeners.lock);
	was = !hlist_unhashed(&sk->sk_node);
	hlist_del_init(&sk->sk_node);
	spin_unlock_bh(&listeners.lock);
	if (was)
		sock_put(sk);
}

/* How well @sk fits: 0 not at all. */
static unsigned int listener_score(const struct sock *sk,
				   const struct tcp_tuple *t, s32 ifindex)
{
	bool v4 = ip_addr_is_v4(&t->local);
	unsigned int score = 1;

	if (sk->sk_num != t->lport)
		return 0;
	if (sk->sk_bound_dev_if) {
		if (sk->sk_bound_dev_if != ifindex)
			return 0;
		score += 4;
	}
	if (!ip_addr_any(&sk->sk_rcv_saddr)) {
		if (!ip_addr_eq(&sk->sk_rcv_saddr, &t->local))
			return 0;
		score += 2;
	}
	if (v4 != (sk->sk_family == AF_INET)) {
		if (!v4 || sock_flag(sk, SOCK_V6ONLY))
			return 0;
	} else {
		score++;
	}
	return score;
}

/* The @nth of those that score @best. */
static struct sock *listener_pick(const struct tcp_tuple *t, s32 ifindex,
				  unsigned int best, unsigned int nth)
{
	struct sock *sk;

	hlist_for_each_entry(sk, listen_bucket(t->lport), sk_node) {
		if (listener_score(sk, t, ifindex) == best && nth-- == 0)
			break;
	}
	return sk;
}

struct sock *tcp_listener_lookup(const struct tcp_tuple *t, s32 ifindex)
{
	unsigned int best = 0, equals = 0;
	struct sock *sk, *found = NULL;

	spin_lock(&listeners.lock);
	hlist_for_each_entry(sk, listen_bucket(t->lport), sk_node) {
		unsigned int score = listener_score(sk, t, ifindex);

		if (score > best) {
			best = score;
			found = sk;
			equals = 0;
		}
		equals += score && score == best;
	}
	if (equals > 1)
		found = listener_pick(t, ifindex, best,
				      (u32)((u64)t->hash * equals >> 32));
	if (found)
		sock_hold(found);
	spin_unlock(&listeners.lock);
	return found;
}

static void walk_listeners(void (*fn)(struct sock *, void *), void *arg)
{
	struct sock *sk;

	spin_lock_bh(&listeners.lock);
	for (u32 n = 0; n < LISTEN_BUCKETS; n++) {
		hlist_for_each_entry(sk, &listeners.bucket[n], sk_node)
			fn(sk, arg);
	}
	spin_unlock_bh(&listeners.lock);
}

static void walk_socks(u32 n, void (*fn)(struct sock *, void *), void *arg)
{
	struct sock *sk;

	spin_lock_bh(stripe_of(&socks, n));
	hlist_for_each_entry(sk, bucket_at(&socks, n), sk_node)
		fn(sk, arg);
	spin_unlock_bh(stripe_of(&socks, n));
}

static void walk_minis(u32 n, void (*fn)(struct tcp_mini *, void *), void *arg)
{
	struct tcp_mini *m;

	spin_lock_bh(stripe_of(&minis, n));
	hlist_for_each_entry(m, bucket_at(&minis, n), node)
		fn(m, arg);
	spin_unlock_bh(stripe_of(&minis, n));
}

__cold bool tcp_walk(u64 *place, void (*fn_sock)(struct sock *sk, void *arg),
		     void (*fn_mini)(struct tcp_mini *mini, void *arg),
		     void *arg)
{
	u64 n = (*place)++, in_socks = READ_ONCE(socks.nr_buckets);
	u64 all = in_socks + READ_ONCE(minis.nr_buckets);

	if (!n)
		walk_listeners(fn_sock, arg);
	else if (n <= in_socks)
		walk_socks((u32)n - 1, fn_sock, arg);
	else if (n <= all)
		walk_minis((u32)(n - 1 - in_socks), fn_mini, arg);
	return n < all;
}

__cold void tcp_for_each(void (*fn_sock)(struct sock *sk, void *arg),
			 void (*fn_mini)(struct tcp_mini *mini, void *arg),
			 void *arg)
{
	u64 place = 0;

	while (tcp_walk(&place, fn_sock, fn_mini, arg))
		;
}

static int table_init(struct table *t, u32 hash_off)
{
	t->first = get_zeroed_page();
	if (!t->first)
		return -ENOMEM;
	t->nr_buckets = LEAF;
	t->mask = mask_of(LEAF);
	t->hash_off = hash_off;
	return 0;
}

__cold int tcp_hash_init(void)
{
	get_random_bytes(hash_keys, sizeof(hash_keys));
	for (unsigned int i = 0; i < ARRAY_SIZE(hash_keys); i++)
		hash_keys[i] |= 1;
	if (table_init(&socks, offsetof(struct sock, sk_hash) -
				offsetof(struct sock, sk_node)))
		return -ENOMEM;
	return table_init(&minis, offsetof(struct tcp_mini, tuple.hash) -
				  offsetof(struct tcp_mini, node));
}
