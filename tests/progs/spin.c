/* Keeps the CPU to itself: for ever, or for as many seconds as it is told. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	time_t end = argc > 1 ? time(NULL) + atoi(argv[1]) : 0;

	puts("spin: listening on nothing");
	fflush(stdout);
	while (!end || time(NULL) < end)
		;
	return 0;
}
