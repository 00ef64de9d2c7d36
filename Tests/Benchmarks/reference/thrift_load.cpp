// A load by the two halves of Thrift's C++ client, send_ and recv_: several calls are sent ahead on
// each connection, since its servers reply in order. Options and JSON as in tinypb_load.
#include <sys/epoll.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSocket.h>

#include <deque>
#include <vector>

#include "Order.h"
#include "load_report.h"

using namespace apache::thrift;

static load_options options;
static load_report report;
static Request order;

struct Peer {
    std::shared_ptr<transport::TSocket> socket;
    std::shared_ptr<transport::TFramedTransport> framed;
    std::unique_ptr<OrderClient> client;
    std::deque<uint64_t> began;

    void start_call(uint64_t begins) {
        began.push_back(begins);
        client->send_makeOrder(order);
    }

    void answered() {
        Response response;
        client->recv_makeOrder(response);
        if (response.res_info != "OK") {
            fprintf(stderr, "wrong reply\n");
            _exit(1);
        }
        record_latency(&report, now_ns() - began.front());
        began.pop_front();
        report.calls++;
        if (options.rate == 0) start_call(now_ns());
    }
};

static std::vector<Peer *> peers;

// With --rate: begins all calls that are due, on each connection in turn. If none has room, a call
// begins late, and its latency counts from when it was due.
static void ask_due(uint64_t start, uint64_t *begun) {
    static size_t next;
    for (size_t full = 0; full < peers.size() && due_ns(&options, start, *begun) <= now_ns();) {
        auto peer = peers[next++ % peers.size()];
        if (peer->began.size() >= (size_t)options.in_flight) {
            full++;
            continue;
        }
        full = 0;
        peer->start_call(due_ns(&options, start, (*begun)++));
    }
}

static void run(double seconds, int poller) {
    uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), begun = 0;
    epoll_event events[256];
    while (now_ns() < end) {
        if (options.rate > 0) ask_due(start, &begun);
        int count = epoll_wait(poller, events, 256, options.rate > 0 ? 0 : 100);
        for (int i = 0; i < count; i++) static_cast<Peer *>(events[i].data.ptr)->answered();
    }
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    order.price = 100;
    order.goods = options.payload ? std::string((size_t)options.payload, 'a') : "apple";
    int poller = epoll_create1(0);
    for (int i = 0; i < options.connections; i++) {
        auto peer = new Peer;
        peer->socket = std::make_shared<transport::TSocket>("127.0.0.1", options.port);
        peer->socket->setNoDelay(true);
        peer->socket->open();
        peer->framed = std::make_shared<transport::TFramedTransport>(peer->socket);
        peer->client = std::make_unique<OrderClient>(
            std::make_shared<protocol::TBinaryProtocol>(peer->framed));
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = peer;
        epoll_ctl(poller, EPOLL_CTL_ADD, peer->socket->getSocketFD(), &event);
        for (int n = 0; options.rate == 0 && n < options.in_flight; n++) peer->start_call(now_ns());
        peers.push_back(peer);
    }
    run(options.seconds * 0.2, poller);
    report_begin(&report, &options);
    run(options.seconds, poller);
    report_end(&report, &options);
    report_print(&report);
    fflush(stdout);
    _exit(0); // calls are still in flight
}
