#include "rocket_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECURE_BYTES = 1 << 20, SECURE_LEAST_BYTES = 32, MOST_KEY_FILE_BYTES = 64 << 10 };

/// While a key is read, what OpenSSL frees on this thread is overwritten: its decoders leave copies.
static _Thread_local int is_reading_key;

static void *plain_malloc(size_t count, const char *file, int line) {
    return count == 0 ? NULL : malloc(count);
}

static void cleansing_free(void *memory, const char *file, int line) {
    if (is_reading_key && memory != NULL) OPENSSL_cleanse(memory, malloc_usable_size(memory));
    free(memory);
}

static void *cleansing_realloc(void *memory, size_t count, const char *file, int line) {
    if (count == 0) {
        cleansing_free(memory, file, line);
        return NULL;
    }
    if (!is_reading_key || memory == NULL) return realloc(memory, count);
    void *moved = malloc(count);
    if (moved == NULL) return NULL;
    size_t before = malloc_usable_size(memory);
    memcpy(moved, memory, before < count ? before : count);
    cleansing_free(memory, file, line);
    return moved;
}

/// Before any other part of the process uses OpenSSL, which takes both settings only then.
__attribute__((constructor)) static void begin_process(void) {
    CRYPTO_set_mem_functions(plain_malloc, cleansing_realloc, cleansing_free);
    // At exit(3) OpenSSL would free what loops still use for their connections: they would crash.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

/// Keys of certificates, of exchanges and of tickets are in memory that no core dump has
/// (MADV_DONTDUMP), and that is not swapped out where the limit on locked memory allows that.
static void protect_keys(void) { CRYPTO_secure_malloc_init(SECURE_BYTES, SECURE_LEAST_BYTES); }

void rocket_tls_prepare(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, protect_keys);
}

/// Whether others than the owner can use a key. A file of root's may be readable by its group:
/// Debian's ssl-cert (0640), and credentials of systemd.
static int is_open_to_others(const struct stat *status) {
    mode_t others = status->st_mode & 077;
    return others != 0 && !(status->st_uid == 0 && others == 040);
}

/// Reads a file into `bytes`. Returns how many there are; -1 with an error of the system; -2: others
/// can use it, and `*mode` is its mode.
static ssize_t read_key(const char *path, char *bytes, size_t capacity, unsigned *mode) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    size_t count = 0;
    ssize_t got = -1;
    struct stat status;
    if (descriptor >= 0 && fstat(descriptor, &status) == 0) {
        // That of the file that is read, which is no other one meanwhile.
        *mode = status.st_mode & 07777;
        got = is_open_to_others(&status) ? -2 : 1;
    }
    while (got > 0 && count < capacity) {
        do got = read(descriptor, bytes + count, capacity - count);
        while (got < 0 && errno == EINTR);
        if (got > 0) count += got;
    }
    if (got == -1) ERR_raise(ERR_LIB_SYS, errno);
    if (descriptor >= 0) close(descriptor);
    return got < 0 ? got : (ssize_t)count;
}

/// Keeps OpenSSL from asking for a passphrase on the terminal.
static int no_passphrase(char *text, int capacity, int is_writing, void *context) { return -1; }

int rocket_tls_use_key(SSL_CTX *context, const char *path, unsigned *mode) {
    char *text = OPENSSL_secure_malloc(MOST_KEY_FILE_BYTES);
    if (text == NULL) {
        ERR_raise(ERR_LIB_SYS, ENOMEM);
        return 0;
    }
    int result = 0;
    ssize_t count = read_key(path, text, MOST_KEY_FILE_BYTES, mode);
    BIO *bio = count < 0 ? NULL : BIO_new_mem_buf(text, (int)count);
    if (bio != NULL) {
        is_reading_key = 1;
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
        result = key != NULL && SSL_CTX_use_PrivateKey(context, key);
        EVP_PKEY_free(key);
        is_reading_key = 0;
    }
    BIO_free(bio);
    OPENSSL_secure_clear_free(text, MOST_KEY_FILE_BYTES);
    return count == -2 ? -1 : result;
}
