/* AF_UNIX: sockets between the threads of one program. */
#pragma once

/* Registers the family. Boot; panics if memory is out. */
void unix_init(void);
