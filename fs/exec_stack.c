/*
 * The initial stack (System V ABI for AMD64, 3.4.1). From high to low: eight
 * zero bytes, the program's path, the environment strings, the argument
 * strings, the platform's name, sixteen random bytes; then, with the stack
 * pointer at a multiple of 16: argc, argv, NULL, envp, NULL, and the auxiliary
 * vector.
 */
#include "fs/exec_stack.h"

#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/string.h"

#define AT_NULL		0
#define AT_IGNORE	1
#define AT_PHDR		3
#define AT_PHENT	4
#define AT_PHNUM	5
#define AT_PAGESZ	6
#define AT_BASE		7
#define AT_FLAGS	8
#define AT_ENTRY	9
#define AT_UID		11
#define AT_EUID		12
#define AT_GID		13
#define AT_EGID		14
#define AT_PLATFORM	15
#define AT_HWCAP	16
#define AT_CLKTCK	17
#define AT_SECURE	23
#define AT_RANDOM	25
#define AT_HWCAP2	26
#define AT_EXECFN	31
#define AT_SYSINFO_EHDR	33

#define USER_HZ		100	/* clock_t's unit, sysconf(_SC_CLK_TCK) */
#define PLATFORM	"x86_64"
#define MAX_AUXV	24

/* The block under construction, filled from its end. */
struct stack_block {
	char *buf;
	size_t len, pos;	/* pos: lowest byte in use */
	u64 top;		/* user address of buf + len */
};

static u64 block_addr(const struct stack_block *b)
{
	return b->top - (b->len - b->pos);
}

static u64 push_bytes(struct stack_block *b, const void *data, size_t n)
{
	b->pos -= n;
	memcpy(b->buf + b->pos, data, n);
	return block_addr(b);
}

static u64 push_string(struct stack_block *b, const char *s)
{
	return push_bytes(b, s, strlen(s) + 1);
}

/* Pushes the strings so that the first has the lowest address. */
static u64 push_strings(struct stack_block *b, char *const *v, size_t n)
{
	while (n)
		push_string(b, v[--n]);
	return block_addr(b);
}

static size_t count_strings(char *const *v, size_t *bytes)
{
	size_t n = 0;

	for (; v[n]; n++)
		*bytes += strlen(v[n]) + 1;
	return n;
}

/* Writes @n pointers to the strings from @addr on, and NULL. */
static u64 *put_pointers(u64 *out, char *const *v, size_t n, u64 addr)
{
	for (size_t i = 0; i < n; i++) {
		*out++ = addr;
		addr += strlen(v[i]) + 1;
	}
	*out++ = 0;
	return out;
}

static size_t put_auxv(u64 *out, const struct exec_stack_info *info,
		       u64 execfn, u64 platform, u64 random)
{
	const u64 auxv[][2] = {
		{ info->vdso ? AT_SYSINFO_EHDR : AT_IGNORE, info->vdso },
		{ AT_HWCAP, info->hwcap },
		{ AT_PAGESZ, PAGE_SIZE },
		{ AT_CLKTCK, USER_HZ },
		{ AT_PHDR, info->phdr },
		{ AT_PHENT, info->phent },
		{ AT_PHNUM, info->phnum },
		{ AT_BASE, info->base },
		{ AT_FLAGS, 0 },
		{ AT_ENTRY, info->entry },
		{ AT_UID, 0 },
		{ AT_EUID, 0 },
		{ AT_GID, 0 },
		{ AT_EGID, 0 },
		{ AT_SECURE, 0 },
		{ AT_RANDOM, random },
		{ AT_HWCAP2, info->hwcap2 },
		{ AT_EXECFN, execfn },
		{ AT_PLATFORM, platform },
		{ AT_NULL, 0 },
	};

	_Static_assert(ARRAY_SIZE(auxv) <= MAX_AUXV, "room was made for these");
	if (out)
		memcpy(out, auxv, sizeof(auxv));
	return ARRAY_SIZE(auxv) * 2;
}

void *exec_stack_build(const struct exec_stack_info *info, u64 top, u64 *sp,
		       size_t *len, int *err)
{
	size_t bytes = strlen(info->execfn) + 1, argc, envc, words;
	u64 execfn, env, arg, platform, random, *out;
	struct stack_block b = { .top = top };

	argc = count_strings(info->argv, &bytes);
	envc = count_strings(info->envp, &bytes);
	*err = -E2BIG;
	if (bytes + (argc + envc) * sizeof(u64) > MAX_ARG_BYTES)
		return NULL;
	words = 1 + argc + 1 + envc + 1 + put_auxv(NULL, info, 0, 0, 0);
	b.len = bytes + words * sizeof(u64) + 128;
	b.pos = b.len;
	*err = -ENOMEM;
	b.buf = vmalloc(b.len);
	if (!b.buf)
		return NULL;
	push_bytes(&b, "\0\0\0\0\0\0\0", 8);
	execfn = push_string(&b, info->execfn);
	env = push_strings(&b, info->envp, envc);
	arg = push_strings(&b, info->argv, argc);
	platform = push_string(&b, PLATFORM);
	random = push_bytes(&b, info->random, sizeof(info->random));
	/* The vectors end somewhere below and begin at a multiple of 16. */
	*sp = ALIGN_DOWN(block_addr(&b) - words * sizeof(u64), 16ul);
	b.pos = b.len - (top - *sp);
	/* User addresses decide the alignment; the buffer's may differ. */
	*len = b.len - b.pos;
	memmove(b.buf, b.buf + b.pos, *len);
	out = (u64 *)b.buf;
	*out++ = argc;
	out = put_pointers(out, info->argv, argc, arg);
	out = put_pointers(out, info->envp, envc, env);
	put_auxv(out, info, execfn, platform, random);
	*err = 0;
	return b.buf;
}
