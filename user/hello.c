/*
 * hello [port]: a small HTTP/1.1 server with keep-alive and pipelining. It
 * answers GET and HEAD of any path with one page. Requests with a body are
 * refused, so where one request ends and the next begins is never in doubt.
 */
#define _GNU_SOURCE
#include "user/loop.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REQUEST_MAX	8192
#define REPLIES_MAX	16384

#define PAGE "<!doctype html><title>Pollux</title><p>Hello from Pollux.\n"

/* Replies to pipelined requests, gathered to be sent by one call. */
struct replies {
	char text[REPLIES_MAX];
	size_t len;
	bool last;		/* the connection ends after these */
};

struct request {
	const char *line;	/* the request line, with its CR LF */
	const char *end;	/* behind the empty line */
};

/* Finds header @name; sets its value's start and length. */
static bool header(const struct request *req, const char *name,
		   const char **value, size_t *len)
{
	size_t name_len = strlen(name);
	const char *line = memchr(req->line, '\n', req->end - req->line);

	for (line++; line < req->end; line++) {
		const char *end = memchr(line, '\n', req->end - line);

		if ((size_t)(end - line) > name_len &&
		    line[name_len] == ':' &&
		    strncasecmp(line, name, name_len) == 0) {
			*value = line + name_len + 1;
			*len = end - *value;
			return true;
		}
		line = end;
	}
	return false;
}

/* Does the comma-separated header @name hold the word @token? */
static bool header_has(const struct request *req, const char *name,
		       const char *token)
{
	size_t token_len = strlen(token);
	const char *value;
	size_t len;

	if (!header(req, name, &value, &len))
		return false;
	while (len) {
		size_t skip = strspn(value, " \t,");
		size_t word;

		if (skip >= len)
			return false;
		value += skip;
		len -= skip;
		word = strcspn(value, " \t,\r\n");
		if (word == token_len && !strncasecmp(value, token, word))
			return true;
		if (word == 0 || word >= len)
			return false;
		value += word;
		len -= word;
	}
	return false;
}

static void reply(struct replies *out, const char *status, const char *body,
		  bool with_body)
{
	int n = snprintf(out->text + out->len, REPLIES_MAX - out->len,
			 "HTTP/1.1 %s\r\n"
			 "Content-Type: text/html\r\n"
			 "Content-Length: %zu\r\n"
			 "%s\r\n%s",
			 status, strlen(body),
			 out->last ? "Connection: close\r\n" : "",
			 with_body ? body : "");

	out->len += n;
}

static void refuse(struct replies *out, const char *status)
{
	out->last = true;
	reply(out, status, "", true);
}

/* Answers one whole request. */
static void answer(struct replies *out, const struct request *req)
{
	const char *eol = memchr(req->line, '\n', req->end - req->line);
	const char *version = memrchr(req->line, ' ', eol - req->line);
	bool get = strncmp(req->line, "GET ", 4) == 0;
	bool head = strncmp(req->line, "HEAD ", 5) == 0;
	const char *value;
	size_t len;
	bool http10;

	if (!version || strncmp(version, " HTTP/1.", 8) != 0) {
		refuse(out, "400 Bad Request");
		return;
	}
	if (!get && !head) {
		refuse(out, "405 Method Not Allowed");
		return;
	}
	if (header(req, "Content-Length", &value, &len) ||
	    header(req, "Transfer-Encoding", &value, &len)) {
		refuse(out, "413 Content Too Large");
		return;
	}
	http10 = version[8] == '0';
	out->last = header_has(req, "Connection", "close") ||
		(http10 && !header_has(req, "Connection", "keep-alive"));
	reply(out, "200 OK", PAGE, get);
}

static size_t http(struct conn *conn, const char *data, size_t len)
{
	struct replies out = { .len = 0, .last = false };
	size_t used = 0;

	while (!out.last) {
		const char *start = data + used;
		const char *end = memmem(start, len - used, "\r\n\r\n", 4);
		struct request req = { .line = start };

		if (!end) {
			if (len - used >= REQUEST_MAX)
				refuse(&out, "431 Request Header Fields "
				       "Too Large");
			break;
		}
		req.end = end + 4;
		answer(&out, &req);
		used = req.end - data;
		if (out.len > REPLIES_MAX / 2) {
			conn_send(conn, out.text, out.len);
			out.len = 0;
		}
	}
	conn_send(conn, out.text, out.len);
	if (out.last) {
		conn_finish(conn);
		return len;
	}
	return used;
}

int main(int argc, char **argv)
{
	static const struct service service = {
		.name = "hello",
		.port = 8080,
		.input = http,
	};

	return serve(&service, argc, argv);
}
