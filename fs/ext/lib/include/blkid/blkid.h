/* Of libblkid, what libext2fs calls to find an external journal: nothing. */
#pragma once

typedef void *blkid_cache;

#define blkid_get_cache(cache, name)		(*(cache) = 0, 0)
#define blkid_get_devname(cache, token, value)	((char *)0)
#define blkid_devno_to_devname(devno)		((char *)0)
#define blkid_put_cache(cache)			((void)(cache))
