/* The alternate signal stack (sigaltstack(2)). */
#pragma once

#include "kernel/compiler.h"
#include "kernel/types.h"

struct altstack;

/* stack_t, as user space has it. */
struct user_stack {
	u64 sp;
	s32 flags;
	u32 pad;
	u64 size;
};

_Static_assert(sizeof(struct user_stack) == 24, "as user space has it");

/* True if stack pointer @sp is on it. */
bool on_altstack(const struct altstack *alt, u64 sp);

/* What the program is told of it while its stack pointer is @sp. */
void altstack_to_user(const struct altstack *alt, u64 sp,
		      struct user_stack *user);

/*
 * Sets it; @sp is the user's stack pointer. 0; -EPERM while it is in use;
 * -EINVAL for unknown flags; -ENOMEM if it is too small.
 */
int altstack_from_user(struct altstack *alt, const struct user_stack *user,
		       u64 sp);

/* A handler was entered: SS_AUTODISARM forgets the stack till it returns. */
void altstack_entered(struct altstack *alt);
