/*
 * lwIP's own TCP as the peer that we did not write, through its raw API; and
 * what lwIP asks of a port. Its names clash with ours: the Makefile hides all
 * but those that sim.h declares.
 */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwip/init.h"
#include "lwip/ip4.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

#include "kernel/errno.h"

u32 csum_partial(const void *data, u32 len, u32 sum);
u16 csum_fold(u32 sum);

static struct netif netif;
static struct rng rng;
static unsigned long outstanding;

/* --- the port --- */

u32_t sys_now(void)
{
	return (u32_t)(host_now / MS);
}

void tcp_timer_needed(void)
{
}

u16 lwip_port_chksum(const void *data, int len)
{
	return (u16)~csum_fold(csum_partial(data, (u32)len, 0));
}

u32 lwip_port_rand(void)
{
	return (u32)rnd(&rng);
}

/*
 * tcp_split_unsent_seg() of 2.1.3: lwIP has sent beyond our window and has
 * nothing left to probe it with. Its fault, and the end of this world.
 */
#define SPLIT_TO_NOTHING 851

void lwip_port_assert(int line)
{
	if (line == SPLIT_TO_NOTHING)
		_exit(0);
	sim_fail("lwIP asserts in line %d", line);
}

void *lwip_port_malloc(size_t size)
{
	outstanding++;
	return malloc(size);
}

void *lwip_port_calloc(size_t n, size_t size)
{
	outstanding++;
	return calloc(n, size);
}

void lwip_port_free(void *p)
{
	outstanding -= p != NULL;
	free(p);
}

static err_t output(struct netif *nif, struct pbuf *p, const ip4_addr_t *to)
{
	static u8 wire[65536];

	link_send(1, wire, pbuf_copy_partial(p, wire, p->tot_len, 0));
	return ERR_OK;
}

static err_t netif_up(struct netif *nif)
{
	nif->mtu = 1500;
	nif->output = output;
	nif->flags = NETIF_FLAG_UP | NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

static void tick(void *arg)
{
	tcp_tmr();
	at(host_now + TCP_TMR_INTERVAL * MS, tick, NULL);
}

void lwip_start(const struct plan *p)
{
	ip4_addr_t ip, mask, gw;

	rng.state = p->seed ^ 0x1319;
	lwip_init();
	IP4_ADDR(&ip, 10, 0, 0, 2);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	ip4_addr_set_zero(&gw);
	netif_add(&netif, &ip, &mask, &gw, NULL, netif_up, ip4_input);
	netif_set_default(&netif);
	netif_set_up(&netif);
	netif_set_link_up(&netif);
	outstanding = 0;
	at(host_now, tick, NULL);
}

void lwip_rcv(const u8 *packet, u32 len)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);

	if (!p)
		abort();
	pbuf_take(p, packet, (u16_t)len);
	ip4_input(p, &netif);
}

bool lwip_busy(void)
{
	return tcp_active_pcbs || tcp_tw_pcbs;
}

unsigned long lwip_leaked(void)
{
	return outstanding;
}

/* --- callbacks --- */

static int error_of(err_t err)
{
	return err == ERR_RST ? -ECONNRESET : err == ERR_ABRT ? -ETIMEDOUT
							      : -EPIPE;
}

static void on_error(void *arg, err_t err)
{
	struct end *e = arg;

	if (!e)
		return;
	e->sock = NULL;
	e->err = error_of(err);
	e->can_read = true;
	e->can_write = true;
}

static err_t on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
			err_t err)
{
	struct end *e = arg;

	e->can_read = true;
	if (!p)
		e->peer_fin = true;
	else if (e->queue)
		pbuf_cat(e->queue, p);
	else
		e->queue = p;
	return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct end *e = arg;

	e->can_write = true;
	return ERR_OK;
}

