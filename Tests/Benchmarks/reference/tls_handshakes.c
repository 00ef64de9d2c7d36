// The least that TLS costs with this OpenSSL: what a server is compared with.
//
//   tls_handshakes --certificate FILE --key FILE --ca FILE [--client-certificate FILE --client-key FILE]
//                  [--seconds N]
//       Handshakes of a server and a client in one thread, over memory, one JSON line for each kind:
//       full, resumed, and with --client-certificate mutual: processor time of both sides each, and
//       the heap of an idle server's side; and `records`: what the server's side needs to decrypt a
//       record of 32 requests and to encrypt one of 32 replies.
//   tls_handshakes --serve --certificate FILE --key FILE [--client-ca FILE]
//       A server of one thread that answers TinyPB calls of Order.makeOrder, one connection at a
//       time, in plain blocking code: accept, handshake, calls, close. Prints its port.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *certificate, *key, *ca, *client_ca, *client_certificate, *client_key;
static double seconds = 1;

static void fail(const char *what) {
    fprintf(stderr, "tls_handshakes: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static uint64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int choose(SSL *ssl, const unsigned char **chosen, unsigned char *count,
                  const unsigned char *offered, unsigned offered_count, void *argument) {
    (void)ssl, (void)argument;
    unsigned char *found;
    if (SSL_select_next_proto(&found, count, (const unsigned char *)"\x08rocket/1", 9, offered,
                              offered_count) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *server_context(const char *trusted) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose, NULL);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"bare", 4);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        fail("the server's certificate or key");
    if (trusted) {
        if (SSL_CTX_load_verify_file(context, trusted) != 1) fail(trusted);
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(trusted));
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return context;
}

static SSL_CTX *client_context(int is_mutual) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_load_verify_file(context, ca) != 1) fail(ca);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x08rocket/1", 9);
    if (is_mutual && (SSL_CTX_use_certificate_chain_file(context, client_certificate) != 1 ||
                      SSL_CTX_use_PrivateKey_file(context, client_key, SSL_FILETYPE_PEM) != 1))
        fail("the client's certificate or key");
    return context;
}

// One handshake and one byte to the client; adds the processor time of both sides. Takes the place of
// *session, if it is not NULL, and resumes it. The server's side is freed, or put into *kept.
static void shake(SSL_CTX *server_side, SSL_CTX *client_side, SSL_SESSION **session,
                  uint64_t *server_ns, uint64_t *client_ns, SSL **kept) {
    uint64_t start = cpu_ns(), now;
    BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
    SSL *server = SSL_new(server_side);
    SSL_set_accept_state(server);
    BIO_up_ref(up);
    BIO_up_ref(down);
    SSL_set_bio(server, up, down);
    now = cpu_ns();
    *server_ns += now - start;
    start = now;
    SSL *client = SSL_new(client_side);
    SSL_set_connect_state(client);
    SSL_set_bio(client, down, up);
    if (session && *session) SSL_set_session(client, *session);
    int is_server_done = 0, is_client_done = 0;
    while (!is_server_done || !is_client_done) {
        if (!is_client_done) is_client_done = SSL_do_handshake(client) == 1;
        now = cpu_ns();
        *client_ns += now - start;
        start = now;
        if (!is_server_done) is_server_done = SSL_do_handshake(server) == 1;
        now = cpu_ns();
        *server_ns += now - start;
        start = now;
        if (!is_client_done && SSL_get_error(client, -1) == SSL_ERROR_SSL) fail("handshake");
    }
    char byte = 'a';
    if (SSL_write(server, &byte, 1) != 1) fail("write");
    if (!kept) SSL_shutdown(server);
    now = cpu_ns();
    *server_ns += now - start;
    start = now;
    if (SSL_read(client, &byte, 1) != 1) fail("read");
    if (session) {
        if (*session && !SSL_session_reused(client)) fail("a session was not resumed");
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(client);
    }
    SSL_shutdown(client);
    SSL_free(client);
    now = cpu_ns();
    *client_ns += now - start;
    start = now;
    if (kept) {
        SSL_set_bio(server, NULL, NULL); // the memory of these is not the session's
        *kept = server;
    } else {
        SSL_free(server);
    }
    *server_ns += cpu_ns() - start;
}

// The heap of an idle server's side.
static double heap_of(SSL_CTX *server, SSL_CTX *client) {
    enum { COUNT = 500 };
    static SSL *kept[COUNT];
    uint64_t ignored = 0;
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < COUNT; i++) shake(server, client, NULL, &ignored, &ignored, &kept[i]);
    size_t bytes = mallinfo2().uordblks - before;
    for (int i = 0; i < COUNT; i++) SSL_free(kept[i]);
    return (double)bytes / COUNT;
}

