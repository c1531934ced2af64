/*
 * The first program of the Linux guest that Pollux is measured beside: loads
 * the network driver's modules, gives eth0 the address in $ADDR and $MASK with
 * the gateway $GATEWAY, and becomes the very same server ($PROG, or else the
 * echo). Another process answers each line from the console with the memory
 * that is free.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Log and program output go to the console, as in the other guest. */
static void open_console(void)
{
	int fd;

	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	for (int i = 0; i < 3 && fd >= 0; i++)
		dup2(fd, i);
}

static bool load_module(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return false;
	if (syscall(SYS_finit_module, fd, params, 0) < 0)
		perror(path);
	close(fd);
	return true;
}

/* In the order that they need each other; the initramfs numbers them. */
static void load_modules(void)
{
	const char *params = getenv("NET_PARAMS");
	char path[32];
	int i = 0;

	do {
		snprintf(path, sizeof(path), "/module%d.ko", i++);
	} while (load_module(path, ""));
	load_module("/virtio_net.ko", params ? params : "");
}

static void set_address(int s, unsigned long request, const char *address)
{
	struct ifreq ifr = { .ifr_name = "eth0" };
	struct sockaddr_in *in = (struct sockaddr_in *)&ifr.ifr_addr;

	in->sin_family = AF_INET;
	inet_pton(AF_INET, address, &in->sin_addr);
	if (ioctl(s, request, &ifr) < 0)
		perror("eth0: address");
}

static void set_gateway(int s, const char *gateway)
{
	struct rtentry rt = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in *to = (struct sockaddr_in *)&rt.rt_gateway;

	rt.rt_dst.sa_family = AF_INET;
	rt.rt_genmask.sa_family = AF_INET;
	to->sin_family = AF_INET;
	inet_pton(AF_INET, gateway, &to->sin_addr);
	if (ioctl(s, SIOCADDRT, &rt) < 0)
		perror("eth0: gateway");
}

/* Prints the line of /proc/meminfo that says what is free, when asked. */
static void report_memory(void)
{
	char line[128];

	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	while (fgets(line, sizeof(line), stdin)) {
		FILE *f = fopen("/proc/meminfo", "r");

		while (f && fgets(line, sizeof(line), f))
			if (!strncmp(line, "MemFree:", 8))
				printf("%s", line);
		fflush(stdout);
		if (f)
			fclose(f);
	}
	_exit(0);
}

/*
 * Becomes the program that `pollux` has packed, if there is one: words with a
 * zero byte behind each.
 */
static void become_packed(void)
{
	static char text[4096];
	static char *argv[256];
	int fd = open("/.pollux/argv", O_RDONLY), n = 0;
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (len <= 0)
		return;
	close(fd);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/run", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	symlink("/proc/self/fd/2", "/dev/stderr");
	for (char *p = text; p < text + len && n < 255; p += strlen(p) + 1)
		argv[n++] = p;
	execv(argv[0], argv);
	perror(argv[0]);
}

int main(void)
{
	struct rlimit files = { 1048576, 1048576 };
	struct ifreq ifr = { .ifr_name = "eth0", .ifr_flags = IFF_UP };
	const char *addr = getenv("ADDR"), *mask = getenv("MASK");
	const char *gateway = getenv("GATEWAY"), *prog = getenv("PROG");
	int s;

	open_console();
	load_modules();
	s = socket(AF_INET, SOCK_DGRAM, 0);
	if (addr && mask) {
		set_address(s, SIOCSIFADDR, addr);
		set_address(s, SIOCSIFNETMASK, mask);
	}
	if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		perror("eth0: up");
	if (gateway)
		set_gateway(s, gateway);
	close(s);
	setrlimit(RLIMIT_NOFILE, &files);
	become_packed();
	if (fork() == 0)
		report_memory();
	prog = prog ? prog : "/echo";
	execl(prog, prog, (char *)NULL);
	perror(prog);
	return 1;
}
