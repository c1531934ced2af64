/*
 * Counters in Prometheus' text format, served by a kernel task through the
 * socket layer, one scrape at a time. What means the same as on Linux has the
 * name that node_exporter's collectors (netstat, sockstat, meminfo, netdev)
 * give it, so that dashboards made for them work; the rest is pollux_*.
 */
#include "net/metrics.h"

#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/string.h"
#include "kernel/time.h"
#include "kernel/watchdog.h"
#include "net/dev.h"
#include "net/drop.h"
#include "net/snmp.h"
#include "net/sock.h"
#include "net/socket_internal.h"
#include "net/tcp/tcp_proc.h"

#define PAGE_TEXT	32768		/* room for all that is printed */
#define REQUEST_MAX	1024		/* bytes of a request we look at */
#define PATIENCE	2000		/* ms that a peer may keep us waiting */
#define BACKLOG		8

typedef unsigned long long ull;

/* ---- what is told ---- */

static void head(struct seq_file *m, const char *name, const char *type)
{
	seq_printf(m, "# TYPE %s %s\n", name, type);
}

static void gauge(struct seq_file *m, const char *name, u64 value)
{
	head(m, name, "gauge");
	seq_printf(m, "%s %llu\n", name, (ull)value);
}

/* node_exporter does not say what those of /proc/net are: "untyped". */
static void show_snmp(struct seq_file *m)
{
	struct snmp_walk w = { 0 };
	char name[64];

	while (snmp_next(&w)) {
		snprintf(name, sizeof(name), "node_netstat_%s_%s", w.group,
			 w.name);
		head(m, name, "untyped");
		seq_printf(m, "%s %lld\n", name,
			   (long long)snmp_value(w.which));
	}
}

static void show_memory(struct seq_file *m)
{
	u64 free = nr_free_pages() * PAGE_SIZE;

	gauge(m, "node_memory_MemTotal_bytes", nr_total_pages() * PAGE_SIZE);
	gauge(m, "node_memory_MemFree_bytes", free);
	gauge(m, "node_memory_MemAvailable_bytes", free);
}

static void show_drops(struct seq_file *m)
{
	head(m, "pollux_drops_total", "counter");
	for (u32 i = 0; i < NR_DROP_REASONS; i++)
		seq_printf(m, "pollux_drops_total{reason=\"%s\"} %llu\n",
			   drop_name(i), (ull)this_cpu_read(drop_counts[i]));
}

static void show_watchdog(struct seq_file *m)
{
	head(m, "pollux_watchdog_total", "counter");
	for (u32 i = 0; i < NR_WATCHDOG_CASES; i++)
		seq_printf(m, "pollux_watchdog_total{case=\"%s\"} %u\n",
			   watchdog_names[i], watchdog_counts[i]);
}

/* What sockstat shows is how many objects some caches have given out. */
struct in_use {
	struct seq_file *m;
	u64 socket, tcp_sock, tcp_mini;
};

static void show_cache(const struct slab_info *info, void *arg)
{
	struct in_use *use = arg;

	seq_printf(use->m, "pollux_slab_objects{cache=\"%s\"} %llu\n",
		   info->name, (ull)info->active);
	if (!strcmp(info->name, "socket"))
		use->socket = info->active;
	else if (!strcmp(info->name, "tcp_sock"))
		use->tcp_sock = info->active;
	else if (!strcmp(info->name, "tcp_mini"))
		use->tcp_mini = info->active;
}

static void show_objects(struct seq_file *m)
{
	struct in_use use = { .m = m };

	head(m, "pollux_slab_objects", "gauge");
	slab_for_each(show_cache, &use);
	gauge(m, "node_sockstat_sockets_used", use.socket);
	gauge(m, "node_sockstat_TCP_inuse", use.tcp_sock);
	gauge(m, "node_sockstat_TCP_alloc", use.tcp_sock);
	gauge(m, "node_sockstat_TCP_tw", use.tcp_mini);
}

/* One series of a family for each device. */
struct dev_series {
	struct seq_file *m;
	const char *name;
	size_t offset;		/* of a u64 in struct net_device */
};

static void show_dev(struct net_device *dev, void *arg)
{
	const struct dev_series *s = arg;
	u64 value;

	memcpy(&value, (const char *)dev + s->offset, sizeof(value));
	seq_printf(s->m, "%s{device=\"%s\"} %llu\n", s->name, dev->name,
		   (ull)value);
}

