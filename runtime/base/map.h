#ifndef HG_BASE_MAP_H
#define HG_BASE_MAP_H

#include "base/error.h"

#include <stdint.h>

/* Open-addressing map from strings to uint32_t values. Keys are copied. It grows while it is being
 * filled at start-up and is only read afterwards, so it never allocates on the event path. */
typedef struct hg_map hg_map;

#define HG_MAP_NONE UINT32_MAX

hg_map *hg_map_new(uint32_t capacity_hint);
void hg_map_free(hg_map *map);
HG_MUST_CHECK int hg_map_put(hg_map *map, const char *key, uint32_t value); /* replaces */
uint32_t hg_map_find(const hg_map *map, const char *key);                   /* or HG_MAP_NONE */
uint32_t hg_map_count(const hg_map *map);

#endif
