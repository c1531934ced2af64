/*
 * What the compiler calls when the C program does what C does not define. All
 * data blocks begin with the place in the source.
 */
#include "kernel/debug/report.h"

struct source_place {
	const char *file;
	u32 line, column;
};

static void ubsan_report(const struct source_place *where, const char *what)
{
	debug_report("UBSAN: %s at %s:%u:%u", what, where->file, where->line,
		     where->column);
}

#define HANDLER(name, what)						\
	void __ubsan_handle_##name(const struct source_place *where);	\
	void __ubsan_handle_##name(const struct source_place *where)	\
	{								\
		ubsan_report(where, what);				\
	}

HANDLER(add_overflow, "a sum overflows")
HANDLER(sub_overflow, "a difference overflows")
HANDLER(mul_overflow, "a product overflows")
HANDLER(negate_overflow, "a negation overflows")
HANDLER(divrem_overflow, "a division by zero or an overflow")
HANDLER(pointer_overflow, "a pointer overflows")
HANDLER(shift_out_of_bounds, "a shift by more than the width")
HANDLER(out_of_bounds, "an index out of bounds")
HANDLER(type_mismatch_v1, "a null or misaligned pointer, or a small object")
HANDLER(vla_bound_not_positive, "an array of no size")
HANDLER(load_invalid_value, "a bool or enum with a value that is none")
HANDLER(builtin_unreachable, "what cannot be reached")
HANDLER(missing_return, "a missing return")
HANDLER(nonnull_arg, "NULL for an argument that may not be")
HANDLER(nonnull_return_v1, "NULL from a function that may not return it")
HANDLER(invalid_builtin, "zero for a builtin that may not have it")
