/*
 * System calls. SYSCALL_DEFINEn(name, type, arg, ...) defines sys_<name> and
 * enters it in a linker section under its Linux number, from which the call
 * table is made at boot. The handler gets the six argument registers as its
 * C parameters and returns a value or -errno.
 */
#pragma once

#include "kernel/compiler.h"
#include "kernel/syscall_nr.h"
#include "kernel/types.h"
#include "kernel/x86/syscall_entry.h"

#define SC_ARGS0()
#define SC_ARGS1(t, a)		t a
#define SC_ARGS2(t, a, ...)	t a, SC_ARGS1(__VA_ARGS__)
#define SC_ARGS3(t, a, ...)	t a, SC_ARGS2(__VA_ARGS__)
#define SC_ARGS4(t, a, ...)	t a, SC_ARGS3(__VA_ARGS__)
#define SC_ARGS5(t, a, ...)	t a, SC_ARGS4(__VA_ARGS__)
#define SC_ARGS6(t, a, ...)	t a, SC_ARGS5(__VA_ARGS__)

/* With the number for its name. */
#define SYSCALL_ENTRY_NR(section, fn, nr) SYSCALL_ENTRY(section, fn, nr)
#define SYSCALL_ENTER(name)						\
	extern __typeof__(sys_##name) sys_##name __used;		\
	SYSCALL_ENTRY_NR(".syscall_entry", sys_##name, __NR_##name)

#define SYSCALL_DEFINE0(name)						\
	long sys_##name(void);						\
	SYSCALL_ENTER(name);						\
	long sys_##name(void)
#define SYSCALL_DEFINEx(n, name, ...)					\
	long sys_##name(SC_ARGS##n(__VA_ARGS__));			\
	SYSCALL_ENTER(name);						\
	long sys_##name(SC_ARGS##n(__VA_ARGS__))
#define SYSCALL_DEFINE1(name, ...) SYSCALL_DEFINEx(1, name, __VA_ARGS__)
#define SYSCALL_DEFINE2(name, ...) SYSCALL_DEFINEx(2, name, __VA_ARGS__)
#define SYSCALL_DEFINE3(name, ...) SYSCALL_DEFINEx(3, name, __VA_ARGS__)
#define SYSCALL_DEFINE4(name, ...) SYSCALL_DEFINEx(4, name, __VA_ARGS__)
#define SYSCALL_DEFINE5(name, ...) SYSCALL_DEFINEx(5, name, __VA_ARGS__)
#define SYSCALL_DEFINE6(name, ...) SYSCALL_DEFINEx(6, name, __VA_ARGS__)

/* The call table ends behind the highest number of Linux 6.1. */
#define NR_SYSCALLS 451

/* "read" for 0; "?" for a number that Linux does not have. Any context. */
const char *syscall_name(u64 nr);

/* What the entry code calls for a number that no handler claimed. */
asmlinkage long sys_ni_syscall(void);

/* Fills the call table from the linker section. Boot, before user mode. */
void syscall_init(void);
