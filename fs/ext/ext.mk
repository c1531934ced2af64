# What of e2fsprogs the kernel with disks uses, relative to E2FS_DIR: the
# library, and the replay of a journal, which Linux, e2fsck and debugfs share.
E2FS_SRCS := $(addprefix lib/ext2fs/,alloc.c alloc_sb.c alloc_stats.c \
	     badblocks.c bitmaps.c bitops.c blkmap64_ba.c blkmap64_rb.c \
	     blknum.c block.c bmap.c closefs.c crc16.c crc32c.c csum.c \
	     dblist.c dir_iterate.c dirblock.c dirhash.c expanddir.c \
	     ext_attr.c extent.c fileio.c freefs.c gen_bitmap.c \
	     gen_bitmap64.c get_num_dirs.c hashmap.c i_block.c ind_block.c \
	     inline.c inline_data.c inode.c io_manager.c link.c lookup.c \
	     mkdir.c mkjournal.c mmp.c namei.c newdir.c openfs.c punch.c \
	     rbtree.c read_bb.c rw_bitmaps.c symlink.c unlink.c valid_blk.c) \
	     debugfs/journal.c e2fsck/recovery.c e2fsck/revoke.c

# Of ours, what is written against the library and a C library's headers.
E2FS_OURS := $(wildcard fs/ext/lib/*.c)

# musl's headers, which only declare things: nothing of musl is linked. The
# compiler is asked late: it may be installed while make runs.
MUSL_INC ?= /usr/include/$(shell uname -m)-linux-musl
E2FS_INC = -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	    -isystem $(MUSL_INC) -I. -Ifs/ext/lib/include \
	    -isystem $(B)/e2fs.inc -isystem $(E2FS_DIR)/lib \
	    -isystem $(E2FS_DIR)/lib/ext2fs -isystem $(E2FS_DIR)/e2fsck \
	    -isystem $(E2FS_DIR)/debugfs -DHAVE_CONFIG_H -DDEBUGFS \
	    -DCRC_LE_BITS=8 -DCRC_BE_BITS=8
