#ifndef HG_BASE_HASH_H
#define HG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bits: identity of code and of order streams, never security. */
#define HG_HASH_INIT UINT64_C(0xcbf29ce484222325)

uint64_t hg_hash_bytes(uint64_t hash, const void *data, size_t size);
uint64_t hg_hash_string(uint64_t hash, const char *text);
uint64_t hg_hash_u64(uint64_t hash, uint64_t value); /* little-endian bytes: equal everywhere */

/* CRC-32C (Castagnoli), the checksum of tapes; start with 0. */
uint32_t hg_crc32c(uint32_t crc, const void *data, size_t size);

#endif
