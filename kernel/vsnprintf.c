/*
 * Text formatting for the log and for what user space reads: C99 printf
 * without floating point, plus %pI4, %pM and %pS. Any context.
 */
#include "kernel/printk.h"
#include "kernel/kallsyms.h"
#include "kernel/string.h"

/* Where the text goes; @len counts what did not fit, too. */
struct out {
	char *buf;
	size_t size;
	size_t len;
};

struct spec {
	bool left, plus, space, alt, zero, upper;
	int width;
	int precision;		/* -1: none given */
	int size;		/* bytes of the integer argument */
	unsigned int base;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, int n, char c)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct out *o, const char *s, size_t n,
		     const struct spec *sp)
{
	int fill = sp->width - (int)n;

	if (!sp->left)
		pad(o, fill, ' ');
	while (n--)
		put(o, *s++);
	if (sp->left)
		pad(o, fill, ' ');
}

static void put_string(struct out *o, const char *s, const struct spec *sp)
{
	if (!s)
		s = "(null)";
	put_text(o, s,
		 sp->precision < 0 ? strlen(s) :
				     strnlen(s, (size_t)sp->precision), sp);
}

/* @sign: the character before the number, 0 for none. */
static void put_number(struct out *o, u64 v, char sign, const struct spec *sp)
{
	const char *set = sp->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	bool hex = sp->alt && sp->base == 16 && v;
	char digits[24];
	int n = 0, zeros, fill;

	for (; v; v /= sp->base)
		digits[n++] = set[v % sp->base];
	zeros = (sp->precision < 0 ? 1 : sp->precision) - n;
	zeros = max(zeros, 0);
	if (sp->alt && sp->base == 8 && !zeros)
		zeros = 1;
	fill = sp->width - n - zeros - (sign ? 1 : 0) - (hex ? 2 : 0);
	if (sp->zero && !sp->left && sp->precision < 0 && fill > 0) {
		zeros += fill;
		fill = 0;
	}
	if (!sp->left)
		pad(o, fill, ' ');
	if (sign)
		put(o, sign);
	if (hex) {
		put(o, '0');
		put(o, sp->upper ? 'X' : 'x');
	}
	pad(o, zeros, '0');
	while (n)
		put(o, digits[--n]);
	if (sp->left)
		pad(o, fill, ' ');
}

static void put_signed(struct out *o, s64 v, const struct spec *sp)
{
	char sign = v < 0 ? '-' : sp->plus ? '+' : sp->space ? ' ' : 0;

	put_number(o, v < 0 ? 0 - (u64)v : (u64)v, sign, sp);
}

static void put_ipv4(struct out *o, const u8 *a, const struct spec *sp)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u.%u.%u.%u",
			 a[0], a[1], a[2], a[3]);

	put_text(o, text, (size_t)n, sp);
}

static void put_mac(struct out *o, const u8 *a, const struct spec *sp)
{
	char text[18];
	int n = snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
			 a[0], a[1], a[2], a[3], a[4], a[5]);

	put_text(o, text, (size_t)n, sp);
}

static void put_symbol(struct out *o, u64 addr, const struct spec *sp)
{
	char name[64], text[96];
	u64 offset;
	int n;

	if (kallsyms_lookup(addr, name, sizeof(name), &offset))
		n = snprintf(text, sizeof(text), "%s+%#llx", name,
			     (unsigned long long)offset);
	else
		n = snprintf(text, sizeof(text), "%#llx",
			     (unsigned long long)addr);
	put_text(o, text, min((size_t)n, sizeof(text) - 1), sp);
}

/* @f stands behind the `p`; returns the first character not used. */
static const char *put_pointer(struct out *o, const char *f, const void *p,
			       struct spec *sp)
{
	if (f[0] == 'I' && f[1] == '4' && p) {
		put_ipv4(o, p, sp);
		return f + 2;
	}
	if (f[0] == 'M' && p) {
		put_mac(o, p, sp);
		return f + 1;
	}
	if (f[0] == 'S') {
		put_symbol(o, (u64)p, sp);
		return f + 1;
	}
	sp->base = 16;
	sp->alt = true;
	put_number(o, (u64)p, 0, sp);
	return f;
}

