/*
 * The kernel command line: cut into words once at boot, each handed to the
 * handler that declared its name. Quotes keep spaces together as in Linux:
 * name="a b".
 */
#include "kernel/param.h"
#include "kernel/boot_info.h"
#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define WORD_MAX 512

extern const struct kernel_param __start_kernel_param[];
extern const struct kernel_param __stop_kernel_param[];

static bool is_end_of_words(const char *s)
{
	return s[0] == '-' && s[1] == '-' && (s[2] == ' ' || !s[2]);
}

static const char *skip_spaces(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

/*
 * Copies the word at @s to @word without its quotes, cut at @size. Returns
 * what follows the word.
 */
static const char *next_word(const char *s, char *word, size_t size)
{
	bool quoted = false;
	size_t n = 0;

	for (; *s && (quoted || *s != ' '); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (n + 1 < size)
			word[n++] = *s;
	}
	word[n] = '\0';
	return s;
}

/* NAME=value, as environment variables are written. */
static bool is_env(const char *word)
{
	const char *s = word;

	while ((*s >= 'A' && *s <= 'Z') || *s == '_' ||
	       (s > word && *s >= '0' && *s <= '9'))
		s++;
	return s > word && *s == '=';
}

static void unknown_word(const char *word)
{
	const struct kernel_param *p;

	pr_warn("unknown command-line word '%s' ignored; known are:", word);
	for (p = __start_kernel_param; p < __stop_kernel_param; p++)
		pr_warn("  %s=  %s", p->name, p->help);
}

static void set_param(char *word)
{
	char *val = strchr(word, '=');
	const struct kernel_param *p;

	if (val)
		*val++ = '\0';
	for (p = __start_kernel_param; p < __stop_kernel_param; p++) {
		if (strcmp(p->name, word))
			continue;
		if (p->set(val))
			pr_warn("command line: %s=%s refused, want %s", word,
				val ? val : "", p->help);
		return;
	}
	unknown_word(word);
}

void parse_params(void)
{
	const char *s = skip_spaces(boot_info.cmdline);
	char word[WORD_MAX];

	while (*s && !is_end_of_words(s)) {
		s = skip_spaces(next_word(s, word, sizeof(word)));
		if (!is_env(word))
			set_param(word);
	}
}

const char *param_init_args(void)
{
	const char *s = skip_spaces(boot_info.cmdline);
	char word[WORD_MAX];

	while (*s && !is_end_of_words(s))
		s = skip_spaces(next_word(s, word, sizeof(word)));
	if (!*s)
		return NULL;
	s = skip_spaces(s + 2);
	return *s ? s : NULL;
}

/* Both lists: words up to `--` or the end, all or those that pass @want. */
static int split_words(const char *s, bool (*want)(const char *word),
		       char *buf, size_t size, char *words[], unsigned int max)
{
	unsigned int n = 0;
	size_t len;

	while (*s && !(want && is_end_of_words(s))) {
		if (!size)
			return -E2BIG;
		s = skip_spaces(next_word(s, buf, size));
		if (want && !want(buf))
			continue;
		len = strlen(buf) + 1;
		/* A word that fills the buffer may have been cut. */
		if (n + 1 >= max || len == size)
			return -E2BIG;
		words[n++] = buf;
		buf += len;
		size -= len;
	}
	words[n] = NULL;
	return (int)n;
}

int param_init_words(char *buf, size_t size, char *words[], unsigned int max)
{
	const char *s = param_init_args();

	return split_words(s ? s : "", NULL, buf, size, words, max);
}

int param_env_words(char *buf, size_t size, char *words[], unsigned int max)
{
	return split_words(skip_spaces(boot_info.cmdline), is_env, buf, size,
			   words, max);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

int parse_u64(const char *s, u64 *out)
{
	unsigned int base = 10;
	u64 v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned int d = (unsigned int)digit_value(*s);

		if (d >= base || v > (UINT64_MAX - d) / base)
			return -EINVAL;
		v = v * base + d;
	}
	*out = v;
	return 0;
}
