/* Copying and filling in 8-byte words by string instructions, upwards. */
#pragma once

#include "kernel/debug/kasan.h"
#include "kernel/types.h"

static inline void copy_words(void *dst, const void *src, size_t words)
{
	kasan_check(src, words * 8, false);
	kasan_check(dst, words * 8, true);
	__asm__ volatile("rep movsq"
			 : "+D"(dst), "+S"(src), "+c"(words) : : "memory");
}

static inline void set_words(void *dst, u64 word, size_t words)
{
	kasan_check(dst, words * 8, true);
	__asm__ volatile("rep stosq"
			 : "+D"(dst), "+c"(words) : "a"(word) : "memory");
}
