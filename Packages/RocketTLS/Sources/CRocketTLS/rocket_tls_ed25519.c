#include "rocket_tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static EVP_PKEY *private_key(const uint8_t *seed) {
    rocket_tls_prepare();
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ROCKET_ED25519_KEY_BYTES);
}

int rocket_tls_ed25519_public(const uint8_t *seed, uint8_t *public_key) {
    EVP_PKEY *key = private_key(seed);
    size_t count = ROCKET_ED25519_KEY_BYTES;
    int is_done = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &count) == 1;
    EVP_PKEY_free(key);
    return is_done;
}

int rocket_tls_ed25519_sign(const uint8_t *seed, const uint8_t *message, size_t message_count,
                            uint8_t *signature) {
    EVP_PKEY *key = private_key(seed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t count = ROCKET_ED25519_SIGNATURE_BYTES;
    // Ed25519 hashes by itself: it is given no digest, and the whole message at once.
    int is_done = key != NULL && context != NULL
        && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1
        && EVP_DigestSign(context, signature, &count, message, message_count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return is_done;
}
