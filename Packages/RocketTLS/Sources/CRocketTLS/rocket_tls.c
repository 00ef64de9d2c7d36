#include "rocket_tls.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// MARK: Input and output

static int io_read(BIO *bio, char *bytes, size_t count, size_t *taken) {
    rocket_tls_io *io = BIO_get_data(bio);
    size_t left = io->input_count - io->input_taken;
    BIO_clear_retry_flags(bio);
    if (left == 0) {
        BIO_set_retry_read(bio);
        *taken = 0;
        return 0;
    }
    if (count > left) count = left;
    memcpy(bytes, io->input + io->input_taken, count);
    io->input_taken += count;
    *taken = count;
    return 1;
}

static int io_write(BIO *bio, const char *bytes, size_t count, size_t *written) {
    rocket_tls_io *io = BIO_get_data(bio);
    size_t room = io->output_capacity - io->output_count;
    BIO_clear_retry_flags(bio);
    if (room == 0) {
        BIO_set_retry_write(bio);
        *written = 0;
        return 0;
    }
    if (count > room) count = room;
    memcpy(io->output + io->output_count, bytes, count);
    io->output_count += count;
    *written = count;
    return 1;
}

static long io_control(BIO *bio, int command, long number, void *pointer) {
    // OpenSSL asks for the flush after each flight of a handshake, and demands that it succeeds.
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void make_method(void) {
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rocket");
    if (method == NULL) return;
    BIO_meth_set_read_ex(method, io_read);
    BIO_meth_set_write_ex(method, io_write);
    BIO_meth_set_ctrl(method, io_control);
}

int rocket_tls_set_io(SSL *ssl, rocket_tls_io *io) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    BIO *bio = method == NULL ? NULL : BIO_new(method);
    if (bio == NULL) return 0;
    BIO_set_data(bio, io);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return 1;
}

// MARK: Contexts

int rocket_tls_configure(SSL_CTX *context, int version) {
    if (!SSL_CTX_set_min_proto_version(context, version)) return 0;
    // Of TLS 1.2 only what TLS 1.3 has as well: forward secrecy, authenticated encryption.
    if (!SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20")) return 0;
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Not SSL_MODE_ENABLE_PARTIAL_WRITE: where a client asks for short records (RFC 6066, 4), all of
    // them must be written.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return 1;
}

/// Something that a context owns, freed with it.
typedef struct {
    size_t count;
    union {
        uint8_t protocols[1];
        SSL_CTX *choices[1];
    } items;
} owned;

static void free_owned(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number,
                       void *argument) {
    free(pointer);
}

static void free_choices(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number,
                         void *argument) {
    owned *choices = pointer;
    if (choices == NULL) return;
    for (size_t i = 0; i < choices->count; i++) SSL_CTX_free(choices->items.choices[i]);
    free(choices);
}

static void free_keys(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number,
                      void *argument) {
    rocket_tls_ticket_keys_release(pointer);
}

static int protocols_index = -1, choices_index = -1, keys_index = -1;

static void make_indices(void) {
    protocols_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_owned);
    choices_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_choices);
    keys_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_keys);
}

/// Makes the context own `pointer`, at one of the indices.
static int own(SSL_CTX *context, const int *index, void *pointer) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_indices);
    return *index >= 0 && SSL_CTX_set_ex_data(context, *index, pointer);
}

