/* Shared mappings of files. */
#pragma once

#include "kernel/mm/mm.h"

/* For kernel/mm/mm.h's mmap_sources: the sources are inodes. */
extern const struct mmap_source_ops vfs_mmap_sources;
