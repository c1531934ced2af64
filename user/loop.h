/*
 * One epoll loop for the servers here: listening, accepting, reading, and
 * output that the peer is slow to take. A server adds its protocol as one
 * function that is called with what has arrived.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conn;

struct service {
	const char *name;
	uint16_t port;		/* unless the first argument names another */
	/*
	 * @data holds all @len bytes that came and were not consumed yet.
	 * Returns how many are done with; the rest comes again, in front of
	 * whatever arrives next.
	 */
	size_t (*input)(struct conn *conn, const char *data, size_t len);
};

/* Sends @data, now or as soon as the peer takes it. Copies what must wait. */
void conn_send(struct conn *conn, const char *data, size_t len);

/* No more output after what was sent: the peer reads it, then end of file. */
void conn_finish(struct conn *conn);

/* The most that @input is ever given at once: larger requests cannot be. */
#define INPUT_MAX	65536

/* Serves for ever; returns an exit code if it cannot. */
int serve(const struct service *service, int argc, char **argv);
