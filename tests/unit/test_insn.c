/* sources: */
#include "tests/unit/unit.h"

#include "kernel/compiler.h"
#include "kernel/x86/unwind.h"

struct row {
	const char *bytes;
	u32 len, op;
};

#define ROW(bytes, op) { bytes, sizeof(bytes) - 1, op }

/* One of each form, as gas writes it. */
static const struct row rows[] = {
	ROW("\x55", 0x55),				/* push %rbp */
	ROW("\x41\x57", 0x57),				/* push %r15 */
	ROW("\xc3", 0xc3),
	ROW("\x89\xd8", 0x89),				/* mov %ebx, %eax */
	ROW("\x8b\x45\x08", 0x8b),			/* 8(%rbp) */
	ROW("\x8b\x04\x24", 0x8b),			/* (%rsp) */
	ROW("\x8b\x44\x24\x08", 0x8b),			/* 8(%rsp) */
	ROW("\x8b\x84\x24\x00\x01\x00\x00", 0x8b),	/* 256(%rsp) */
	ROW("\x8b\x05\x00\x00\x00\x00", 0x8b),		/* 0(%rip) */
	ROW("\x8b\x04\xc5\x00\x00\x00\x80", 0x8b),	/* table(, %rax, 8) */
	ROW("\x65\x48\x8b\x04\x25\x00\x00\x00\x00", 0x8b), /* %gs:0 */
	ROW("\x48\x83\xec\x18", 0x83),			/* sub $24, %rsp */
	ROW("\x48\x81\xec\x00\x02\x00\x00", 0x81),
	ROW("\x66\x81\x7f\x02\x34\x12", 0x81),		/* cmpw, a short */
	ROW("\x66\x83\x7f\x02\x12", 0x83),
	ROW("\x48\xc7\xc7\x00\x00\x00\x80", 0xc7),
	ROW("\xc6\x07\x01", 0xc6),
	ROW("\x48\xb8\1\2\3\4\5\6\7\x08", 0xb8),	/* movabs */
	ROW("\xb8\1\2\3\4", 0xb8),
	ROW("\xb0\x01", 0xb0),
	ROW("\x6a\x05", 0x6a),
	ROW("\x68\1\2\3\4", 0x68),
	ROW("\x6b\xc0\x0c", 0x6b),			/* imul $12 */
	ROW("\x69\xc0\1\2\3\4", 0x69),
	ROW("\xc1\xe8\x03", 0xc1),
	ROW("\xd1\xe8", 0xd1),
	ROW("\xa8\x01", 0xa8),				/* test $1, %al */
	ROW("\xf6\x07\x01", 0xf6),			/* testb $1, (%rdi) */
	ROW("\xf6\xd8", 0xf6),				/* neg %al */
	ROW("\xf7\x07\1\2\3\4", 0xf7),
	ROW("\x48\xf7\xf1", 0xf7),			/* div %rcx */
	ROW("\xff\x10", 0xff),
	ROW("\xe8\1\2\3\4", 0xe8),
	ROW("\xeb\xfe", 0xeb),
	ROW("\x74\x02", 0x74),
	ROW("\x0f\x84\1\2\3\4", INSN_0F | 0x84),	/* je */
	ROW("\x0f\xb6\x07", INSN_0F | 0xb6),		/* movzbl */
	/* lock bts %rdx, map(, %rax, 8) */
	ROW("\xf0\x48\x0f\xab\x14\xc5\x40\x00\x18\x80", INSN_0F | 0xab),
	ROW("\x0f\xa3\xc8", INSN_0F | 0xa3),		/* bt %ecx, %eax */
	ROW("\x0f\xba\xe0\x05", INSN_0F | 0xba),	/* bt $5 */
	ROW("\x48\x0f\xac\xd0\x20", INSN_0F | 0xac),	/* shrd $32 */
	ROW("\x0f\xc8", INSN_0F | 0xc8),		/* bswap */
	ROW("\x0f\xa2", INSN_0F | 0xa2),		/* cpuid */
	ROW("\x0f\x31", INSN_0F | 0x31),		/* rdtsc */
	ROW("\x0f\x05", INSN_0F | 0x05),
	ROW("\x0f\x0b", INSN_0F | 0x0b),
	ROW("\x0f\x01\xf8", INSN_0F | 0x01),		/* swapgs */
	ROW("\xf0\x0f\xb1\x17", INSN_0F | 0xb1),	/* lock cmpxchg */
	ROW("\xf3\x48\xab", 0xab),			/* rep stos */
	ROW("\x48\xcf", 0xcf),
	ROW("\xf3\x90", 0x90),
	ROW("\x3c\x05", 0x3c),
	ROW("\x3d\1\2\3\4", 0x3d),
};

static void test_lengths(void **state)
{
	u8 code[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct insn in;

		memset(code, 0x55, sizeof(code));
		memcpy(code, rows[i].bytes, rows[i].len);
		in = insn_decode(code);
		assert_int_equal(in.len, rows[i].len);
		assert_int_equal(in.op, rows[i].op);
	}
}

static u32 run(struct unwind *w)
{
	unwind_next(w);
	if (unwind_effect(w) == UNWIND_MOVES)
		unwind_set(w, unwind_moved(w));
	return w->code;
}

static void test_frames(void **state)
{
	/* push %rbx; sub $0x218, %rsp; sub $8, %rsp; call; add; pop; ret */
	static const u8 code[32] =
		"\x53\x48\x81\xec\x18\x02\x00\x00\x48\x83\xec\x08"
		"\xe8\x00\x00\x00\x00\x48\x81\xc4\x20\x02\x00\x00\x5b\xc3";
	struct unwind w;

	(void)state;
	unwind_start(&w, code);
	unwind_set(&w, FRAME_OF_CALL);
	assert_int_equal(run(&w), 4);
	assert_int_equal(run(&w), 4 + 2 * 67);
	assert_int_equal(run(&w), 4 + 2 * 68);
	assert_int_equal(run(&w), 4 + 2 * 68);
	assert_int_equal(unwind_effect(&w), UNWIND_LEAVES);
	assert_int_equal(w.body, 4 + 2 * 68);
	assert_int_equal(run(&w), 4);
	assert_int_equal(run(&w), FRAME_OF_CALL);
	assert_int_equal(run(&w), FRAME_OF_CALL);
	assert_int_equal(unwind_effect(&w), UNWIND_LEAVES);
	assert_ptr_equal(w.at, code + 26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
