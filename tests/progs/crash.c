/* Does what a program must not do; the argument says what. */
#include <string.h>

static void poke(void *at)
{
	/* The compiler must not know where this goes. */
	__asm__ volatile("movb $1, (%0)" : : "r"(at) : "memory");
}

int main(int argc, char **argv)
{
	unsigned char stack[16] = { 0xc3 };
	const char *how = argc > 1 ? argv[1] : "null";

	if (!strcmp(how, "null"))
		poke((void *)8);
	if (!strcmp(how, "kernel"))
		poke((void *)0xffffffff80000000);
	if (!strcmp(how, "exec"))
		((void (*)(void))stack)();
	if (!strcmp(how, "text"))
		poke((void *)main);
	if (!strcmp(how, "ud"))
		__asm__ volatile("ud2");
	if (!strcmp(how, "priv"))
		__asm__ volatile("cli");
	if (!strcmp(how, "port"))
		__asm__ volatile("outb %b0, %w1" : : "a"(1), "Nd"(0xf4));
	if (!strcmp(how, "divide"))
		__asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx"
				 : : "a"(1), "d"(0) : "ecx");
	return argc;
}
