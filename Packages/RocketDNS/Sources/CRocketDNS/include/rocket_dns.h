#ifndef ROCKET_DNS_H
#define ROCKET_DNS_H

#include <stddef.h>
#include <stdint.h>

/// How a query has ended.
enum {
    /// There is an answer, whose code is for the caller to read.
    ROCKET_DNS_ANSWERED = 0,
    ROCKET_DNS_NO_SUCH_NAME,
    ROCKET_DNS_TIMED_OUT,
    ROCKET_DNS_SERVER_FAILED,
    ROCKET_DNS_REFUSED,
    ROCKET_DNS_NOT_SUPPORTED,
    ROCKET_DNS_UNREACHABLE,
    ROCKET_DNS_MALFORMED,
    ROCKET_DNS_BAD_NAME,
    ROCKET_DNS_NO_MEMORY,
    ROCKET_DNS_CANCELLED,
};

/// An IP address; numbers in the order of this machine.
typedef struct {
    int is_ipv6;
    uint32_t ipv4;
    uint64_t ipv6_high, ipv6_low;
    uint16_t port;
    uint32_t scope;
} rocket_dns_address;

// MARK: Channels

/// c-ares with its servers, sockets and queries. Used by one thread at a time.
typedef struct rocket_dns_channel rocket_dns_channel;

/// What a channel calls, with its context, during the calls of rocket_dns_query, _ready, _expire,
/// _cancel and _free only. These functions must not call the channel.
typedef struct {
    /// Which events of a socket are to be watched; none: the socket is closed after the call.
    void (*socket_changed)(void *context, int descriptor, int readable, int writable);
    /// A query has ended: once for each. `bytes`: the answer, or NULL.
    void (*ended)(void *context, uint64_t number, int status, const uint8_t *bytes, size_t count);
} rocket_dns_callbacks;

typedef struct {
    /// Of one try, in milliseconds; doubled after all servers have been asked.
    int timeout_ms;
    /// How often each server is asked.
    int tries;
    /// The servers in place of those of resolv.conf; with a count of 0 those of resolv.conf.
    const rocket_dns_address *servers;
    size_t server_count;
    const char *resolv_conf;
} rocket_dns_settings;

/// Makes a channel. Reads resolv.conf, nsswitch.conf and host.conf. `context` must outlive it.
/// Returns NULL: there is no memory, or the files can't be read; `*error`: a text that is never freed.
rocket_dns_channel *rocket_dns_create(const rocket_dns_settings *settings,
                                      const rocket_dns_callbacks *callbacks, void *context,
                                      const char **error);

/// Ends all queries, closes all sockets, frees the channel.
void rocket_dns_free(rocket_dns_channel *channel);

/// Asks for the records of a type. May call `ended` at once.
void rocket_dns_query(rocket_dns_channel *channel, const char *name, int type, uint64_t number);

/// Reads and writes a socket.
void rocket_dns_ready(rocket_dns_channel *channel, int descriptor, int readable, int writable);

/// Asks again what has got no answer in time.
void rocket_dns_expire(rocket_dns_channel *channel);

/// Ends all queries.
void rocket_dns_cancel(rocket_dns_channel *channel);

/// Microseconds until rocket_dns_expire has something to do; -1: nothing waits.
int64_t rocket_dns_wait_us(rocket_dns_channel *channel);

/// The domains that relative names are searched in.
size_t rocket_dns_domain_count(const rocket_dns_channel *channel);
const char *rocket_dns_domain(const rocket_dns_channel *channel, size_t index);
/// A name with so many dots is asked for as it is first.
int rocket_dns_dots(const rocket_dns_channel *channel);

/// Writes the servers, at most `most`. Returns their number.
size_t rocket_dns_servers(rocket_dns_channel *channel, rocket_dns_address *servers, size_t most);

// MARK: System

/// Finds the source address of packets to an address, without sending one. Returns 0, or -1: there is
/// no route.
int rocket_dns_source(const rocket_dns_address *to, rocket_dns_address *source);

/// What differs after a file was changed or replaced; all 0: there is no such file.
typedef struct {
    uint64_t device, inode, size;
    int64_t changed_ns;
} rocket_dns_stamp;

rocket_dns_stamp rocket_dns_file_stamp(const char *path);

#endif
