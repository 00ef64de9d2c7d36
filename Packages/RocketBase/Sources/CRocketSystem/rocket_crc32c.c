#include "rocket_crc32c.h"
#include <string.h>

// Eight tables ("slicing by 8"): one table look-up per byte, eight bytes per step.
static uint32_t tables[8][256];

__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0);
        tables[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 255];
}

uint32_t rocket_crc32c_table(const void *bytes, size_t count) {
    const uint8_t *p = bytes;
    uint32_t crc = ~0u;
    for (; count >= 8; count -= 8, p += 8) {
        uint32_t low = crc ^ (p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24);
        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255]
            ^ tables[4][low >> 24] ^ tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]]
            ^ tables[0][p[7]];
    }
    for (; count; count--) crc = (crc >> 8) ^ tables[0][(crc ^ *p++) & 255];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

bool rocket_crc32c_has_hardware(void) { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2")))
uint32_t rocket_crc32c_hardware(const void *bytes, size_t count) {
    const uint8_t *p = bytes;
    uint64_t crc = ~0u, word;
    for (; count >= 8; count -= 8, p += 8) {
        memcpy(&word, p, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    for (; count; count--) crc = _mm_crc32_u8((uint32_t)crc, *p++);
    return ~(uint32_t)crc;
}
#else
bool rocket_crc32c_has_hardware(void) { return false; }
uint32_t rocket_crc32c_hardware(const void *bytes, size_t count) {
    return rocket_crc32c_table(bytes, count);
}
#endif