static int choose_protocol(SSL *ssl, const uint8_t **chosen, uint8_t *chosen_count,
                           const uint8_t *offered, unsigned offered_count, void *argument) {
    const owned *list = argument;
    uint8_t *found;
    if (SSL_select_next_proto(&found, chosen_count, list->items.protocols, list->count, offered,
                              offered_count) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

int rocket_tls_set_protocols(SSL_CTX *context, int is_server, const uint8_t *list, size_t count) {
    if (!is_server) return SSL_CTX_set_alpn_protos(context, list, count) == 0;
    owned *copy = malloc(sizeof *copy + count);
    if (copy == NULL) return 0;
    copy->count = count;
    memcpy(copy->items.protocols, list, count);
    if (!own(context, &protocols_index, copy)) {
        free(copy);
        return 0;
    }
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, copy);
    return 1;
}

static int choose_context(SSL *ssl, int *alert, void *argument) {
    const owned *choices = argument;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == NULL) return SSL_TLSEXT_ERR_NOACK;
    for (size_t i = 0; i < choices->count; i++) {
        SSL_CTX *choice = choices->items.choices[i];
        X509 *certificate = SSL_CTX_get0_certificate(choice);
        if (certificate != NULL && X509_check_host(certificate, name, 0, 0, NULL) == 1) {
            SSL_set_SSL_CTX(ssl, choice);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_OK;
}

int rocket_tls_set_choices(SSL_CTX *context, SSL_CTX *const *choices, size_t count) {
    owned *copy = malloc(sizeof *copy + count * sizeof(SSL_CTX *));
    if (copy == NULL) return 0;
    copy->count = count;
    for (size_t i = 0; i < count; i++) copy->items.choices[i] = choices[i];
    if (!own(context, &choices_index, copy)) {
        free(copy);
        return 0;
    }
    for (size_t i = 0; i < count; i++) SSL_CTX_up_ref(choices[i]);
    SSL_CTX_set_tlsext_servername_callback(context, choose_context);
    SSL_CTX_set_tlsext_servername_arg(context, copy);
    return 1;
}

int rocket_tls_set_session_scope(SSL_CTX *context) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    int mode = SSL_CTX_get_verify_mode(context);
    // Sorted by subject.
    STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    int is_done = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) &&
                  EVP_DigestUpdate(hash, &mode, sizeof mode);
    for (int i = 0; is_done && i < sk_X509_OBJECT_num(trusted); i++) {
        X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));
        if (certificate == NULL) continue;
        is_done = X509_digest(certificate, EVP_sha256(), digest, &count) &&
                  EVP_DigestUpdate(hash, digest, count);
    }
    is_done = is_done && EVP_DigestFinal_ex(hash, digest, &count) &&
              SSL_CTX_set_session_id_context(context, digest, count);
    EVP_MD_CTX_free(hash);
    return is_done;
}

static int keep_refused(int is_good, X509_STORE_CTX *store) {
    if (is_good) return 1;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    BIO *bio = ssl == NULL ? NULL : SSL_get_rbio(ssl);
    rocket_tls_io *io = bio == NULL ? NULL : BIO_get_data(bio);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    if (io != NULL && io->refused == NULL && certificate != NULL && X509_up_ref(certificate)) {
        io->refused = certificate;
        io->refused_depth = X509_STORE_CTX_get_error_depth(store);
    }
    return 0;
}

void rocket_tls_set_verification(SSL_CTX *context, int mode) {
    SSL_CTX_set_verify(context, mode, keep_refused);
}

X509 *rocket_tls_last_authority(SSL_CTX *context) {
    STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    X509 *last = NULL;
    for (int i = 0; i < sk_X509_OBJECT_num(trusted); i++) {
        X509 *found = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));
        if (found != NULL && (last == NULL || ASN1_TIME_compare(X509_get0_notAfter(found),
                                                                X509_get0_notAfter(last)) > 0))
            last = found;
    }
    return last;
}

// MARK: Tickets

enum { NAME_BYTES = 16, AES_BYTES = 32, HMAC_BYTES = 32, MOST_KEYS = 3 };

typedef struct {
    uint8_t name[NAME_BYTES];
    uint8_t aes[AES_BYTES];
    uint8_t hmac[HMAC_BYTES];
} ticket_key;

struct rocket_tls_ticket_keys {
    atomic_int references;
    pthread_mutex_t lock;
    int count;
    /// The newest first.
    ticket_key keys[MOST_KEYS];
};

