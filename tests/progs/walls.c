/*
 * Tries what a program must not be able to do, one thing after the other, and
 * says how each ended: a signal's number, an error's, or `done`.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DIRECT	((char *)0xffff800000000000)

/* Where the kernel is linked; the first argument names another place. */
#define KERNEL	kernel
static char *kernel = (char *)0xffffffff80100000;

static const char constant[] = "constant";
static sigjmp_buf back;
static char *page;

static void caught(int sig)
{
	siglongjmp(back, sig);
}

static void __attribute__((noinline)) peek(const volatile char *p)
{
	(void)*p;
}

static void __attribute__((noinline)) poke(volatile char *p)
{
	*p = 1;
}

static void run(void *code)
{
	((void (*)(void))(uintptr_t)code)();
}

static void null_read(void)	{ peek((char *)(uintptr_t)getauxval(9999)); }
static void null_write(void)	{ poke((char *)(uintptr_t)getauxval(9999)); }
static void null_run(void)	{ run((char *)(uintptr_t)getauxval(9999)); }
static void page0_end(void)
{
	poke((char *)(uintptr_t)getauxval(9999) + 4095);
}
static void kernel_read(void)	{ peek(KERNEL); }
static void kernel_write(void)	{ poke(KERNEL); }
static void kernel_run(void)	{ run(KERNEL); }
static void direct_read(void)	{ peek(DIRECT); }
static void not_canonical(void)	{ peek((char *)0x800000000000); }
static void text_write(void)	{ poke((char *)(uintptr_t)text_write); }
static void const_write(void)	{ poke((char *)constant); }
static void vdso_write(void)	{ poke((char *)getauxval(AT_SYSINFO_EHDR)); }
static void vvar_write(void)
{
	poke((char *)getauxval(AT_SYSINFO_EHDR) - 4096);
}
static void data_run(void)	{ run(page); }
static void heap_run(void)
{
	volatile char *p = malloc(64);

	*p = (char)0xc3;
	run((void *)p);
}
static void stack_run(void)
{
	volatile char code[16] = { (char)0xc3 };

	run((void *)code);
}
static void do_cli(void)	{ __asm__ volatile("cli"); }
static void do_hlt(void)	{ __asm__ volatile("hlt"); }
static void do_in(void)
{
	__asm__ volatile("inb $0x60, %%al" ::: "eax");
}
static void do_out(void)	{ __asm__ volatile("outb %%al, $0xf4" ::); }
static void do_rdmsr(void)
{
	__asm__ volatile("rdmsr" :: "c"(0xc0000082) : "eax", "edx");
}
static void do_wrmsr(void)
{
	__asm__ volatile("wrmsr" :: "c"(0xc0000082), "a"(0), "d"(0));
}
static void read_cr3(void)
{
	__asm__ volatile("mov %%cr3, %%rax" ::: "rax");
}
static void write_cr4(void)
{
	__asm__ volatile("mov %%rax, %%cr4" :: "a"(0));
}
static void do_invlpg(void)
{
	__asm__ volatile("invlpg (%0)" :: "r"(page));
}
static void do_lidt(void)	{ __asm__ volatile("lidt (%0)" :: "r"(page)); }
static void do_sgdt(void)	{ __asm__ volatile("sgdt (%0)" :: "r"(page)); }
static void do_sidt(void)	{ __asm__ volatile("sidt (%0)" :: "r"(page)); }
static void do_smsw(void)	{ __asm__ volatile("smsw %%ax" ::: "eax"); }
static void do_str(void)	{ __asm__ volatile("str %%ax" ::: "eax"); }
static void do_swapgs(void)	{ __asm__ volatile("swapgs"); }
static void do_iret(void)	{ __asm__ volatile("int $0x80"); }

/* Far past the end of the stack at one go, as a large alloca() does. */
static void jump_guard(void)
{
	struct rlimit limit;
	char here;

	getrlimit(RLIMIT_STACK, &limit);
	for (size_t past = 4096; past < 1 << 20; past += 4096)
		poke(&here - limit.rlim_cur - past);
}

static int deeper(volatile char *above)
{
	volatile char frame[65536];

	frame[0] = *above;
	return page ? deeper(frame) + frame[0] : 0;
}

