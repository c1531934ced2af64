/*
 * AF_INET and AF_INET6: which protocol serves which socket type, and address
 * conversion between user space's forms and struct ip_addr.
 */
#pragma once

#include "net/ip_addr.h"
#include "net/socket.h"

/* The rows of the table: TCP and UDP register themselves at boot. */
struct inet_protosw {
	u16 type;
	u8 protocol;
	const struct proto_ops *ops;
	/* Allocates the sock for @family; NULL if memory is out. */
	struct sock *(*create)(u16 family);
};

int inet_register_protosw(const struct inet_protosw *sw);

/*
 * Reads a user address: family must be @family (AF_UNSPEC is the caller's
 * business). 0; -EINVAL (too short), -EAFNOSUPPORT.
 */
int inet_addr_in(u16 family, const struct sockaddr_storage *addr, u32 len,
		 struct ip_addr *ip, u16 *port) __must_check;
/* Writes one in @family's form; returns its length. */
u32 inet_addr_out(u16 family, const struct ip_addr *ip, u16 port,
		  struct sockaddr_storage *addr);

void inet_init(void);
