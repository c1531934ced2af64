/*
 * The simulator: a world of two hosts and a link, drawn from a seed. Side 0
 * is 10.0.0.1, side 1 is 10.0.0.2; one of them may be lwIP, else both are
 * sockets of our one stack. Time is host_now, and only events move it.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

#define MS	1000000ull
#define SEC	1000000000ull
#define NEVER	(~0ull)

#define SIM_CONNS	3
#define SIM_PORT	5000	/* connection i listens on SIM_PORT + i */

/* --- rng.c: numbers that depend on the seed alone --- */

struct rng {
	u64 state;
};

u64 rnd(struct rng *r);
/* 0 .. n - 1; 0 for n == 0. */
u64 below(struct rng *r, u64 n);
bool chance(struct rng *r, u32 per_mille);
/* 1 .. most, as often around ten as around a thousand. */
u64 log_size(struct rng *r, u64 most);

/* --- plan.c: what a seed means --- */

enum world_kind {
	OURS_OURS,
	OURS_TO_LWIP,		/* ours connects */
	LWIP_TO_OURS,
};

struct dir_plan {
	u32 loss, burst, dup, reorder, corrupt;	/* of 1000 packets */
	u64 delay, jitter;			/* ns */
	u64 ns_per_byte;
	u64 queue;				/* ns of sending, at most */
	u64 cut_from, cut_to;
	u16 mtu;				/* from mtu_at on */
	u64 mtu_at;
	bool mute;				/* no router says so */
};

enum ending {
	END_SHUTDOWN,		/* shutdown when all is sent, read to the end */
	END_CLOSE,		/* close once all is sent and some was read */
	END_RESET,		/* SO_LINGER of 0 */
};

struct app_plan {
	u32 to_send;
	u32 write_max, read_max;
	u64 write_pace, read_pace;	/* ns between two calls, at most */
	u64 read_after;			/* ns of silence at the start */
	u32 sndbuf, rcvbuf;		/* 0: default */
	u16 maxseg;
	bool nodelay, cork, keepalive;
	enum ending ending;
	u32 quit_at;		/* bytes moved before END_CLOSE, RESET */
};

struct conn_plan {
	struct app_plan app[2];
	u8 client;			/* side that connects */
	bool simultaneous;
	bool may_fail;
	u64 start;
};

struct plan {
	u64 seed;
	enum world_kind kind;
	struct dir_plan dir[2];		/* by the sender's side */
	struct conn_plan conn[SIM_CONNS];
	u32 nr_conns;
	u16 mtu;			/* of our device */
	u16 dma_us;			/* how long it holds a packet */
	bool tso, pieces;
	u8 strip;			/* option kinds 3, 4, 8 as bits 0..2 */
	u64 jump_at[2], jump_by[2];	/* the clock leaps ahead */
	u32 fail_alloc;			/* one of so many events; 0: none */
	u64 tight_from, tight_to;	/* memory_tight */
};

void plan_draw(struct plan *p, u64 seed);
void plan_print(const struct plan *p);

/* --- clock.c --- */

extern u64 host_now;

/* @fn(@arg) at time @when; those of one time in the order of the calls. */
void at(u64 when, void (*fn)(void *arg), void *arg);
/* The next timer or event happens. False: there is none before @limit. */
bool clock_step(u64 limit);
bool clock_idle(void);
/* Time passes and no timer fires, as when a machine is suspended. */
void clock_leap(u64 ns);

/* --- link.c --- */

void link_start(const struct plan *p);
/* Takes one IP packet of @len bytes from @side; copies it. */
void link_send(u8 side, const void *packet, u32 len);

/* --- wire.c: what a TCP of ours may put on the wire --- */

void wire_start(const struct plan *p);
void wire_sent(u8 side, const u8 *packet, u32 len);
void wire_delivered(u8 side_to, const u8 *packet, u32 len);
/* A FIN came from @side right behind byte @off of its stream. */
bool wire_fin_seen(u32 conn, u8 side, u64 off);
/* The byte stream of one direction, readable for 64 KiB from @off on. */
/* After so many it begins again. */
#define WIRE_PERIOD	65521u
const u8 *wire_pattern(u32 conn, u8 side, u64 off);

