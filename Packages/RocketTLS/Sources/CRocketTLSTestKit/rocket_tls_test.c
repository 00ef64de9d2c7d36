// For RAND_METHOD: a provider that is seeded would have to be a library of its own.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "rocket_tls_test.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

static FILE *open_file(const char *path, const char *suffix, const char *mode) {
    char full[4096];
    snprintf(full, sizeof full, "%s%s", path, suffix);
    return fopen(full, mode);
}

static X509 *read_certificate(const char *path) {
    FILE *file = open_file(path, ".crt", "r");
    if (file == NULL) return NULL;
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    return certificate;
}

static EVP_PKEY *read_key(const char *path) {
    FILE *file = open_file(path, ".key", "r");
    if (file == NULL) return NULL;
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    return key;
}

static int write_files(const char *path, X509 *certificate, EVP_PKEY *key) {
    FILE *file = open_file(path, ".crt", "w");
    if (file == NULL) return 0;
    int is_written = PEM_write_X509(file, certificate);
    is_written &= fclose(file) == 0;
    file = open_file(path, ".key", "w");
    if (file == NULL) return 0;
    fchmod(fileno(file), 0600);
    is_written &= PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    return is_written & (fclose(file) == 0);
}

static int add_extension(X509 *certificate, int id, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, id, value);
    if (extension == NULL) return 0;
    int is_added = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return is_added;
}

int rocket_tls_test_certificate(const char *path, const char *common_name, const char *names,
                                const char *issuer, int64_t not_before, int64_t not_after) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509 *issuer_certificate = issuer == NULL ? NULL : read_certificate(issuer);
    EVP_PKEY *issuer_key = issuer == NULL ? NULL : read_key(issuer);
    int is_made = 0;
    if (key == NULL || certificate == NULL) goto end;
    if (issuer != NULL && (issuer_certificate == NULL || issuer_key == NULL)) goto end;

    uint64_t serial;
    RAND_bytes((unsigned char *)&serial, sizeof serial);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), not_before);
    X509_gmtime_adj(X509_getm_notAfter(certificate), not_after);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               (const unsigned char *)common_name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer_certificate ? issuer_certificate
                                                                               : certificate));
    if (!add_extension(certificate, NID_basic_constraints,
                       issuer == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE"))
        goto end;
    if (names != NULL && !add_extension(certificate, NID_subject_alt_name, names)) goto end;
    if (!X509_sign(certificate, issuer_key ? issuer_key : key, EVP_sha256())) goto end;
    is_made = write_files(path, certificate, key);
end:
    X509_free(issuer_certificate);
    EVP_PKEY_free(issuer_key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return is_made;
}

// MARK: Randomness

static _Thread_local uint64_t random_state;
static _Thread_local int is_seeded;

/// SplitMix64 (Steele, Lea and Flood, 2014) on seeded threads, OpenSSL's generator on others.
static int random_bytes(unsigned char *bytes, int count) {
    if (!is_seeded) return RAND_OpenSSL()->bytes(bytes, count);
    for (int i = 0; i < count; i++) {
        uint64_t z = random_state += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        bytes[i] = (unsigned char)(z ^ (z >> 31));
    }
    return 1;
}

static int random_status(void) { return 1; }

static const RAND_METHOD random_method = {
    .bytes = random_bytes, .pseudorand = random_bytes, .status = random_status};

static void set_random_method(void) { RAND_set_rand_method(&random_method); }

void rocket_tls_test_seed(uint64_t seed) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_random_method);
    random_state = seed;
    is_seeded = 1;
}

void rocket_tls_test_unseed(void) { is_seeded = 0; }
