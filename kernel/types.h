/*
 * The integer types everything uses. Sizes are part of the name; be16 and
 * be32 hold network byte order and are only touched through byteorder.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u16 be16;
typedef u32 be32;
typedef u64 be64;

typedef long ssize_t;
typedef long loff_t;
typedef u64 phys_addr_t;
