/*
 * Signal frames as Linux lays them out on x86-64. From the stack pointer of
 * the handler up: return address (sa_restorer), ucontext, siginfo; above, at a
 * multiple of 64, the FPU state with what says how long it is. C libraries,
 * unwinders and garbage collectors know this layout.
 */
#include "kernel/x86/sigframe.h"

#include "kernel/errno.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/string.h"
#include "kernel/syscall.h"
#include "kernel/uaccess.h"
#include "kernel/sigaltstack.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/gdt.h"
#include "kernel/x86/ptrace.h"

#define UC_FP_XSTATE		0x1
#define UC_SIGCONTEXT_SS	0x2
#define UC_STRICT_RESTORE_SS	0x4

/* Below the stack pointer there may be live data (System V ABI, 3.2.2). */
#define RED_ZONE		128
#define FPU_ALIGN		64ul

#define EFLAGS_TF		(1u << 8)
#define EFLAGS_DF		(1u << 10)
#define EFLAGS_RF		(1u << 16)
/* What a program may change: CF PF AF ZF SF TF DF OF RF AC. */
#define EFLAGS_USER		0x50dd5u
#define EFLAGS_RF_AC		(EFLAGS_RF | 1u << 18)

struct sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	u64 fpstate;
	u64 reserved[8];
};

struct ucontext {
	u64 flags;
	u64 link;
	struct user_stack stack;
	struct sigcontext mcontext;
	u64 sigmask;
};

struct sigframe {
	u64 return_address;
	struct ucontext uc;
	struct siginfo info;
};

_Static_assert(sizeof(struct sigcontext) == 256, "as user space has it");
_Static_assert(sizeof(struct ucontext) == 304, "as user space has it");
_Static_assert(sizeof(struct sigframe) == 440, "as user space has it");

static void save_regs(struct sigcontext *sc, const struct pt_regs *r)
{
	sc->r8 = r->r8;
	sc->r9 = r->r9;
	sc->r10 = r->r10;
	sc->r11 = r->r11;
	sc->r12 = r->r12;
	sc->r13 = r->r13;
	sc->r14 = r->r14;
	sc->r15 = r->r15;
	sc->rdi = r->rdi;
	sc->rsi = r->rsi;
	sc->rbp = r->rbp;
	sc->rbx = r->rbx;
	sc->rdx = r->rdx;
	sc->rax = r->rax;
	sc->rcx = r->rcx;
	sc->rsp = r->rsp;
	sc->rip = r->rip;
	sc->eflags = r->rflags;
	sc->cs = (u16)r->cs;
	sc->ss = (u16)r->ss;
}

static void load_regs(struct pt_regs *r, const struct sigcontext *sc)
{
	r->r8 = sc->r8;
	r->r9 = sc->r9;
	r->r10 = sc->r10;
	r->r11 = sc->r11;
	r->r12 = sc->r12;
	r->r13 = sc->r13;
	r->r14 = sc->r14;
	r->r15 = sc->r15;
	r->rdi = sc->rdi;
	r->rsi = sc->rsi;
	r->rbp = sc->rbp;
	r->rbx = sc->rbx;
	r->rdx = sc->rdx;
	r->rax = sc->rax;
	r->rcx = sc->rcx;
	r->rsp = sc->rsp;
	r->rip = sc->rip;
	r->rflags = (r->rflags & ~(u64)EFLAGS_USER) |
		    (sc->eflags & EFLAGS_USER);
	/* There are no other segments to return to. */
	r->cs = USER_CS;
	r->ss = USER_DS;
}

/*
 * Where the frame goes; *@fpu gets the place of the FPU state above it. 0 if
 * there is no room on the alternate stack.
 */
static u64 frame_address(const struct pt_regs *regs, const struct ksignal *k,
			 u64 *fpu)
{
	const struct altstack *alt = &current->altstack;
	bool nested = on_altstack(alt, regs->rsp);
	bool enters = k->act.flags & SA_ONSTACK && alt->size && !nested;
	u64 sp = regs->rsp - RED_ZONE;

	if (enters)
		sp = alt->sp + alt->size;
	sp = ALIGN_DOWN(sp - fpu_frame_size(), FPU_ALIGN);
	*fpu = sp;
	/* As after a call: 8 off a multiple of 16. */
	sp = ALIGN_DOWN(sp - sizeof(struct sigframe), 16ul) - 8;
	if ((enters || nested) && (sp <= alt->sp || sp > alt->sp + alt->size))
		return 0;
	return sp;
}

static void fill_frame(struct sigframe *f, const struct pt_regs *regs,
		       const struct ksignal *k, u64 mask)
{
	const struct task *task = current;

	f->return_address = k->act.restorer;
	f->uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS |
		      (fpu_has_xsave() ? UC_FP_XSTATE : 0);
	altstack_to_user(&task->altstack, regs->rsp, &f->uc.stack);
	save_regs(&f->uc.mcontext, regs);
	f->uc.mcontext.err = task->trap.error;
	f->uc.mcontext.trapno = task->trap.nr;
	f->uc.mcontext.cr2 = task->trap.address;
	f->uc.mcontext.oldmask = mask;
	f->uc.sigmask = mask;
	f->info = k->info;
}

int setup_sigframe(struct pt_regs *regs, const struct ksignal *k, u64 mask)
{
	struct sigframe f = { 0 };
	u64 fpu, sp = frame_address(regs, k, &fpu);
	struct sigframe __user *frame = (struct sigframe __user *)sp;
	size_t size = k->act.flags & SA_SIGINFO ?
		      sizeof(f) : offsetof(struct sigframe, info);

	if (!sp || !(k->act.flags & SA_RESTORER) ||
	    !access_ok(frame, sizeof(f)))
		return -EFAULT;
	fill_frame(&f, regs, k, mask);
	f.uc.mcontext.fpstate = fpu;
	if (fpu_to_user((void __user *)fpu) || copy_to_user(frame, &f, size))
		return -EFAULT;
	altstack_entered(&current->altstack);
	fpu_reset();
	regs->rdi = (u64)k->sig;
	regs->rax = 0;
	regs->rsi = (u64)&frame->info;
	regs->rdx = (u64)&frame->uc;
	regs->rip = k->act.handler;
	regs->rsp = sp;
	regs->rflags &= ~(u64)(EFLAGS_DF | EFLAGS_RF | EFLAGS_TF);
	return 0;
}

/* The frame's return address has been popped. */
static int load_frame(struct pt_regs *regs)
{
	struct ucontext __user *user = (struct ucontext __user *)regs->rsp;
	struct ucontext uc;

	if (copy_from_user(&uc, user, sizeof(uc)))
		return -EFAULT;
	set_current_blocked(uc.sigmask);
	load_regs(regs, &uc.mcontext);
	if (fpu_from_user((void __user *)uc.mcontext.fpstate))
		return -EFAULT;
	/* A stack that cannot be set is left as it is. */
	(void)altstack_from_user(&current->altstack, &uc.stack, regs->rsp);
	return 0;
}

void restore_sigframe(struct pt_regs *regs)
{
	__atomic_fetch_and(&current->work, ~TIF_SIGRETURN, __ATOMIC_SEQ_CST);
	if (load_frame(regs))
		force_sig(SIGSEGV, current);
}

/* The way out has all registers: it does the work. */
SYSCALL_DEFINE0(rt_sigreturn)
{
	__atomic_fetch_or(&current->work, TIF_SIGRETURN, __ATOMIC_SEQ_CST);
	return 0;
}