static void adopt(struct end *e, struct tcp_pcb *pcb)
{
	e->sock = pcb;
	e->can_read = true;
	e->can_write = true;
	tcp_arg(pcb, e);
	tcp_err(pcb, on_error);
	tcp_recv(pcb, on_receive);
	tcp_sent(pcb, on_sent);
	if (e->app->nodelay)
		tcp_nagle_disable(pcb);
	if (e->app->keepalive) {
		ip_set_option(pcb, SOF_KEEPALIVE);
		pcb->keep_idle = 10000;
	}
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct end *e = arg;

	e->woken = true;
	return ERR_OK;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct end *e = arg;

	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	adopt(e, pcb);
	e->woken = true;
	return ERR_OK;
}

/* --- the end --- */

static int end_open(struct end *e, bool active)
{
	struct tcp_pcb *pcb = tcp_new();
	u16 port = (u16)(SIM_PORT + e->conn);
	ip_addr_t peer;

	if (!pcb)
		abort();
	ip_set_option(pcb, SOF_REUSEADDR);
	if (!active) {
		tcp_bind(pcb, IP_ADDR_ANY, port);
		e->listener = tcp_listen(pcb);
		tcp_arg(e->listener, e);
		tcp_accept((struct tcp_pcb *)e->listener, on_accept);
		return 0;
	}
	adopt(e, pcb);
	IP4_ADDR(&peer, 10, 0, 0, 1);
	return tcp_connect(pcb, &peer, port, on_connected) ? -EIO : 0;
}

static int end_ready(struct end *e)
{
	if (e->err)
		return e->err;
	return e->sock && e->woken;
}

static ssize_t end_send(struct end *e, const void *buf, u32 n)
{
	struct tcp_pcb *pcb = e->sock;
	err_t err;

	if (!pcb)
		return e->err ? e->err : -EPIPE;
	n = min(n, (u32)tcp_sndbuf(pcb));
	if (!n)
		return -EAGAIN;
	err = tcp_write(pcb, buf, (u16_t)min(n, 65535u), TCP_WRITE_FLAG_COPY);
	if (err == ERR_MEM)
		return -EAGAIN;
	if (err != ERR_OK)
		return error_of(err);
	tcp_output(pcb);
	return n;
}

static ssize_t end_recv(struct end *e, void *buf, u32 n)
{
	struct pbuf *p = e->queue;

	if (p) {
		n = min(min(n, (u32)p->tot_len), 65535u);
		n = pbuf_copy_partial(p, buf, (u16_t)n, 0);
		e->queue = pbuf_free_header(p, (u16_t)n);
		if (e->sock)
			tcp_recved(e->sock, (u16_t)n);
		return n;
	}
	if (e->peer_fin)
		return 0;
	return e->err ? e->err : -EAGAIN;
}

static void end_shutdown(struct end *e)
{
	if (e->sock)
		tcp_shutdown(e->sock, 0, 1);
}

/* Nothing of it may call back any more. */
static struct tcp_pcb *let_go(struct end *e)
{
	struct tcp_pcb *pcb = e->sock;

	if (e->queue)
		pbuf_free(e->queue);
	e->queue = NULL;
	e->sock = NULL;
	if (e->listener)
		tcp_close(e->listener);
	e->listener = NULL;
	if (pcb) {
		tcp_arg(pcb, NULL);
		tcp_err(pcb, NULL);
		tcp_recv(pcb, NULL);
		tcp_sent(pcb, NULL);
	}
	return pcb;
}

static void end_close(struct end *e)
{
	struct tcp_pcb *pcb = let_go(e);

	if (pcb && tcp_close(pcb) != ERR_OK)
		tcp_abort(pcb);
}

static void end_reset(struct end *e)
{
	struct tcp_pcb *pcb = let_go(e);

	if (pcb)
		tcp_abort(pcb);
}

const struct end_ops lwip_end = {
	.open = end_open,
	.ready = end_ready,
	.send = end_send,
	.recv = end_recv,
	.shutdown = end_shutdown,
	.close = end_close,
	.reset = end_reset,
};
