/*
 * A system call as text, by the tables of kernel/strace_names.c. User memory
 * is read with care: what cannot be read is shown as its address, as
 * strace(1) does. Called after the call, in the task that made it.
 */
#include "kernel/strace.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/names.h"
#include "kernel/printk.h"
#include "kernel/strace_names.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"

#define STRING_SHOWN	32	/* as strace -s has it by default */
#define EVENTS_SHOWN	4
#define IOVECS_SHOWN	4
#define AT_FDCWD	(-100)
#define AF_INET		2
#define AF_INET6	10
#define MAX_ERRNO	4095

/* Text that grows until @size and is then cut. */
struct text {
	char *buf;
	size_t size, len;
};

static __printf(2, 3) void put(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, args);
	va_end(args);
	if (n > 0)
		t->len = min(t->len + (size_t)n, t->size - 1);
}

/* Reads one entry of a table: its name and, in @value, what it stands for. */
static const char *read_name(const char *entry, u32 *value)
{
	u32 base = 10;

	*value = 0;
	if (entry[0] == '0' && entry[1] == 'x') {
		base = 16;
		entry += 2;
	}
	for (; *entry != ' '; entry++) {
		u32 digit = (u32)*entry - (*entry <= '9' ? '0' : 'a' - 10);

		*value = *value * base + digit;
	}
	return entry + 1;
}

static const char *next_name(const char *name)
{
	return name + strlen(name) + 1;
}

static const char *find_name(const char *names, u32 value)
{
	const char *name;
	u32 v;

	for (; *names; names = next_name(name)) {
		name = read_name(names, &v);
		if (v == value)
			return name;
	}
	return NULL;
}

static void put_name(struct text *t, const char *names, u64 value)
{
	const char *name = find_name(names, (u32)value);

	if (name)
		put(t, "%s", name);
	else
		put(t, "%#llx", (unsigned long long)value);
}

/* Names of the bits joined by |, the rest in hex; @none if there are none. */
static void put_flags(struct text *t, const char *names, u64 value,
		      const char *none)
{
	const char *name, *sep = "";
	u32 bits;

	if (!value)
		put(t, "%s", none);
	for (; *names; names = next_name(name)) {
		name = read_name(names, &bits);
		if (!(value & bits))
			continue;
		put(t, "%s%s", sep, name);
		value &= ~(u64)bits;
		sep = "|";
	}
	if (value)
		put(t, "%s%#llx", sep, (unsigned long long)value);
}

static void put_pointer(struct text *t, u64 p)
{
	if (p)
		put(t, "%#llx", (unsigned long long)p);
	else
		put(t, "NULL");
}

static void put_hex(struct text *t, u64 value)
{
	put(t, value ? "%#llx" : "%llx", (unsigned long long)value);
}

static void put_char(struct text *t, u8 c)
{
	static const char special[] = "\nn\tt\rr\"\"\\\\";
	const char *s;

	for (s = special; *s; s += 2) {
		if (*s == (char)c) {
			put(t, "\\%c", s[1]);
			return;
		}
	}
	if (c >= ' ' && c < 127)
		put(t, "%c", c);
	else
		put(t, "\\%o", c);
}

/* @len bytes of the user's as a C string, cut as strace does. */
static void put_bytes(struct text *t, u64 from, u64 len)
{
	u8 bytes[STRING_SHOWN];
	size_t shown = min(len, sizeof(bytes));

	if (!from || copy_from_user(bytes, (const void __user *)from, shown)) {
		put_pointer(t, from);
		return;
	}
	put(t, "\"");
	for (size_t i = 0; i < shown; i++)
		put_char(t, bytes[i]);
	put(t, len > shown ? "\"..." : "\"");
}

static void put_path(struct text *t, u64 from)
{
	char path[128];
	ssize_t n = from ? strncpy_from_user(path, (const char __user *)from,
					     sizeof(path)) : -EFAULT;

	if (n < 0)
		put_pointer(t, from);
	else
		put(t, n < (ssize_t)sizeof(path) ? "\"%.*s\"" : "\"%.*s\"...",
		    (int)n, path);
}

static u32 port_of(const u8 *addr)
{
	return (u32)addr[2] << 8 | addr[3];
}

static void put_addr6(struct text *t, const u8 *a)
{
	put(t, "{sa_family=AF_INET6, sin6_port=htons(%u), sin6_addr=\"",
	    port_of(a));
	for (int i = 0; i < 16; i += 2)
		put(t, "%s%x", i ? ":" : "",
		    (unsigned int)a[8 + i] << 8 | a[9 + i]);
	put(t, "\"}");
}

