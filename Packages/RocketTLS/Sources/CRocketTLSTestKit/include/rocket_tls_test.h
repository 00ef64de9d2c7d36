#ifndef ROCKET_TLS_TEST_H
#define ROCKET_TLS_TEST_H

#include <stdint.h>

/// Makes a P-256 key and a certificate, and writes `PATH.key` and `PATH.crt` (PEM).
///
/// `common_name`: of the subject. `names`: the subject alternative names, as
/// `DNS:localhost,IP:127.0.0.1`; NULL: none. `issuer`: the path of the issuer's files, without
/// `.crt`; NULL: it signs itself, as an authority. `not_before`, `not_after`: seconds from now.
/// Returns 0 on failure.
int rocket_tls_test_certificate(const char *path, const char *common_name, const char *names,
                                const char *issuer, int64_t not_before, int64_t not_after);

/// Makes OpenSSL's random numbers on this thread those of a seed, until `rocket_tls_test_unseed`:
/// what it does is the same each time then. Other threads are not concerned.
void rocket_tls_test_seed(uint64_t seed);

/// Gives this thread OpenSSL's own random numbers again.
void rocket_tls_test_unseed(void);

#endif
