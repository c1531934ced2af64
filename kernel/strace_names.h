/*
 * The tables of kernel/strace_format.c: what each call's arguments are, and
 * the names of flags and numbers as Linux's headers have them. An argument is
 * a letter: enum strace_arg.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

/* How an argument is shown; @next is the argument behind it. */
enum strace_arg {
	SA_INT = 'd',
	SA_UINT = 'u',
	SA_HEX = 'X',		/* 0x1f, 0 */
	SA_OCTAL = 'o',
	SA_POINTER = 'x',	/* 0x7ff..., NULL */
	SA_DIRFD = 'D',
	SA_PATH = 's',
	SA_BYTES_IN = 'b',	/* @next bytes that the program gives */
	SA_BYTES_OUT = 'B',	/* as many as the result says */
	SA_ADDR_IN = 'a',	/* sockaddr of @next bytes */
	SA_ADDR_OUT = 'A',	/* sockaddr of *@next bytes */
	SA_LEN_OUT = 'l',	/* an int that was written: [16] */
	SA_INT_IN = 'W',	/* an int of an option: [1] */
	SA_EVENT_IN = 'v',	/* epoll_event */
	SA_EVENTS_OUT = 'V',	/* as many as the result says */
	SA_IOVEC_IN = 'i',	/* @next iovecs with bytes to write */
	SA_IOVEC_OUT = 'I',	/* @next iovecs, result bytes were read */
	SA_TIMESPEC = 'T',
	SA_FD_PAIR = 'p',
	SA_OPTION = 'N',	/* its level is the argument before */
	SA_FLAGS_OPEN = '0',
	SA_FAMILY = '1',
	SA_SOCK_TYPE = '2',
	SA_FLAGS_PROT = '3',
	SA_FLAGS_MAP = '4',
	SA_EPOLL_OP = '5',
	SA_FLAGS_EPOLL = '6',
	SA_FLAGS_MSG = '7',
	SA_SHUT_HOW = '8',
	SA_CLOCK = '9',
	SA_LEVEL = 'L',
	SA_SIGNAL = 'S',
	SA_FCNTL = 'F',
	SA_FLAGS_FD = 'e',
	SA_PROTOCOL = 'P',
	SA_ARCH_PRCTL = 'k',
	SA_FLAGS_ACCEPT = 'c',
};

/* A bit or a number and its name. A table ends with a NULL name. */
struct strace_name {
	u32 value;
	const char *name;
};

extern const struct strace_name strace_open_flags[];
extern const struct strace_name strace_families[];
extern const struct strace_name strace_sock_types[];
extern const struct strace_name strace_sock_flags[];
extern const struct strace_name strace_prot_flags[];
extern const struct strace_name strace_map_flags[];
extern const struct strace_name strace_epoll_ops[];
extern const struct strace_name strace_epoll_events[];
extern const struct strace_name strace_epoll_flags[];
extern const struct strace_name strace_msg_flags[];
extern const struct strace_name strace_shut_hows[];
extern const struct strace_name strace_clocks[];
extern const struct strace_name strace_levels[];
extern const struct strace_name strace_socket_options[];
extern const struct strace_name strace_tcp_options[];
extern const struct strace_name strace_signals[];
extern const struct strace_name strace_fcntls[];
extern const struct strace_name strace_fd_flags[];
extern const struct strace_name strace_protocols[];
extern const struct strace_name strace_arch_prctls[];
extern const struct strace_name strace_errnos[];

/* A call's arguments, a letter each; before '=': the result is an address. */
struct strace_signature {
	u16 nr;
	const char *args;
};

extern const struct strace_signature strace_signatures[];
extern const u32 strace_nr_signatures;
