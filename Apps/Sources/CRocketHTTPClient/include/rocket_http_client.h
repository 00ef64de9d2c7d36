#ifndef ROCKET_HTTP_CLIENT_H
#define ROCKET_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

// Requests over HTTP/1.1, with TLS or without, by Debian's libcurl, whose functions of options take variable arguments,
// which Swift can't pass. No proxies, no redirects, no other protocols, nothing from the environment.

/// A client with at most one connection, which it keeps. One thread at a time. Owned:
/// rocket_http_client_free.
typedef struct rocket_http_client rocket_http_client;

/// The last answer; its memory lives until the next request.
typedef struct {
    /// NULL: there is an answer; otherwise what failed.
    const char *error;
    /// The status of HTTP.
    long status;
    const uint8_t *body;
    size_t count;
} rocket_http_answer;

/// NULL: no memory.
///
/// - unix_socket: the path of a Unix socket; NULL: the host and port of the URL.
/// - timeout_ms: of one request.
/// - most_bytes: of an answer's body; a longer one is an error.
rocket_http_client *rocket_http_client_create(
    const char *unix_socket, long timeout_ms, size_t most_bytes);
void rocket_http_client_free(rocket_http_client *client);

/// Makes requests of https URLs only, TLS 1.2 at least. Returns 0, or -1: no memory.
///
/// - ca: the file of the authorities that are trusted; NULL: those of the system.
/// - certificate, key: the files that prove who the client is; NULL: none.
/// - connect_to: NAME:PORT:HOST:PORT, where to connect in place of the URL's host; NULL: there.
int rocket_http_client_use_tls(rocket_http_client *client, const char *ca, const char *certificate,
                               const char *key, const char *connect_to);

/// Blocks until the answer is there, or the request has failed.
rocket_http_answer rocket_http_client_get(rocket_http_client *client, const char *url);

/// As rocket_http_client_get, with the fields of a form, and with the header by which a page knows that
/// no browser has sent the request.
rocket_http_answer rocket_http_client_post(
    rocket_http_client *client, const char *url, const char *fields);

#endif
