#include <libpq-fe.h>
#include <openssl/ssl.h>

/* The bytes that OpenSSL has decrypted and libpq has not taken: no event of the socket tells of
   them. */
static inline int rocket_postgres_pending(PGconn *connection) {
    SSL *ssl = (SSL *)PQsslStruct(connection, "OpenSSL");
    return ssl ? SSL_pending(ssl) : 0;
}
