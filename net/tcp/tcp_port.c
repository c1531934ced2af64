/*
 * Local ports. A port in use has one record: the socks that were bound to it
 * by name are on its list; connections that only use it (children of a
 * listener, autobound clients, TIME-WAIT records) are counted, so that a
 * million of them cost nothing here.
 *
 * LOCKING: ports.lock guards all of it.
 */
#include "net/tcp/tcp_port.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/random.h"
#include "kernel/siphash.h"
#include "net/tcp/tcp_hash.h"
#include "net/tcp/tcp_mini.h"
#include "net/tcp/tcp_sysctl.h"

#define BUCKETS		256u
#define PERTURB		256u	/* RFC 6056 section 3.3.4, TABLE_LENGTH */

/* One port in use. Locks: p ports.lock. */
struct port {
	struct hlist_node node;		/* p */
	struct hlist_head owners;	/* p  by bind_node */
	u32 shared;			/* p  users that are only counted */
	u32 shared_strict;		/* p  of these, without REUSEADDR */
	struct ip_addr shared_addr;	/* p  of all of them, unless ... */
	bool shared_mixed;		/* p  ... they have several */
	u16 number;			/* c */
};

static struct {
	struct spinlock lock;
	struct hlist_head bucket[BUCKETS];
	u16 perturb[PERTURB];
	struct siphash_key key[2];
} ports;

void tcp_port_init(void)
{
	get_random_bytes(ports.key, sizeof(ports.key));
	get_random_bytes(ports.perturb, sizeof(ports.perturb));
}

static struct port *port_find(u16 number)
{
	struct port *p;

	hlist_for_each_entry(p, &ports.bucket[number % BUCKETS], node) {
		if (p->number == number)
			return p;
	}
	return NULL;
}

static struct port *port_get(u16 number)
{
	struct port *p = port_find(number);

	if (p)
		return p;
	p = kzalloc(sizeof(*p));
	if (!p)
		return NULL;
	p->number = number;
	hlist_add_head(&p->node, &ports.bucket[number % BUCKETS]);
	return p;
}

static void port_put(struct port *p)
{
	if (p->shared || !hlist_empty(&p->owners))
		return;
	hlist_del_init(&p->node);
	kfree(p);
}

static struct sock *owner_sk(struct tcp_sock *tp)
{
	return &tp->sk;
}

/*
 * An unbound address of AF_INET6 stands for IPv4 too, unless V6ONLY; those of
 * one device are another's not.
 */
static bool addresses_overlap(const struct sock *a, const struct sock *b)
{
	const struct ip_addr *x = &a->sk_rcv_saddr, *y = &b->sk_rcv_saddr;
	bool v4_a = a->sk_family == AF_INET || (!ip_addr_any(x) &&
						ip_addr_is_v4(x));
	bool v4_b = b->sk_family == AF_INET || (!ip_addr_any(y) &&
						ip_addr_is_v4(y));

	if (a->sk_bound_dev_if && b->sk_bound_dev_if &&
	    a->sk_bound_dev_if != b->sk_bound_dev_if)
		return false;
	if (v4_a != v4_b) {
		const struct sock *six = v4_a ? b : a;

		return ip_addr_any(&six->sk_rcv_saddr) &&
		       !sock_flag(six, SOCK_V6ONLY);
	}
	return ip_addr_any(x) || ip_addr_any(y) || ip_addr_eq(x, y);
}

static bool both(const struct sock *a, const struct sock *b,
		 enum sock_flag flag)
{
	return sock_flag(a, flag) && sock_flag(b, flag);
}

/*
 * bind(2) and socket(7): overlapping addresses conflict unless both allow it,
 * by REUSEPORT, or by REUSEADDR while the other does not listen. Counted
 * users have specific addresses of their own; they conflict without REUSEADDR.
 */
static __cold bool port_conflict(const struct port *p, const struct sock *sk,
				 bool listening)
{
	struct tcp_sock *tp;

	hlist_for_each_entry(tp, &p->owners, bind_node) {
		const struct sock *o = owner_sk(tp);

		if (o == sk || !addresses_overlap(o, sk) ||
		    both(o, sk, SOCK_REUSEPORT))
			continue;
		if (!both(o, sk, SOCK_REUSEADDR) ||
		    o->sk_state == TCP_LISTEN)
			return true;
	}
	if (listening || sock_flag(sk, SOCK_REUSEPORT))
		return false;
	/* All those at another address are nobody's rivals. */
	if (!p->shared_mixed && !ip_addr_any(&sk->sk_rcv_saddr) &&
	    !ip_addr_eq(&p->shared_addr, &sk->sk_rcv_saddr))
		return false;
	return sock_flag(sk, SOCK_REUSEADDR) ? p->shared_strict : p->shared;
}

static void port_own(struct port *p, struct sock *sk)
{
	sk->sk_num = p->number;
	tcp_sk(sk)->flags |= TCP_F_OWNS_PORT;
	hlist_add_head(&tcp_sk(sk)->bind_node, &p->owners);
}

static __cold int bind_one(struct sock *sk, u16 number)
{
	struct port *p = port_get(number);

	if (!p)
		return -ENOMEM;
	if (port_conflict(p, sk, false)) {
		port_put(p);
		return -EADDRINUSE;
	}
	port_own(p, sk);
	return 0;
}

