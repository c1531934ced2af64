/*
 * Names of AF_UNIX sockets (unix(7)): paths, abstract names that begin with a
 * zero byte, and those that the kernel picks. One hash table of all bound
 * socks; the program alone chooses names, so the hash need not be keyed.
 * Task context; unix_lock guards the table.
 */
#include "net/unix_internal.h"

#include "kernel/errno.h"
#include "kernel/mm/slab.h"
#include "kernel/random.h"
#include "kernel/string.h"
#include "net/socket_internal.h"

#define NAME_BUCKETS	256u
#define AUTO_DIGITS	5u
#define AUTO_NAMES	(1u << 20)

static struct hlist_head names[NAME_BUCKETS];	/* unix_lock */

/* FNV-1a. */
static u64 hash_bytes(const u8 *p, u32 n)
{
	u64 h = 0xcbf29ce484222325ull;

	for (u32 i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h ^ h >> 32;
}

void unix_addr_put(struct unix_addr *addr)
{
	if (!addr || !atomic_dec_and_test(&addr->refs))
		return;
	if (addr->path)
		sock_path_put(addr->key);
	kfree(addr);
}

u32 unix_copy_addr(const struct unix_sock *u, struct sockaddr_storage *addr)
{
	const struct unix_addr *name = READ_ONCE(u->addr);

	if (!name)
		return 0;
	memcpy(addr, name->sun, name->len);
	return name->len;
}

int unix_check_addr(const struct sockaddr_storage *addr, u32 len)
{
	if (len <= UNIX_NAME_OFF || len > UNIX_NAME_OFF + UNIX_PATH_MAX ||
	    addr->ss_family != AF_UNIX)
		return -EINVAL;
	return 0;
}

/*
 * Reads @addr, which is right, into @name. A path ends with its zero byte,
 * which need not have been given; an abstract name has all bytes given.
 */
static void read_name(struct unix_addr *name,
		      const struct sockaddr_storage *addr, u32 len)
{
	atomic_set(&name->refs, 1);
	memset(name->sun, 0, sizeof(name->sun));
	memcpy(name->sun, addr, len);
	name->path = name->sun[UNIX_NAME_OFF];
	name->len = len;
	if (name->path)
		name->len = UNIX_NAME_OFF + 1 +
			    (u32)strlen((char *)name->sun + UNIX_NAME_OFF);
	name->key = hash_bytes(name->sun, name->len);
}

/* Types have abstract names of their own; a path is one thing. */
static bool same_name(const struct unix_sock *u, const struct unix_addr *name,
		      u16 type)
{
	if (u->addr->key != name->key || u->addr->path != name->path)
		return false;
	if (name->path)
		return true;
	return u->sk.sk_type == type && u->addr->len == name->len &&
	       !memcmp(u->addr->sun, name->sun, name->len);
}

/* unix_lock. */
static struct unix_sock *find_locked(const struct unix_addr *name, u16 type)
{
	struct sock *sk;

	hlist_for_each_entry(sk, &names[name->key % NAME_BUCKETS], sk_node) {
		if (same_name(unix_sk(sk), name, type))
			return unix_sk(sk);
	}
	return NULL;
}

struct unix_sock *unix_find(const struct sockaddr_storage *addr, u32 len,
			    u16 type, int *err)
{
	struct unix_addr name;
	struct unix_sock *u;

	read_name(&name, addr, len);
	if (name.path) {
		*err = sock_path_find((char *)name.sun + UNIX_NAME_OFF,
				      &name.key);
		if (*err)
			return NULL;
	}
	spin_lock(&unix_lock);
	u = find_locked(&name, type);
	if (u && u->sk.sk_type == type)
		sock_hold(&u->sk);
	spin_unlock(&unix_lock);
	if (name.path)
		sock_path_put(name.key);
	*err = u ? -EPROTOTYPE : -ECONNREFUSED;
	return u && u->sk.sk_type == type ? u : NULL;
}

/* Takes @name over if it succeeds. -EINVAL: has one; -EADDRINUSE. */
static int give_name(struct unix_sock *u, struct unix_addr *name)
{
	int err = 0;

	spin_lock(&unix_lock);
	if (u->addr)
		err = -EINVAL;
	else if (find_locked(name, u->sk.sk_type))
		err = -EADDRINUSE;
	if (!err) {
		WRITE_ONCE(u->addr, name);
		hlist_add_head(&u->sk.sk_node,
			       &names[name->key % NAME_BUCKETS]);
	}
	spin_unlock(&unix_lock);
	return err;
}

void unix_unhash(struct unix_sock *u)
{
	hlist_del_init(&u->sk.sk_node);
}

/* A socket in the file system; a name refused leaves none behind. */
static int bind_path(struct unix_sock *u, struct unix_addr *name)
{
	const char *path = (char *)name->sun + UNIX_NAME_OFF;
	int err = sock_path_make(path, &name->key);

	if (err) {
		name->path = false;	/* it has no node to give back */
		return err;
	}
	err = give_name(u, name);
	if (err)
		sock_path_remove(path, name->key);
	return err;
}

int unix_bind(struct socket *sock, struct sockaddr_storage *addr, u32 len)
{
	struct unix_sock *u = unix_sk(sock->sk);
	struct unix_addr *name;
	int err;

	if (len == UNIX_NAME_OFF && addr->ss_family == AF_UNIX)
		return unix_autobind(u);
	err = unix_check_addr(addr, len);
	if (err)
		return err;
	name = kmalloc(sizeof(*name));
	if (!name)
		return -ENOMEM;
	read_name(name, addr, len);
	err = name->path ? bind_path(u, name) : give_name(u, name);
	if (err)
		unix_addr_put(name);
	return err;
}

/* An abstract name of five hexadecimal digits. */
static void auto_name(struct unix_addr *name, u32 n)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNIX };

	for (u32 i = 0; i < AUTO_DIGITS; i++)
		addr.data[1 + i] = (u8)"0123456789abcdef"
					[n >> 4 * (AUTO_DIGITS - 1 - i) & 15];
	read_name(name, &addr, UNIX_NAME_OFF + 1 + AUTO_DIGITS);
}

int unix_autobind(struct unix_sock *u)
{
	u32 first = get_random_u32();
	struct unix_addr *name;
	int err = -EADDRINUSE;

	if (READ_ONCE(u->addr))
		return 0;
	name = kmalloc(sizeof(*name));
	if (!name)
		return -ENOMEM;
	for (u32 i = 0; i < AUTO_NAMES && err == -EADDRINUSE; i++) {
		auto_name(name, (first + i) % AUTO_NAMES);
		err = give_name(u, name);
	}
	if (err)
		unix_addr_put(name);
	if (err == -EINVAL)	/* another thread was faster */
		return 0;
	return err ? -ENOSPC : 0;
}
