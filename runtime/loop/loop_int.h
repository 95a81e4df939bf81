/* What the files of this room share: the libuv loop behind hg_loop. */
#ifndef HG_LOOP_LOOP_INT_H
#define HG_LOOP_LOOP_INT_H

#include "loop/loop.h"

#include <uv.h>

uv_loop_t *hg_loop_uv(hg_loop *loop);

#endif