rocket_tls_ticket_keys *rocket_tls_ticket_keys_create(void) {
    rocket_tls_prepare();
    rocket_tls_ticket_keys *keys = OPENSSL_secure_zalloc(sizeof *keys);
    if (keys == NULL) return NULL;
    atomic_init(&keys->references, 1);
    pthread_mutex_init(&keys->lock, NULL);
    if (!rocket_tls_ticket_keys_rotate(keys)) {
        rocket_tls_ticket_keys_release(keys);
        return NULL;
    }
    return keys;
}

int rocket_tls_ticket_keys_rotate(rocket_tls_ticket_keys *keys) {
    ticket_key key;
    if (RAND_bytes((uint8_t *)&key, sizeof key) != 1) return 0;
    pthread_mutex_lock(&keys->lock);
    memmove(keys->keys + 1, keys->keys, (MOST_KEYS - 1) * sizeof key);
    keys->keys[0] = key;
    if (keys->count < MOST_KEYS) keys->count += 1;
    pthread_mutex_unlock(&keys->lock);
    OPENSSL_cleanse(&key, sizeof key);
    return 1;
}

void rocket_tls_ticket_keys_release(rocket_tls_ticket_keys *keys) {
    if (keys == NULL || atomic_fetch_sub(&keys->references, 1) != 1) return;
    pthread_mutex_destroy(&keys->lock);
    OPENSSL_secure_clear_free(keys, sizeof *keys);
}

/// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): returns 1: go on; 2: go on, and issue a new ticket; 0: the
/// key is unknown, so the handshake is a full one; -1: an error.
static int ticket_key_of(SSL *ssl, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher,
                         EVP_MAC_CTX *mac, int is_encryption) {
    rocket_tls_ticket_keys *keys = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index);
    if (keys == NULL) return -1;
    ticket_key key;
    int found = -1;
    pthread_mutex_lock(&keys->lock);
    if (is_encryption) {
        found = 0;
    } else {
        for (int i = 0; i < keys->count && found < 0; i++)
            if (memcmp(keys->keys[i].name, name, NAME_BYTES) == 0) found = i;
    }
    if (found >= 0) key = keys->keys[found];
    pthread_mutex_unlock(&keys->lock);
    if (found < 0) return 0;

    int result = found == 0 ? 1 : 2;
    if (is_encryption) {
        memcpy(name, key.name, NAME_BYTES);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) result = -1;
    }
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.hmac, HMAC_BYTES),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    if (!EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv, is_encryption) ||
        !EVP_MAC_CTX_set_params(mac, parameters))
        result = -1;
    OPENSSL_cleanse(&key, sizeof key);
    return result;
}

/// Makes a ticket good for no longer than the certificate that the client has shown: resuming a session
/// checks none, and gives the client a new ticket.
static int limit_ticket(SSL *ssl, void *argument) {
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    SSL_SESSION *session = SSL_get_session(ssl);
    int days, seconds;
    if (certificate == NULL) return 1;
    if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate))) return 0;
    long left = days < 0 || seconds < 0 ? 0 : days * 86400L + seconds;
    if (left < SSL_SESSION_get_timeout(session)) SSL_SESSION_set_timeout(session, left);
    return 1;
}

int rocket_tls_set_ticket_keys(SSL_CTX *context, rocket_tls_ticket_keys *keys) {
    if (keys == NULL) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(context, 0);
    }
    if (!own(context, &keys_index, keys)) return 0;
    atomic_fetch_add(&keys->references, 1);
    return SSL_CTX_set_num_tickets(context, 1) &&
           SSL_CTX_set_session_ticket_cb(context, limit_ticket, NULL, NULL) &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key_of);
}

// MARK: Sessions

int rocket_tls_expect_name(SSL *ssl, const char *name) {
    // RFC 9525: a common name is no DNS name, since who issues certificates to clients may let them
    // choose it; and `*` is a whole label.
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(ssl, name) && SSL_set1_host(ssl, name);
}

int rocket_tls_has_partial_record(SSL *ssl) {
    // A part of a header counts as pending; behind a header the state is that of a body.
    return SSL_has_pending(ssl) || SSL_rstate_string(ssl)[1] == 'B';
}

void rocket_tls_set_shut_down(SSL *ssl) {
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}
