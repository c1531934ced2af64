/* Of libuuid, what libext2fs calls; an external journal is refused before. */
#pragma once

typedef unsigned char uuid_t[16];

int uuid_is_null(const unsigned char *uuid);
void uuid_unparse(const unsigned char *uuid, char *out);
