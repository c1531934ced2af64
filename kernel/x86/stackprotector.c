/* Where compiled code goes when a frame's guard has been overwritten. */
#include "kernel/panic.h"
#include "kernel/percpu.h"

DEFINE_PER_CPU(u64, __stack_chk_guard) = 0;

void __stack_chk_fail(void) __noreturn;

void __stack_chk_fail(void)
{
	panic("stack overflow overwrote the guard of the frame of %pS",
	      __builtin_return_address(0));
}
