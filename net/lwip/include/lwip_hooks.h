/*
 * What lwIP's files include after its own headers.
 */
#pragma once

#undef IPH_ID_SET
#define IPH_ID_SET(hdr, counter) ((hdr)->_id = (u16_t)LWIP_RAND())
