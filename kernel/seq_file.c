/* Printing into a seq_file; what does not fit only sets its mark. */
#include "kernel/seq_file.h"

#include "kernel/printk.h"
#include "kernel/string.h"

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	size_t room = m->size - m->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(m->buf + m->len, room, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room)
		m->overflow = true;
	else
		m->len += (size_t)n;
}

void seq_write(struct seq_file *m, const void *data, size_t n)
{
	if (n > m->size - m->len) {
		m->overflow = true;
		return;
	}
	memcpy(m->buf + m->len, data, n);
	m->len += n;
}

void seq_puts(struct seq_file *m, const char *s)
{
	seq_write(m, s, strlen(s));
}

void seq_pad(struct seq_file *m, size_t start, size_t width)
{
	while (!m->overflow && m->len - start < width)
		seq_write(m, " ", 1);
}
