/* What configure would have found out for libext2fs in this kernel. */
#pragma once

#define HAVE_STRINGS_H		1
#define HAVE_STDLIB_H		1
#define HAVE_UNISTD_H		1
#define HAVE_ERRNO_H		1
#define HAVE_SYS_TYPES_H	1
#define HAVE_SYS_STAT_H		1
#define HAVE_NETINET_IN_H	1
#define OMIT_COM_ERR		1
#define SIZEOF_INT		4
#define SIZEOF_LONG		8
#define SIZEOF_LONG_LONG	8
#define SIZEOF_SHORT		2
