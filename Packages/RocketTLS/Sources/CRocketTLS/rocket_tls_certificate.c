#include "rocket_tls.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

void rocket_tls_each_name(X509 *certificate, void *context,
                          void (*found)(void *context, int kind, const uint8_t *bytes,
                                        size_t count)) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int kind;
        ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
        if (kind != GEN_DNS && kind != GEN_URI && kind != GEN_IPADD) continue;
        const uint8_t *bytes = ASN1_STRING_get0_data(value);
        size_t count = ASN1_STRING_length(value);
        char text[INET6_ADDRSTRLEN];
        if (kind == GEN_IPADD) {
            if (count != 4 && count != 16) continue;
            if (inet_ntop(count == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text) == NULL)
                continue;
            bytes = (const uint8_t *)text;
            count = strlen(text);
        }
        found(context, kind, bytes, count);
    }
    GENERAL_NAMES_free(names);
}

/// Copies what a memory BIO holds.
static size_t copy_text(BIO *bio, char *text, size_t capacity) {
    char *bytes;
    long count = BIO_get_mem_data(bio, &bytes);
    if (count < 0) count = 0;
    if ((size_t)count >= capacity) count = capacity - 1;
    memcpy(text, bytes, count);
    text[count] = 0;
    return count;
}

size_t rocket_tls_subject(X509 *certificate, char *text, size_t capacity) {
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL) return 0;
    X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    size_t count = copy_text(bio, text, capacity);
    BIO_free(bio);
    return count;
}

size_t rocket_tls_serial(X509 *certificate, char *text, size_t capacity) {
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL) return 0;
    i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(certificate));
    size_t count = copy_text(bio, text, capacity);
    BIO_free(bio);
    return count;
}

int rocket_tls_fingerprint(X509 *certificate, uint8_t *bytes) {
    unsigned count;
    return X509_digest(certificate, EVP_sha256(), bytes, &count) && count == 32;
}

static int64_t seconds_of(const ASN1_TIME *time) {
    struct tm fields;
    return ASN1_TIME_to_tm(time, &fields) ? timegm(&fields) : 0;
}

int64_t rocket_tls_not_after(X509 *certificate) {
    return seconds_of(X509_get0_notAfter(certificate));
}

int64_t rocket_tls_not_before(X509 *certificate) {
    return seconds_of(X509_get0_notBefore(certificate));
}