static void show_devices(struct seq_file *m)
{
	const struct dev_series series[] = {
		{ m, "node_network_receive_packets_total",
		  offsetof(struct net_device, rx_packets) },
		{ m, "node_network_receive_bytes_total",
		  offsetof(struct net_device, rx_bytes) },
		{ m, "node_network_transmit_packets_total",
		  offsetof(struct net_device, tx_packets) },
		{ m, "node_network_transmit_bytes_total",
		  offsetof(struct net_device, tx_bytes) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(series); i++) {
		head(m, series[i].name, "counter");
		dev_for_each(show_dev, (void *)&series[i]);
	}
}

void metrics_show(struct seq_file *m)
{
	show_snmp(m);
	show_objects(m);
	show_memory(m);
	show_devices(m);
	show_drops(m);
	show_watchdog(m);
}

/* ---- serving it ---- */

static ssize_t receive(struct socket *sock, char *buf, size_t len)
{
	struct msghdr msg;

	msg_init(&msg, 0);
	iov_iter_kbuf(&msg.msg_iter, buf, len);
	return sock->ops->recvmsg(sock, &msg, false);
}

static void send_all(struct socket *sock, char *buf, size_t len)
{
	struct msghdr msg;
	ssize_t n;

	for (; len; buf += n, len -= (size_t)n) {
		msg_init(&msg, MSG_NOSIGNAL);
		iov_iter_kbuf(&msg.msg_iter, buf, len);
		n = sock->ops->sendmsg(sock, &msg, false);
		if (n <= 0)
			return;
	}
}

/* A whole request, or its beginning if it is long; false: none came. */
static bool read_request(struct socket *sock, char *buf)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = receive(sock, buf + len, REQUEST_MAX - 1 - len);
		if (n <= 0)
			return false;
		len += (size_t)n;
		buf[len] = '\0';
	} while (!strstr(buf, "\r\n\r\n") && len < REQUEST_MAX - 1);
	return true;
}

static void answer(struct socket *sock, const char *request,
		   struct seq_file *m)
{
	bool found = !strncmp(request, "GET /metrics ", 13) ||
		     !strncmp(request, "GET / ", 6);
	char line[128];
	int n;

	m->len = 0;
	if (found)
		metrics_show(m);
	else
		seq_puts(m, "It is at /metrics.\n");
	if (m->overflow)
		pr_err("metrics: more than %zu bytes: the end is missing",
		       m->size);
	n = snprintf(line, sizeof(line),
		     "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r"
		     "\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		     found ? "200 OK" : "404 Not Found", m->len);
	send_all(sock, line, (size_t)n);
	send_all(sock, m->buf, m->len);
}

/* One connection from accept to close; the buffer is there only meanwhile. */
static void serve(struct socket *sock)
{
	struct seq_file m = { .buf = kmalloc(PAGE_TEXT), .size = PAGE_TEXT };

	if (!m.buf)
		return;
	sock->sk->sk_rcvtimeo = PATIENCE;
	sock->sk->sk_sndtimeo = PATIENCE;
	if (read_request(sock, m.buf)) {
		char request[16];

		strlcpy(request, m.buf, sizeof(request));
		answer(sock, request, &m);
	}
	kfree(m.buf);
}

/* A listening socket on @port of all addresses; NULL, and says why. */
static struct socket *listen_on(u16 port)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr_in in;
	} addr = { .in = { .sin_family = AF_INET,
			   .sin_port = cpu_to_be16(port) } };
	struct socket *sock;
	int err = sock_create(AF_INET, SOCK_STREAM, 0, &sock);

	if (!err) {
		err = sock->ops->bind(sock, &addr.any, sizeof(addr.in));
		if (!err)
			err = sock->ops->listen(sock, BACKLOG);
		if (!err)
			return sock;
		sock_release(sock);
	}
	pr_err("metrics: cannot listen on port %u (error %d): give another "
	       "one", port, -err);
	return NULL;
}

static void metrics_loop(void *arg)
{
	struct socket *listener = listen_on((u16)(unsigned long)arg);

	if (listener)
		pr_info("metrics: on port %u", (u32)(unsigned long)arg);
	while (listener) {
		struct socket *sock = sock_alloc();

		if (!sock) {
			set_current_state(TASK_UNINTERRUPTIBLE);
			schedule_hrtimeout_range(
				ktime_get_ns() + PATIENCE * NSEC_PER_MSEC, 0);
			continue;
		}
		sock->type = listener->type;
		sock->ops = listener->ops;
		if (!listener->ops->accept(listener, sock, false))
			serve(sock);
		sock_release(sock);
	}
}

static u64 metrics_port;		/* written once, at boot; 0: none */

static int metrics_param(const char *val)
{
	u64 port;

	if (!val || parse_u64(val, &port) || !port || port > 0xffff)
		return -EINVAL;
	metrics_port = port;
	return 0;
}
KERNEL_PARAM("metrics", metrics_param, "a TCP port, as in metrics=9100");

void metrics_start(void)
{
	if (metrics_port && !kthread_run(metrics_loop, (void *)metrics_port,
					 "metrics"))
		pr_err("metrics: no memory for the task; give the machine "
		       "more");
}