/* A sockaddr of @len bytes at @from. */
static void put_addr(struct text *t, u64 from, u64 len)
{
	u8 a[28];
	u16 family;

	if (!from || len < sizeof(family) ||
	    copy_from_user(a, (const void __user *)from,
			   min(len, sizeof(a)))) {
		put_pointer(t, from);
		return;
	}
	memcpy(&family, a, sizeof(family));
	if (family == AF_INET && len >= 16) {
		put(t, "{sa_family=AF_INET, sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")}",
		    port_of(a), a[4], a[5], a[6], a[7]);
	} else if (family == AF_INET6 && len >= sizeof(a)) {
		put_addr6(t, a);
	} else {
		put(t, "{sa_family=");
		put_name(t, strace_families, family);
		put(t, ", ...}");
	}
}

/* An int in user memory, in brackets. */
static void put_int_at(struct text *t, u64 from)
{
	s32 value;

	if (!from || copy_from_user(&value, (const void __user *)from,
				    sizeof(value)))
		put_pointer(t, from);
	else
		put(t, "[%d]", value);
}

static void put_addr_out(struct text *t, u64 from, u64 len_at, long ret)
{
	s32 len;

	if (ret < 0 || !from || !len_at ||
	    copy_from_user(&len, (const void __user *)len_at, sizeof(len)))
		put_pointer(t, from);
	else
		put_addr(t, from, (u32)len);
}

/* epoll_event as user space lays it out. */
struct user_event {
	u32 events;
	u64 data;
} __packed;

static void put_event(struct text *t, u64 from)
{
	struct user_event ev;

	if (!from || copy_from_user(&ev, (const void __user *)from,
				    sizeof(ev))) {
		put_pointer(t, from);
		return;
	}
	put(t, "{events=");
	put_flags(t, strace_epoll_events, ev.events, "0");
	put(t, ", data={u32=%u, u64=%llu}}", (u32)ev.data,
	    (unsigned long long)ev.data);
}

static void put_events(struct text *t, u64 from, long n)
{
	if (n < 0) {
		put_pointer(t, from);
		return;
	}
	put(t, "[");
	for (long i = 0; i < n && i < EVENTS_SHOWN; i++) {
		put(t, "%s", i ? ", " : "");
		put_event(t, from + i * sizeof(struct user_event));
	}
	put(t, n > EVENTS_SHOWN ? ", ...]" : "]");
}

/* @limit: bytes that there are in all of them. */
static void put_iovecs(struct text *t, u64 from, u64 n, u64 limit)
{
	u64 vec[2];

	put(t, "[");
	for (u64 i = 0; i < n && i < IOVECS_SHOWN; i++) {
		if (copy_from_user(vec, (const void __user *)
				   (from + i * sizeof(vec)), sizeof(vec)))
			break;
		put(t, "%s{iov_base=", i ? ", " : "");
		put_bytes(t, vec[0], min(vec[1], limit));
		limit -= min(vec[1], limit);
		put(t, ", iov_len=%llu}", (unsigned long long)vec[1]);
	}
	put(t, n > IOVECS_SHOWN ? ", ...]" : "]");
}

static void put_timespec(struct text *t, u64 from)
{
	s64 ts[2];

	if (!from || copy_from_user(ts, (const void __user *)from, sizeof(ts)))
		put_pointer(t, from);
	else
		put(t, "{tv_sec=%lld, tv_nsec=%lld}", (long long)ts[0],
		    (long long)ts[1]);
}

static void put_fd_pair(struct text *t, u64 from, long ret)
{
	s32 fd[2];

	if (ret < 0 || copy_from_user(fd, (const void __user *)from,
				      sizeof(fd)))
		put_pointer(t, from);
	else
		put(t, "[%d, %d]", fd[0], fd[1]);
}

static void put_open_flags(struct text *t, u64 value)
{
	static const char *const modes[] = {
		"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE",
	};

	put(t, "%s", modes[value & 3]);
	if (value & ~3ull) {
		put(t, "|");
		put_flags(t, strace_open_flags, value & ~3ull, "");
	}
}

static void put_sock_type(struct text *t, u64 value)
{
	put_name(t, strace_sock_types, value & 0xf);
	if (value & ~0xfull) {
		put(t, "|");
		put_flags(t, strace_sock_flags, value & ~0xfull, "");
	}
}

static void put_option(struct text *t, u64 level, u64 option)
{
	if (level == 1)
		put_name(t, strace_socket_options, option);
	else if (level == 6)
		put_name(t, strace_tcp_options, option);
	else
		put_hex(t, option);
}

