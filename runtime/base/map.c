/* String map: linear probing, power-of-two table at most 2/3 full, FNV-1a. */
#include "base/map.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    char *key;
    uint64_t hash;
    uint32_t value;
} slot;

struct hg_map {
    slot *slots;
    uint32_t mask;
    uint32_t count;
};

hg_map *hg_map_new(uint32_t capacity_hint) {
    uint32_t size = 16;
    while (size / 3 * 2 < capacity_hint && size < UINT32_C(1) << 30) {
        size *= 2;
    }
    hg_map *map = calloc(1, sizeof *map);
    if (!map) {
        return NULL;
    }
    map->slots = calloc(size, sizeof *map->slots);
    if (!map->slots) {
        free(map);
        return NULL;
    }
    map->mask = size - 1;
    return map;
}

void hg_map_free(hg_map *map) {
    if (!map) {
        return;
    }
    for (uint32_t i = 0; i <= map->mask; i++) {
        free(map->slots[i].key);
    }
    free(map->slots);
    free(map);
}

static slot *probe(slot *slots, uint32_t mask, const char *key, uint64_t hash) {
    uint32_t i = (uint32_t)hash & mask;
    while (slots[i].key && (slots[i].hash != hash || strcmp(slots[i].key, key) != 0)) {
        i = (i + 1) & mask;
    }
    return &slots[i];
}

static int grow(hg_map *map) {
    uint32_t mask = map->mask * 2 + 1;
    slot *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots) {
        return HG_ERR(HG_ENOMEM, "map of %u entries", map->count);
    }
    for (uint32_t i = 0; i <= map->mask; i++) {
        if (map->slots[i].key) {
            *probe(slots, mask, map->slots[i].key, map->slots[i].hash) = map->slots[i];
        }
    }
    free(map->slots);
    map->slots = slots;
    map->mask = mask;
    return HG_OK;
}

int hg_map_put(hg_map *map, const char *key, uint32_t value) {
    hg_assert(value != HG_MAP_NONE);
    if (map->count >= map->mask / 3 * 2) {
        int rc = grow(map);
        if (rc < 0) {
            return rc;
        }
    }
    uint64_t hash = hg_hash_string(HG_HASH_INIT, key);
    slot *s = probe(map->slots, map->mask, key, hash);
    if (!s->key) {
        s->key = strdup(key);
        if (!s->key) {
            return HG_ERR(HG_ENOMEM, "map key");
        }
        s->hash = hash;
        map->count++;
    }
    s->value = value;
    return HG_OK;
}

uint32_t hg_map_find(const hg_map *map, const char *key) {
    slot *s = probe(map->slots, map->mask, key, hg_hash_string(HG_HASH_INIT, key));
    return s->key ? s->value : HG_MAP_NONE;
}

uint32_t hg_map_count(const hg_map *map) {
    return map->count;
}
