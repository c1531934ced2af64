/* echo [port]: sends every byte back; the loop does the rest. */
#include "user/loop.h"

static size_t echo(struct conn *conn, const char *data, size_t len)
{
	conn_send(conn, data, len);
	return len;
}

int main(int argc, char **argv)
{
	static const struct service service = {
		.name = "echo",
		.port = 7777,
		.input = echo,
	};

	return serve(&service, argc, argv);
}