static void measure(const char *kind, int is_mutual, int is_resumed) {
    SSL_CTX *server = server_context(is_mutual ? ca : NULL), *client = client_context(is_mutual);
    SSL_SESSION *session = NULL;
    uint64_t server_ns = 0, client_ns = 0, count = 0;
    for (int i = 0; i < 20; i++)
        shake(server, client, is_resumed ? &session : NULL, &server_ns, &client_ns, NULL);
    server_ns = client_ns = 0;
    while ((double)(server_ns + client_ns) < seconds * 1e9) {
        shake(server, client, is_resumed ? &session : NULL, &server_ns, &client_ns, NULL);
        count++;
    }
    printf("{\"kind\": \"%s\", \"handshakes\": %llu, \"server_us\": %.2f, \"client_us\": %.2f, "
           "\"per_second\": %.1f, \"heap_bytes\": %.0f}\n", kind, (unsigned long long)count,
           (double)server_ns / (double)count / 1000, (double)client_ns / (double)count / 1000,
           (double)count * 1e9 / (double)server_ns, heap_of(server, client));
    fflush(stdout);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

// The processor time of a server's side for a record of 32 calls in each direction.
static void measure_records(void) {
    enum { REQUESTS = 32 * 58, REPLIES = 32 * 63 };
    static char bytes[16 << 10];
    SSL_CTX *server_side = server_context(NULL), *client_side = client_context(0);
    SSL *server = SSL_new(server_side), *client = SSL_new(client_side);
    BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
    BIO_up_ref(up);
    BIO_up_ref(down);
    SSL_set_bio(server, up, down);
    SSL_set_bio(client, down, up);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < 4; i++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    uint64_t sum = 0, count = 0, begin = cpu_ns();
    while ((double)(cpu_ns() - begin) < seconds * 1e9) {
        size_t taken;
        if (SSL_write_ex(client, bytes, REQUESTS, &taken) != 1) fail("write");
        uint64_t start = cpu_ns();
        if (SSL_read_ex(server, bytes, sizeof bytes, &taken) != 1 || taken != REQUESTS) fail("read");
        if (SSL_write_ex(server, bytes, REPLIES, &taken) != 1) fail("write");
        sum += cpu_ns() - start;
        count++;
        if (SSL_read_ex(client, bytes, sizeof bytes, &taken) != 1) fail("read");
    }
    printf("{\"kind\": \"records\", \"server_us\": %.3f}\n", (double)sum / (double)count / 1000);
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(server_side);
    SSL_CTX_free(client_side);
}

// Answers the calls of one connection until its end.
static void answer(SSL *ssl) {
    char frame[4096];
    size_t have = 0, taken;
    while (SSL_read_ex(ssl, frame + have, sizeof frame - have, &taken) == 1) {
        have += taken;
        uint32_t length, id, method;
        while (have >= 9) {
            memcpy(&length, frame + 1, 4);
            length = be32toh(length);
            if (length < 26 || length > sizeof frame) return;
            if (have < length) break;
            memcpy(&id, frame + 5, 4);
            id = be32toh(id);
            if (id > length - 26) return;
            memcpy(&method, frame + 9 + id, 4);
            method = be32toh(method);
            if (method > length - 26 - id) return;
            size_t head = 13 + id + method;
            static const char rest[] = "\0\0\0\0\0\0\0\0\x12\x02OK\x1a\x08" "20230514\0\0\0\1\3";
            char reply[sizeof frame + sizeof rest];
            memcpy(reply, frame, head);
            memcpy(reply + head, rest, sizeof rest - 1);
            uint32_t whole = htobe32((uint32_t)(head + sizeof rest - 1));
            memcpy(reply + 1, &whole, 4);
            if (SSL_write_ex(ssl, reply, head + sizeof rest - 1, &taken) != 1) return;
            memmove(frame, frame + length, have - length);
            have -= length;
        }
        if (have == sizeof frame) return;
    }
}

static void ended(int number) {
    (void)number;
    _exit(0);
}

static _Noreturn void serve(void) {
    signal(SIGTERM, ended);
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = server_context(client_ca);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0)
        fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("ready, listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        SSL *ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1) {
            answer(ssl);
            SSL_shutdown(ssl);
        }
        ERR_clear_error();
        SSL_free(ssl);
        close(fd);
    }
}

int main(int argc, char **argv) {
    int is_server = 0, is_wrong = 0;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--serve") == 0) is_server = 1;
        else if (i + 1 == argc) is_wrong = 1;
        else if (strcmp(name, "--certificate") == 0) certificate = argv[++i];
        else if (strcmp(name, "--key") == 0) key = argv[++i];
        else if (strcmp(name, "--ca") == 0) ca = argv[++i];
        else if (strcmp(name, "--client-ca") == 0) client_ca = argv[++i];
        else if (strcmp(name, "--client-certificate") == 0) client_certificate = argv[++i];
        else if (strcmp(name, "--client-key") == 0) client_key = argv[++i];
        else if (strcmp(name, "--seconds") == 0) seconds = atof(argv[++i]);
        else is_wrong = 1;
    }
    if (is_wrong || !certificate || !key || (!is_server && !ca)) {
        fprintf(stderr, "usage: see the top of tls_handshakes.c\n");
        return 2;
    }
    if (is_server) serve();
    measure_records();
    measure("full", 0, 0);
    measure("resumed", 0, 1);
    if (client_certificate && client_key) measure("mutual", 1, 0);
    return 0;
}