/* Arguments that are a name or a set of them. False: it is none of these. */
static bool put_named(struct text *t, enum strace_arg kind, u64 v)
{
	static const struct {
		u8 kind;
		bool is_set;
		const char *none;
		const char *names;
	} kinds[] = {
		{ SA_FAMILY, false, NULL, strace_families },
		{ SA_EPOLL_OP, false, NULL, strace_epoll_ops },
		{ SA_SHUT_HOW, false, NULL, strace_shut_hows },
		{ SA_CLOCK, false, NULL, strace_clocks },
		{ SA_LEVEL, false, NULL, strace_levels },
		{ SA_SIGNAL, false, NULL, strace_signals },
		{ SA_FCNTL, false, NULL, strace_fcntls },
		{ SA_PROTOCOL, false, NULL, strace_protocols },
		{ SA_ARCH_PRCTL, false, NULL, strace_arch_prctls },
		{ SA_FLAGS_PROT, true, "PROT_NONE", strace_prot_flags },
		{ SA_FLAGS_MAP, true, "0", strace_map_flags },
		{ SA_FLAGS_EPOLL, true, "0", strace_epoll_flags },
		{ SA_FLAGS_MSG, true, "0", strace_msg_flags },
		{ SA_FLAGS_FD, true, "0", strace_fd_flags },
		{ SA_FLAGS_ACCEPT, true, "0", strace_sock_flags },
	};

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].kind != kind)
			continue;
		if (kinds[i].is_set)
			put_flags(t, kinds[i].names, v, kinds[i].none);
		else
			put_name(t, kinds[i].names, v);
		return true;
	}
	return false;
}

/* What needs its neighbours or user memory. False: a plain number. */
static bool put_structured(struct text *t, enum strace_arg kind,
			   const struct strace_call *call, int i)
{
	u64 v = call->arg[i];
	u64 next = i < 5 ? call->arg[i + 1] : 0;

	switch ((int)kind) {
	case SA_PATH: put_path(t, v); return true;
	case SA_BYTES_IN: put_bytes(t, v, next); return true;
	case SA_BYTES_OUT:
		if (call->ret < 0)
			put_pointer(t, v);
		else
			put_bytes(t, v, (u64)call->ret);
		return true;
	case SA_ADDR_IN: put_addr(t, v, next); return true;
	case SA_ADDR_OUT: put_addr_out(t, v, next, call->ret); return true;
	case SA_LEN_OUT: put_int_at(t, v); return true;
	case SA_INT_IN: put_int_at(t, v); return true;
	case SA_EVENT_IN: put_event(t, v); return true;
	case SA_EVENTS_OUT: put_events(t, v, call->ret); return true;
	case SA_IOVEC_IN: put_iovecs(t, v, next, UINT64_MAX); return true;
	case SA_IOVEC_OUT:
		put_iovecs(t, v, next, call->ret < 0 ? 0 : (u64)call->ret);
		return true;
	case SA_TIMESPEC: put_timespec(t, v); return true;
	case SA_FD_PAIR: put_fd_pair(t, v, call->ret); return true;
	case SA_FLAGS_OPEN: put_open_flags(t, v); return true;
	case SA_SOCK_TYPE: put_sock_type(t, v); return true;
	case SA_OPTION: put_option(t, call->arg[i - 1], v); return true;
	default: return false;
	}
}

static void put_arg(struct text *t, enum strace_arg kind,
		    const struct strace_call *call, int i)
{
	u64 v = call->arg[i];

	if (put_structured(t, kind, call, i) || put_named(t, kind, v))
		return;
	switch ((int)kind) {
	case SA_DIRFD:
		if ((s32)v == AT_FDCWD) {
			put(t, "AT_FDCWD");
			break;
		}
		put(t, "%d", (s32)v);
		break;
	case SA_INT:
		put(t, "%d", (s32)v);
		break;
	case SA_UINT:
		put(t, "%llu", (unsigned long long)v);
		break;
	case SA_OCTAL:
		put(t, "0%o", (u32)v);
		break;
	case SA_HEX:
		put_hex(t, v);
		break;
	default:
		put_pointer(t, v);
		break;
	}
}

/* The letters of @nr, NULL if it is not in the table. */
static const char *signature(u64 nr)
{
	for (u32 i = 0; i < strace_nr_signatures; i++) {
		if (strace_signatures[i].nr == nr)
			return strace_signatures[i].args;
	}
	return NULL;
}

void strace_format(const struct strace_call *call, char *buf, size_t size)
{
	struct text t = { .buf = buf, .size = size - 1 };
	const char *args;

	unpack_names();
	args = signature(call->nr);
	if (!args)
		args = "xxxxxx";
	if (*args == '=')
		args++;
	put(&t, "%s(", syscall_name(call->nr));
	for (int i = 0; args[i]; i++) {
		put(&t, "%s", i ? ", " : "");
		put_arg(&t, (enum strace_arg)args[i], call, i);
	}
	/* There is room for it even if the rest was cut. */
	t.size = size;
	put(&t, ")");
}

void strace_format_result(const struct strace_call *call, char *buf,
			  size_t size)
{
	struct text t = { .buf = buf, .size = size };
	const char *args = signature(call->nr);
	long ret = call->ret;

	if (ret < 0 && ret >= -MAX_ERRNO) {
		put(&t, ret == -ERESTARTSYS ? "= ? " : "= -1 ");
		put_name(&t, strace_errnos, (u64)-ret);
	} else if (args && *args == '=') {
		put(&t, "= ");
		put_hex(&t, (u64)ret);
	} else {
		put(&t, "= %ld", ret);
	}
}
