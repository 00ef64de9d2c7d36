// The lower bound of costs: TinyPB on plain epoll in C. Parses each frame and replies with its
// msg_id; the message of the reply is encoded once, and requests are not decoded.
#define _GNU_SOURCE
#include "tinypb_server.h"

static char *message;
static size_t message_bytes;

static size_t answer(const char *request, size_t length, char *reply, size_t room) {
    (void)request, (void)length, (void)room;
    memcpy(reply, message, message_bytes);
    return message_bytes;
}

// res_info "OK", order_id "20230514" or `payload_bytes` of repeated digits.
static void make_message(void) {
    size_t count = payload_bytes ? payload_bytes : 8, n = 0;
    message = malloc(count + 32);
    memcpy(message, "\x12\x02OK\x1a", 5);
    n = 5;
    size_t rest = count;
    for (; rest > 127; rest >>= 7) message[n++] = (char)(rest | 128);
    message[n++] = (char)rest;
    for (size_t i = 0; i < count; i++) message[n + i] = "20230514"[i % 8];
    message_bytes = n + count;
}

int main(int argc, char **argv) {
    options_parse(argc, argv);
    make_message();
    return serve_forever();
}
