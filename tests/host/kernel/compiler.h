/* The kernel's own, beside the C library's macros of the same names. */
#pragma once

#include <features.h>

#undef __always_inline
#include "../../../kernel/compiler.h"
