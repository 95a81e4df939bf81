#ifndef HG_BASE_PAGES_H
#define HG_BASE_PAGES_H

#include <stddef.h>

/* Arrays of zeros that cost nothing until they are used: large ones are mapped, so that making one
 * touches none of it and freeing one costs what was touched. For pools that are made once, of which
 * most sessions use a corner; calloc takes memory that was in use before and has to clear it. */
void *hg_pages_new(size_t count, size_t size); /* NULL: no memory; as if one, when there are none */
void hg_pages_free(void *pages);               /* NULL is fine */

#endif
