/*
 * System calls tried one by one, each printing what it returned. The program
 * runs on the host's Linux and in the guest, and must print the same there:
 * so nothing may be printed that is not the ABI (times, ephemeral ports).
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>

struct abi_case {
	const char *name;
	void (*run)(void);
	struct abi_case *next;
};

void abi_register(struct abi_case *c);

/* Defines a case. Every line it prints starts with its name. */
#define CASE(fn)							\
	static void fn(void);						\
	__attribute__((constructor)) static void fn##_register(void)	\
	{								\
		static struct abi_case c = { #fn, fn, NULL };		\
									\
		abi_register(&c);					\
	}								\
	static void fn(void)

/* Prints "case: text". */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints the call as it stands in the source, and its result or its errno. */
#define TRY(call) ({ errno = 0; try_result(#call, (call)); })
long try_result(const char *call, long ret);

/* The same, but of a success only that it was one. */
#define OK(call) ({ errno = 0; ok_result(#call, (call)); })
long ok_result(const char *call, long ret);

const char *errno_name(int err);

/* Pointers that no call may follow. */
#define BAD_LOW		((void *)8)
#define BAD_HOLE	((void *)0x10000)
#define BAD_NONCANON	((void *)0x8000000000000000)
#define BAD_KERNEL	((void *)0xffffffff80000000)

/* Until all threads but this one have slept for a moment. */
void until_others_sleep(void);

/* ---- Sockets on 127.0.0.1 ---- */

struct sockaddr_in loopback(uint16_t port);

/* A listening, non-blocking TCP socket on any port, which it sets. */
int listener(uint16_t *port);

/* A connection: fd[0] connected, fd[1] accepted; both non-blocking. */
void tcp_pair(int fd[2]);

/* Waits up to two seconds for one of @events on @fd; returns revents. */
int settle(int fd, int events);

/* Which of @events hold on @fd now. */
int ready(int fd, int events);

/* settle(), then read at most @len; never blocks. */
long read_soon(int fd, void *buf, size_t len);

/* ---- Files ---- */

/* What is in the file, up to 64 KiB; until the next call. */
char *file_text(const char *path);

/* A fresh directory of a tmpfs as the current one, and away with it. */
void tree_enter(void);
void tree_leave(void);
