/*
 * UDP sockets (RFC 768) of AF_INET and AF_INET6.
 */
#pragma once

/* Registers with the inet table. Boot, after inet_init(). */
void udp_sockets_init(void);
