// Load from Cap'n Proto's own asynchronous client; options and JSON as tinypb_load.
#include <capnp/ez-rpc.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "load_report.h"
#include "order.capnp.h"

static load_options options;
static load_report report;
static std::string goods = "apple";

static kj::Promise<void> call(Order::Client &client, uint64_t end) {
    uint64_t began = now_ns();
    if (began >= end) return kj::READY_NOW;
    auto request = client.makeOrderRequest();
    request.setPrice(100);
    request.setGoods(goods.c_str());
    return request.send().then([&client, began, end](auto &&reply) {
        if (reply.getResInfo() != "OK") {
            fprintf(stderr, "wrong reply\n");
            _exit(1);
        }
        note_latency(&report, now_ns() - began);
        report.calls++;
        return call(client, end);
    });
}

static void run(double seconds, std::vector<Order::Client> &clients, kj::WaitScope &scope) {
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    kj::Vector<kj::Promise<void>> promises;
    for (auto &client : clients)
        for (int n = 0; n < options.in_flight; n++) promises.add(call(client, end));
    kj::joinPromises(promises.releaseAsArray()).wait(scope);
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    if (options.payload) goods.assign((size_t)options.payload, 'a');
    capnp::ReaderOptions limits;
    limits.traversalLimitInWords = 1ull << 40;
    std::vector<std::unique_ptr<capnp::EzRpcClient>> connections;
    std::vector<Order::Client> clients;
    for (int i = 0; i < options.connections; i++) {
        connections.push_back(std::make_unique<capnp::EzRpcClient>(
            "127.0.0.1", (unsigned)options.port, limits));
        clients.push_back(connections.back()->getMain<Order>());
    }
    auto &scope = connections[0]->getWaitScope();
    run(options.seconds * 0.2, clients, scope);
    report_begin(&report, &options);
    run(options.seconds, clients, scope);
    report_end(&report, &options);
    report_print(&report);
}
