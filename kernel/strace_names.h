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

/*
 * Bits or numbers and their names, "value name" and a NUL each; an empty one
 * ends the table. A table of pointers would be three times as large.
 */
extern const char strace_open_flags[];
extern const char strace_families[];
extern const char strace_sock_types[];
extern const char strace_sock_flags[];
extern const char strace_prot_flags[];
extern const char strace_map_flags[];
extern const char strace_epoll_ops[];
extern const char strace_epoll_events[];
extern const char strace_epoll_flags[];
extern const char strace_msg_flags[];
extern const char strace_shut_hows[];
extern const char strace_clocks[];
extern const char strace_levels[];
extern const char strace_socket_options[];
extern const char strace_tcp_options[];
extern const char strace_signals[];
extern const char strace_fcntls[];
extern const char strace_fd_flags[];
extern const char strace_protocols[];
extern const char strace_arch_prctls[];
extern const char strace_errnos[];

/* A call's arguments, a letter each; before '=': the result is an address. */
struct strace_signature {
	u16 nr;
	char args[8];
};

extern const struct strace_signature strace_signatures[];
extern const u32 strace_nr_signatures;
