// TLS of the load clients: a connection is plain if no --tls-ca was given, and OpenSSL's otherwise.
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "load_report.h"

static inline void tls_fail(const char *what) {
    fprintf(stderr, "%s: ", what);
    ERR_print_errors_fp(stderr);
    fprintf(stderr, "\n");
    exit(1);
}

// The context of all connections; NULL without --tls-ca.
static inline SSL_CTX *tls_context(const struct load_options *options) {
    if (!options->tls_ca) return NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (options->tls_version && strcmp(options->tls_version, "1.2") == 0)
        SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1); // one recv for header and body of a record
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (!SSL_CTX_load_verify_file(context, options->tls_ca)) tls_fail(options->tls_ca);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x08rocket/1", 9) != 0) tls_fail("ALPN");
    if (options->tls_certificate &&
        (SSL_CTX_use_certificate_chain_file(context, options->tls_certificate) != 1 ||
         SSL_CTX_use_PrivateKey_file(context, options->tls_key, SSL_FILETYPE_PEM) != 1))
        tls_fail(options->tls_certificate);
    return context;
}

// A session of a connected socket, before its handshake.
static inline SSL *tls_session(SSL_CTX *context, const struct load_options *options, int fd) {
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, options->tls_name);
    SSL_set1_host(ssl, options->tls_name);
    return ssl;
}

// send and recv: -1 with EAGAIN if nothing is possible now. `ssl` NULL: plain.
static inline ssize_t tls_result(SSL *ssl, int code, size_t count) {
    if (code == 1) return (ssize_t)count;
    switch (SSL_get_error(ssl, code)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: ERR_print_errors_fp(stderr); errno = errno ? errno : EPROTO; return -1;
    }
}

static inline ssize_t peer_send(SSL *ssl, int fd, const char *bytes, size_t count) {
    if (!ssl) return send(fd, bytes, count, MSG_NOSIGNAL);
    size_t written = 0;
    ERR_clear_error();
    int code = SSL_write_ex(ssl, bytes, count, &written);
    return tls_result(ssl, code, written);
}

static inline ssize_t peer_recv(SSL *ssl, int fd, char *bytes, size_t room) {
    if (!ssl) return recv(fd, bytes, room, 0);
    size_t taken = 0;
    ERR_clear_error();
    int code = SSL_read_ex(ssl, bytes, room, &taken);
    return tls_result(ssl, code, taken);
}

#endif
