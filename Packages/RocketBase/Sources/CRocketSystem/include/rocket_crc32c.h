// CRC32C (Castagnoli, RFC 3720 appendix B.4): by the CPU's instruction, and by table.
#ifndef ROCKET_CRC32C_H
#define ROCKET_CRC32C_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Does this CPU have the instruction?
bool rocket_crc32c_has_hardware(void);
/// Call only where rocket_crc32c_has_hardware() said yes.
uint32_t rocket_crc32c_hardware(const void *bytes, size_t count);
/// Any CPU.
uint32_t rocket_crc32c_table(const void *bytes, size_t count);
#endif