/* How many ports there are to choose from; the first in *@low. */
static u32 port_range(u32 *low)
{
	u32 high = READ_ONCE(ip_local_port_range[1]);

	*low = READ_ONCE(ip_local_port_range[0]);
	return high < *low ? 1 : high - *low + 1;
}

/* Any port that nobody has; from a random place on. */
static int bind_any(struct sock *sk)
{
	u32 low, n = port_range(&low);
	u32 first = get_random_below(n);

	for (u32 i = 0; i < n; i++) {
		u16 number = (u16)(low + (first + i) % n);

		if (!port_find(number))
			return bind_one(sk, number);
	}
	return -EADDRINUSE;
}

__cold int tcp_port_bind(struct sock *sk, u16 port)
{
	int err;

	spin_lock_bh(&ports.lock);
	err = port ? bind_one(sk, port) : bind_any(sk);
	spin_unlock_bh(&ports.lock);
	return err;
}

__cold bool tcp_port_may_listen(struct sock *sk)
{
	bool may;

	spin_lock_bh(&ports.lock);
	may = !port_conflict(port_find(sk->sk_num), sk, true);
	spin_unlock_bh(&ports.lock);
	return may;
}

static void port_count(struct port *p, const struct ip_addr *addr, bool reuse)
{
	if (!p->shared) {
		p->shared_addr = *addr;
		p->shared_mixed = false;
	} else if (!ip_addr_eq(&p->shared_addr, addr)) {
		p->shared_mixed = true;
	}
	p->shared++;
	p->shared_strict += !reuse;
}

int tcp_port_hold(u16 number, const struct ip_addr *addr, bool reuse)
{
	struct port *p;

	spin_lock_bh(&ports.lock);
	p = port_get(number);
	if (p)
		port_count(p, addr, reuse);
	spin_unlock_bh(&ports.lock);
	return p ? 0 : -ENOMEM;
}

void tcp_port_drop(u16 number, bool reuse)
{
	struct port *p;

	spin_lock_bh(&ports.lock);
	p = port_find(number);
	p->shared--;
	p->shared_strict -= !reuse;
	port_put(p);
	spin_unlock_bh(&ports.lock);
}

/* SO_REUSEADDR may change meanwhile: remember as what @sk was counted. */
static void mark_sharer(struct sock *sk)
{
	tcp_sk(sk)->flags |= TCP_F_SHARES_PORT;
	if (!sock_flag(sk, SOCK_REUSEADDR))
		tcp_sk(sk)->flags |= TCP_F_PORT_STRICT;
}

int tcp_port_share(struct sock *child)
{
	int err = tcp_port_hold(child->sk_num, &child->sk_rcv_saddr,
				sock_flag(child, SOCK_REUSEADDR));

	if (!err)
		mark_sharer(child);
	return err;
}

void tcp_port_release(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct port *p;

	if (tp->flags & TCP_F_SHARES_PORT)
		tcp_port_drop(sk->sk_num, !(tp->flags & TCP_F_PORT_STRICT));
	if (tp->flags & TCP_F_OWNS_PORT) {
		spin_lock_bh(&ports.lock);
		p = port_find(sk->sk_num);
		hlist_del_init(&tp->bind_node);
		port_put(p);
		spin_unlock_bh(&ports.lock);
	}
	tp->flags &= ~(TCP_F_SHARES_PORT | TCP_F_OWNS_PORT |
			    TCP_F_PORT_STRICT);
}

/* Tries @number for the connection of @sk; 0 if it is @sk's now. */
static int connect_one(struct sock *sk, u16 number, u64 now)
{
	struct port *p;
	int err = -EADDRNOTAVAIL;

	spin_lock_bh(&ports.lock);
	p = port_get(number);
	if (p && hlist_empty(&p->owners)) {
		port_count(p, &sk->sk_rcv_saddr,
			   sock_flag(sk, SOCK_REUSEADDR));
		err = 0;
	} else if (!p) {
		err = -ENOMEM;
	}
	spin_unlock_bh(&ports.lock);
	if (err)
		return err;
	sk->sk_num = number;
	mark_sharer(sk);
	err = tcp_timewait_clear(sk, now);
	if (!err)
		err = tcp_hash_add(sk);
	if (err) {
		tcp_port_release(sk);
		sk->sk_num = 0;
	}
	return err;
}

/* RFC 6056 section 3.3.4: double-hash port selection. */
int tcp_port_connect(struct sock *sk, u64 now)
{
	struct {
		struct ip_addr saddr, daddr;
		u32 dport;
	} in = { sk->sk_rcv_saddr, sk->sk_daddr, sk->sk_dport };
	u32 low, n = port_range(&low);
	u32 offset = (u32)siphash(&in, sizeof(in), &ports.key[0]);
	u32 index = (u32)siphash(&in, sizeof(in), &ports.key[1]) % PERTURB;

	for (u32 i = 0; i < n; i++) {
		u32 step = offset % n + ports.perturb[index]++;
		int err = connect_one(sk, (u16)(low + step % n), now);

		if (err != -EADDRNOTAVAIL)
			return err;
	}
	return -EADDRNOTAVAIL;
}