static void recurse(void)
{
	char c = 0;

	deeper(&c);
}

/* By every way in which calls reach memory: blocks, words, strings. */
static void call_read(void)
{
	syscall(SYS_read, open("/proc/self/cmdline", O_RDONLY), KERNEL, 5);
}
static void call_write(void)	{ syscall(SYS_write, 1, KERNEL, 10); }
static void call_open(void)	{ syscall(SYS_open, KERNEL, 0); }
static void call_direct(void)	{ syscall(SYS_open, DIRECT, 0); }
static void call_clock(void)	{ syscall(SYS_clock_gettime, 0, KERNEL); }
static void call_get4(void)
{
	syscall(SYS_futex, KERNEL, 0 /* FUTEX_WAIT */, 1, NULL);
}
static void call_get8(void)
{
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, KERNEL, NULL, 8);
}
static void call_put4(void)
{
	syscall(SYS_getresuid, KERNEL, KERNEL + 4, KERNEL + 8);
}
static void call_bind(void)
{
	syscall(SYS_bind, socket(AF_INET, SOCK_STREAM, 0), KERNEL, 16);
}
static void call_put8(void)	{ syscall(SYS_time, KERNEL); }
static void call_unmapped(void)
{
	syscall(SYS_bind, socket(AF_INET, SOCK_STREAM, 0), 64, 16);
}
static void call_half(void)	{ syscall(SYS_open, page + 4090, 0); }
static void call_wrap(void)	{ syscall(SYS_write, 1, (char *)-8, 16); }
static void map_null(void)
{
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == NULL)
		errno = 0;
}
static void vdso_unprotect(void)
{
	mprotect((void *)getauxval(AT_SYSINFO_EHDR), 4096,
		 PROT_READ | PROT_WRITE);
}

#define TRY(f) { #f, f }

static const struct {
	const char *name;
	void (*run)(void);
} tries[] = {
	TRY(null_read), TRY(null_write), TRY(null_run), TRY(page0_end),
	TRY(kernel_read), TRY(kernel_write), TRY(kernel_run), TRY(direct_read),
	TRY(not_canonical), TRY(text_write), TRY(const_write), TRY(vdso_write),
	TRY(vvar_write), TRY(data_run), TRY(heap_run), TRY(stack_run),
	TRY(do_cli), TRY(do_hlt), TRY(do_in), TRY(do_out), TRY(do_rdmsr),
	TRY(do_wrmsr), TRY(read_cr3), TRY(write_cr4), TRY(do_invlpg),
	TRY(do_lidt), TRY(do_sgdt), TRY(do_sidt), TRY(do_smsw), TRY(do_str),
	TRY(do_swapgs), TRY(do_iret), TRY(jump_guard), TRY(recurse),
	TRY(call_read), TRY(call_write), TRY(call_open), TRY(call_direct),
	TRY(call_clock), TRY(call_get4), TRY(call_get8), TRY(call_put4),
	TRY(call_put8), TRY(call_bind), TRY(call_unmapped), TRY(call_half),
	TRY(call_wrap), TRY(map_null), TRY(vdso_unprotect),
};

int main(int argc, char *argv[])
{
	static const int sigs[] = { SIGSEGV, SIGILL, SIGBUS, SIGTRAP };
	struct sigaction sa = { .sa_handler = caught,
				.sa_flags = SA_ONSTACK | SA_NODEFER };
	stack_t alt = { .ss_size = 65536 };

	if (argc > 1)
		kernel = (char *)strtoul(argv[1], NULL, 16);
	alt.ss_sp = malloc(alt.ss_size);
	sigaltstack(&alt, NULL);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++)
		sigaction(sigs[i], &sa, NULL);
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* And nothing behind it. */
	munmap(page + 4096, 4096);
	memset(page, 0xc3, 64);
	memset(page + 4090, 'x', 6);
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		int sig = sigsetjmp(back, 1);

		errno = 0;
		if (!sig)
			tries[i].run();
		if (sig)
			printf("wall %s %s\n", tries[i].name, strsignal(sig));
		else
			printf("wall %s %s\n", tries[i].name,
			       errno ? strerror(errno) : "done");
		fflush(stdout);
	}
	return 0;
}
