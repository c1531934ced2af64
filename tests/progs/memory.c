/*
 * Takes and gives memory on demand: a client on port 7777 sends a number of
 * MiB, as one byte; it is how much the program shall have from then on, all
 * of it touched. The answer is 1, or 0 if it could not be had.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(7777) };
	int s = socket(AF_INET, SOCK_STREAM, 0), c;
	unsigned char mib, ok;
	size_t have = 0;
	char *p = NULL;

	if (bind(s, (void *)&a, sizeof(a)) || listen(s, 5))
		return 1;
	printf("memory: listening on 7777\n");
	fflush(stdout);
	while ((c = accept(s, NULL, NULL)) >= 0) {
		while (read(c, &mib, 1) == 1) {
			if (have)
				munmap(p, have);
			have = (size_t)mib << 20;
			p = have ? mmap(NULL, have, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) :
				   NULL;
			ok = p != MAP_FAILED;
			if (ok && have)
				memset(p, mib, have);
			else if (!ok)
				have = 0;
			if (write(c, &ok, 1) != 1)
				break;
		}
		close(c);
	}
	return 0;
}
