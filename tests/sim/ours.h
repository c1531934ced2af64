/* What the files about our own stack share. */
#pragma once

#include "net/tcp/tcp_sock.h"
#include "tests/sim/sim.h"

be32 our_addr(u8 side);
/* The family that TCP registered. */
extern const struct net_proto_family *our_inet;
/* Fails the seed if the connection block contradicts itself. */
void check_block(const struct tcp_sock *tp);
