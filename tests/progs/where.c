/* Says where everything of a program is, and what is drawn at each boot. */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

static void say(const char *what, const volatile void *where)
{
	printf("where %s %lx\n", what, (unsigned long)where);
}

/* What compiled code takes as this thread's guard. */
static void say_guard(const char *what)
{
	unsigned long guard;

	__asm__("mov %%fs:0x28, %0" : "=r"(guard));
	say(what, (void *)guard);
}

/* Stays there. */
static void *thread(void *arg)
{
	char on_stack;

	say("thread", &on_stack);
	say_guard("thread_guard");
	sem_post(arg);
	pause();
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned char bytes[1024];
	unsigned long guard;
	char on_stack;
	pthread_t t;
	sem_t said;

	(void)argc;
	(void)argv;
	say("program", (void *)(uintptr_t)main);
	say("stack", &on_stack);
	say("heap", sbrk(0));
	say("mmap", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0));
	say("vdso", (void *)getauxval(AT_SYSINFO_EHDR));
	sem_init(&said, 0, 0);
	pthread_create(&t, NULL, thread, &said);
	sem_wait(&said);
	say_guard("main_guard");
	memcpy(&guard, (void *)getauxval(AT_RANDOM), sizeof(guard));
	say("guard", (void *)guard);
	getrandom(bytes, sizeof(bytes), 0);
	printf("bytes ");
	for (size_t i = 0; i < sizeof(bytes); i++)
		printf("%02x", bytes[i]);
	printf("\nlistening on nothing\n");
	fflush(stdout);
	pause();
	return 0;
}
