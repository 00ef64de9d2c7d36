#ifndef ROCKET_DNS_TEST_H
#define ROCKET_DNS_TEST_H

#include <stddef.h>
#include <stdint.h>

/// Opens a UDP socket at 127.0.0.1, non-blocking; `port` 0: the kernel chooses. Returns it, or -1.
int rocket_dns_test_open(uint16_t port);

/// Receives a datagram and the port of its sender. Returns its length, or -1.
ptrdiff_t rocket_dns_test_receive(int descriptor, uint8_t *bytes, size_t count, uint16_t *port);

/// Sends a datagram to a port of 127.0.0.1.
void rocket_dns_test_send(int descriptor, const uint8_t *bytes, size_t count, uint16_t port);

#endif