/* --- ends: a connection's end, ours or lwIP's --- */

struct end;

struct end_ops {
	/* Listens, or connects. 0 or -errno. */
	int (*open)(struct end *e, bool active);
	/* 1: connected, 0: not yet, else -errno. */
	int (*ready)(struct end *e);
	/* Bytes, 0 at the end of the stream, -EAGAIN or another -errno. */
	ssize_t (*send)(struct end *e, const void *buf, u32 n);
	ssize_t (*recv)(struct end *e, void *buf, u32 n);
	void (*shutdown)(struct end *e);
	void (*close)(struct end *e);
	void (*reset)(struct end *e);
	/* Between events: the invariants of the block. May be NULL. */
	void (*check)(struct end *e);
};

struct end {
	const struct end_ops *ops;
	const struct app_plan *app;
	struct end *peer;
	struct rng rng;
	u32 conn;
	u8 side;
	bool active;
	/* The application. */
	bool connected, shut, eof, done, failed;
	u64 sent, got;
	u64 next_write, next_read;
	/* Set by wakeups, cleared by -EAGAIN: edge-triggered epoll. */
	bool can_read, can_write, woken;
	/* The protocol's own. */
	void *sock, *listener, *queue;
	u32 queue_off;
	bool peer_fin;
	int err;
	u8 hook[64] __aligned(8);
};

extern const struct end_ops our_end, lwip_end;

/* Every side's start in a fresh process, and what is left at the end. */
void ours_init(void);
void ours_start(const struct plan *p);
void ours_rcv(const u8 *packet, u32 len);
void ours_icmp(const u8 *packet, u16 mtu);
/* True if connections or records are left. */
bool ours_busy(bool print);
/* What our stack threw away, by reason. */
void ours_print_drops(void);
unsigned long ours_leaked(void);
void ours_fail_alloc(u32 nth);
void ours_tight(bool on);
void lwip_start(const struct plan *p);
void lwip_rcv(const u8 *packet, u32 len);
bool lwip_busy(void);
unsigned long lwip_leaked(void);

/* --- world.c, app.c --- */

void world_run(u64 seed, bool verbose);
void app_start(struct end *e);
void app_run(struct end *e, const struct conn_plan *c);
/* When the application wants to go on by itself. */
u64 app_next(const struct end *e);
/* Something was achieved; the watchdog of world.c looks at it. */
extern u64 app_progress_at;

/* --- main.c, trace.c: shared with the parent process --- */

/* Made on purpose, to see that somebody complains; see fault.c. */
enum fault {
	NO_FAULT, FAULT_SENT, FAULT_WINDOW, FAULT_ACK, FAULT_SHRINK,
	FAULT_READ, FAULT_STUCK, FAULT_LEAK, NR_FAULTS,
};

enum fate { SENT, LOST, CORRUPTED, REPEATED, TOO_BIG, NR_FATES };

struct trace_record {
	u64 at;
	u16 len, kept;
	u8 side, fate;
	u8 bytes[92];
};

#define TRACE_MAX 262144u

struct sim_shared {
	char failure[1024];
	u64 packets, bytes, virtual_ns, resets;
	u32 fail_conn;
	enum fault fault;
	bool tracing;
	u32 nr_traced;
	struct trace_record traced[TRACE_MAX];
};

extern struct sim_shared *shared;

/* Ends this seed's process; the seed has failed. */
void sim_fail(const char *fmt, ...)
	__attribute__((noreturn, cold, format(printf, 1, 2)));
/* NO_FAULT: there is none of that name. */
enum fault fault_by_name(const char *name);
void fault_start(void);
/* What our side sends, or that with the fault in it. */
const u8 *fault_sent(const u8 *packet, u32 len);
/* The same for what the peer gets. */
void fault_on_the_way(u8 *packet, u32 len);
/* Everything is lost from now on. */
bool fault_loses(void);
void trace_packet(u8 side, enum fate fate, const u8 *packet, u32 len);
/* Files from what was traced. */
void trace_write_pcap(const char *path);
void trace_write_svg(const char *path, u32 conn);
