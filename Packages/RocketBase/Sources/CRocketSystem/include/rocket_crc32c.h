// CRC32C (Castagnoli, RFC 3720 appendix B.4), computed by an instruction of the CPU and by table.
#ifndef ROCKET_CRC32C_H
#define ROCKET_CRC32C_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Returns whether this CPU has the instruction (SSE 4.2).
bool rocket_crc32c_has_hardware(void);
/// Computes the checksum by the instruction. Without one the process ends with SIGILL, so check
/// rocket_crc32c_has_hardware() first.
uint32_t rocket_crc32c_hardware(const void *bytes, size_t count);
/// Computes the checksum by table, on any CPU.
uint32_t rocket_crc32c_table(const void *bytes, size_t count);
#endif
