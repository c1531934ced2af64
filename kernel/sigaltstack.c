/* The alternate signal stack: where handlers with SA_ONSTACK run. Own task. */
#include "kernel/sigaltstack.h"

#include "kernel/errno.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "kernel/x86/ptrace.h"

#define SS_ONSTACK	1
#define SS_DISABLE	2
#define SS_AUTODISARM	(1u << 31)
#define MINSIGSTKSZ	2048

bool on_altstack(const struct altstack *alt, u64 sp)
{
	/* One that disarms itself is never seen in use. */
	if (alt->flags & SS_AUTODISARM)
		return false;
	return sp > alt->sp && sp - alt->sp <= alt->size;
}

void altstack_to_user(const struct altstack *alt, u64 sp,
		      struct user_stack *user)
{
	*user = (struct user_stack){ .sp = alt->sp, .size = alt->size };
	if (!alt->size)
		user->flags = SS_DISABLE;
	else if (on_altstack(alt, sp))
		user->flags = SS_ONSTACK;
	user->flags |= (s32)alt->flags;
}

int altstack_from_user(struct altstack *alt, const struct user_stack *user,
		       u64 sp)
{
	u32 mode = (u32)user->flags & ~SS_AUTODISARM;

	if (on_altstack(alt, sp))
		return -EPERM;
	if (mode > SS_DISABLE)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		*alt = (struct altstack){
			.flags = (u32)user->flags & SS_AUTODISARM };
		return 0;
	}
	if (user->size < MINSIGSTKSZ)
		return -ENOMEM;
	*alt = (struct altstack){ .sp = user->sp, .size = user->size,
				  .flags = (u32)user->flags & SS_AUTODISARM };
	return 0;
}

void altstack_entered(struct altstack *alt)
{
	if (alt->flags & SS_AUTODISARM)
		*alt = (struct altstack){ 0 };
}

SYSCALL_DEFINE2(sigaltstack, const struct user_stack __user *, ss,
		struct user_stack __user *, old)
{
	struct altstack *alt = &current->altstack;
	u64 sp = current_pt_regs()->rsp;
	struct user_stack new, was;
	int err = 0;

	if (ss && copy_from_user(&new, ss, sizeof(new)))
		return -EFAULT;
	altstack_to_user(alt, sp, &was);
	if (ss)
		err = altstack_from_user(alt, &new, sp);
	if (!err && old && copy_to_user(old, &was, sizeof(was)))
		err = -EFAULT;
	return err;
}
