#ifndef ROCKET_TLS_H
#define ROCKET_TLS_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

// MARK: Input and output

/// What a session reads and writes in place of a socket, for the time of one call into OpenSSL. The
/// memory belongs to the caller.
typedef struct {
    const uint8_t *input;
    size_t input_count;
    /// Bytes of the input that OpenSSL has taken.
    size_t input_taken;
    uint8_t *output;
    size_t output_capacity;
    /// Bytes of the output that OpenSSL has written.
    size_t output_count;
    /// The certificate of the peer, or of one of its authorities, at which the verification has failed;
    /// NULL: none. Owned: X509_free.
    X509 *refused;
    /// How many certificates are between it and the peer's own; 0: it is that.
    int refused_depth;
} rocket_tls_io;

/// Gives a session its input and output; `io` must outlive it. Returns 0: there is no memory.
int rocket_tls_set_io(SSL *ssl, rocket_tls_io *io);

// MARK: Contexts

/// Prepares the memory of keys, once; must be called before any other function of OpenSSL.
void rocket_tls_prepare(void);

/// Reads a private key without a passphrase from a PEM file of at most 64 KiB, through memory that no
/// core dump has, for the certificate of the context. Returns 0 on failure: OpenSSL's errors say why.
/// Returns -1 if others than its owner can use the file: `*mode` is its mode then, and expected is
/// 0600, or 0640 for a file of root's.
int rocket_tls_use_key(SSL_CTX *context, const char *path, unsigned *mode);

/// Options that every context has: at least `version` (TLS1_2_VERSION or TLS1_3_VERSION), no
/// compression, no renegotiation, buffers freed while they are empty, no cache of sessions. Returns 0
/// on failure.
int rocket_tls_configure(SSL_CTX *context, int version);

/// Sets the protocols of ALPN, in the format of RFC 7301: for a client those that it offers, for a
/// server those that it accepts, best first. A server refuses clients that offer others only. Returns
/// 0 on failure.
int rocket_tls_set_protocols(SSL_CTX *context, int is_server, const uint8_t *list, size_t count);

/// Makes a server choose its certificate by the name that a client asks for: the first of the
/// contexts whose certificate is valid for the name; else that of `context` itself. Holds references
/// to the contexts. Returns 0: there is no memory.
int rocket_tls_set_choices(SSL_CTX *context, SSL_CTX *const *choices, size_t count);

/// Makes sessions of a server's context resumable only by contexts that trust the same authorities and
/// demand as much of clients: the session id context is the SHA-256 of both. Call it after both are
/// set. Returns 0 on failure.
int rocket_tls_set_session_scope(SSL_CTX *context);

/// Verifies the certificates of peers, by a mode of SSL_CTX_set_verify(3). A session's input and output
/// keep the certificate that is refused, for the text of the error.
void rocket_tls_set_verification(SSL_CTX *context, int mode);

/// Returns the authority that a context trusts for longest, for as long as the context; NULL: none.
X509 *rocket_tls_last_authority(SSL_CTX *context);

// MARK: Tickets

/// The keys of session tickets: one that encrypts, and the ones before it, which still decrypt. Any
/// thread.
typedef struct rocket_tls_ticket_keys rocket_tls_ticket_keys;

/// Returns keys with a first random one, with one reference; NULL: there is no memory, or no
/// randomness.
rocket_tls_ticket_keys *rocket_tls_ticket_keys_create(void);

/// Adds a random key, which encrypts from now on; the oldest of three is forgotten. Returns 0: there
/// is no randomness, and nothing has changed.
int rocket_tls_ticket_keys_rotate(rocket_tls_ticket_keys *keys);

/// Gives up a reference.
void rocket_tls_ticket_keys_release(rocket_tls_ticket_keys *keys);

/// Makes a server's context issue one ticket per handshake, by these keys, to which it holds a
/// reference; a ticket is good for two hours, and for no longer than the client's certificate. NULL: it
/// issues none. Returns 0 on failure.
int rocket_tls_set_ticket_keys(SSL_CTX *context, rocket_tls_ticket_keys *keys);

// MARK: Certificates

/// Calls `found` for each subject alternative name of these kinds: GEN_DNS and GEN_URI (ASCII),
/// GEN_IPADD (text: `10.0.0.1`, `fd00::1`).
void rocket_tls_each_name(X509 *certificate, void *context,
                          void (*found)(void *context, int kind, const uint8_t *bytes,
                                        size_t count));

/// Writes the subject (RFC 2253) into `text`, with a zero at its end; returns its bytes without the
/// zero, cut at `capacity`.
size_t rocket_tls_subject(X509 *certificate, char *text, size_t capacity);

/// Writes the serial number in hexadecimal digits, as `rocket_tls_subject`.
size_t rocket_tls_serial(X509 *certificate, char *text, size_t capacity);

/// Writes the SHA-256 of the DER form into 32 bytes. Returns 0 on failure.
int rocket_tls_fingerprint(X509 *certificate, uint8_t *bytes);

/// Seconds since 1970 of the end of a certificate's time, or of its begin.
int64_t rocket_tls_not_after(X509 *certificate);
int64_t rocket_tls_not_before(X509 *certificate);

// MARK: Ed25519

enum { ROCKET_ED25519_KEY_BYTES = 32, ROCKET_ED25519_SIGNATURE_BYTES = 64 };

/// Writes the public key of a seed, 32 bytes each. Returns 0 on failure.
int rocket_tls_ed25519_public(const uint8_t *seed, uint8_t *public_key);

/// Writes the signature, 64 bytes, of a message by the key of a seed. Returns 0 on failure.
int rocket_tls_ed25519_sign(const uint8_t *seed, const uint8_t *message, size_t message_count,
                            uint8_t *signature);

// MARK: Sessions

/// Sets the name that a client asks for (SNI), and that a DNS name of the server's certificate must
/// match. Returns 0 on failure, also for an empty name.
int rocket_tls_expect_name(SSL *ssl, const char *name);

/// Returns 1 where a part of a record has been read, and its rest is missing.
int rocket_tls_has_partial_record(SSL *ssl);

/// Marks the session as ended, so that its ticket stays good when it is freed.
void rocket_tls_set_shut_down(SSL *ssl);

#endif