static const char *parse_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			sp->left = true;
			break;
		case '+':
			sp->plus = true;
			break;
		case ' ':
			sp->space = true;
			break;
		case '#':
			sp->alt = true;
			break;
		case '0':
			sp->zero = true;
			break;
		default:
			return f;
		}
	}
}

static const char *parse_int(const char *f, int *out)
{
	int v = 0;

	for (; *f >= '0' && *f <= '9'; f++)
		if (v < 100000)
			v = v * 10 + (*f - '0');
	*out = v;
	return f;
}

static const char *parse_size(const char *f, struct spec *sp)
{
	sp->size = sizeof(int);
	if (*f == 'h') {
		sp->size = f[1] == 'h' ? 1 : 2;
		return f + (f[1] == 'h' ? 2 : 1);
	}
	if (*f == 'l') {
		sp->size = 8;
		return f + (f[1] == 'l' ? 2 : 1);
	}
	if (*f == 'z' || *f == 'j' || *f == 't') {
		sp->size = 8;
		return f + 1;
	}
	return f;
}

static u64 arg_unsigned(u64 v, int size)
{
	return size == 8 ? v : v & ((1ull << size * 8) - 1);
}

static s64 arg_signed(u64 v, int size)
{
	int shift = 64 - size * 8;

	return (s64)(v << shift) >> shift;
}

/* va_list behind a pointer, so that helpers advance the caller's. */
struct args {
	va_list ap;
};

static u64 next_int(struct args *a, const struct spec *sp)
{
	return sp->size == 8 ? va_arg(a->ap, u64) : va_arg(a->ap, u32);
}

/* One conversion; @f stands on its letter. Returns what follows it. */
static const char *convert(struct out *o, const char *f, struct spec *sp,
			   struct args *a)
{
	char c = *f++;

	switch (c) {
	case 'd':
	case 'i':
		sp->base = 10;
		put_signed(o, arg_signed(next_int(a, sp), sp->size), sp);
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		sp->base = c == 'u' ? 10 : c == 'o' ? 8 : 16;
		sp->upper = c == 'X';
		put_number(o, arg_unsigned(next_int(a, sp), sp->size), 0, sp);
		break;
	case 'c':
		c = (char)va_arg(a->ap, int);
		put_text(o, &c, 1, sp);
		break;
	case 's':
		put_string(o, va_arg(a->ap, const char *), sp);
		break;
	case 'p':
		return put_pointer(o, f, va_arg(a->ap, const void *), sp);
	case '%':
		put(o, '%');
		break;
	case '\0':
		return f - 1;
	default:
		put(o, '%');
		put(o, c);
		break;
	}
	return f;
}

static const char *parse_spec(const char *f, struct spec *sp, struct args *a)
{
	f = parse_flags(f, sp);
	if (*f == '*') {
		f++;
		sp->width = va_arg(a->ap, int);
		if (sp->width < 0) {
			sp->left = true;
			sp->width = -sp->width;
		}
	} else {
		f = parse_int(f, &sp->width);
	}
	if (*f == '.') {
		f++;
		if (*f == '*') {
			f++;
			sp->precision = va_arg(a->ap, int);
		} else {
			f = parse_int(f, &sp->precision);
		}
	}
	return parse_size(f, sp);
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = { .buf = buf, .size = size };
	struct args a;

	va_copy(a.ap, args);
	while (*fmt) {
		struct spec sp = { .precision = -1 };

		if (*fmt != '%') {
			put(&o, *fmt++);
			continue;
		}
		fmt = parse_spec(fmt + 1, &sp, &a);
		fmt = convert(&o, fmt, &sp, &a);
	}
	va_end(a.ap);
	if (size)
		buf[min(o.len, size - 1)] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return n;
}
