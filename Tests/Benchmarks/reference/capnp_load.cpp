// A load by Cap'n Proto's asynchronous client; options and JSON as in tinypb_load.
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

static kj::Promise<void> once(Order::Client &client, uint64_t began) {
    auto request = client.makeOrderRequest();
    request.setPrice(100);
    request.setGoods(goods.c_str());
    return request.send().then([began](auto &&reply) {
        if (reply.getResInfo() != "OK") {
            fprintf(stderr, "wrong reply\n");
            _exit(1);
        }
        record_latency(&report, now_ns() - began);
        report.calls++;
    });
}

static kj::Promise<void> call(Order::Client &client, uint64_t end) {
    uint64_t began = now_ns();
    if (began >= end) return kj::READY_NOW;
    return once(client, began).then([&client, end]() { return call(client, end); });
}

static void run(double seconds, std::vector<Order::Client> &clients, kj::WaitScope &scope) {
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    kj::Vector<kj::Promise<void>> promises;
    for (auto &client : clients)
        for (int n = 0; n < options.in_flight; n++) promises.add(call(client, end));
    kj::joinPromises(promises.releaseAsArray()).wait(scope);
}

struct Trouble final : kj::TaskSet::ErrorHandler {
    void taskFailed(kj::Exception &&exception) override {
        fprintf(stderr, "%s\n", exception.getDescription().cStr());
        _exit(1);
    }
};

// With --rate: calls begin when they are due, on each connection in turn, and latency counts from
// then.
static void run_open(double seconds, std::vector<Order::Client> &clients, kj::WaitScope &scope) {
    static Trouble trouble;
    static kj::TaskSet calls(trouble);
    static uint64_t under_way;
    uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), begun = 0, now;
    uint64_t most = (uint64_t)options.connections * (uint64_t)options.in_flight;
    while ((now = now_ns()) < end) {
        for (; under_way < most && due_ns(&options, start, begun) <= now; begun++) {
            under_way++;
            auto &client = clients[begun % clients.size()];
            calls.add(once(client, due_ns(&options, start, begun)).then([]() { under_way--; }));
        }
        scope.poll();
    }
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
    auto measured = options.rate > 0 ? run_open : run;
    measured(options.seconds * 0.2, clients, scope);
    report_begin(&report, &options);
    measured(options.seconds, clients, scope);
    report_end(&report, &options);
    report_print(&report);
    fflush(stdout);
    _exit(0); // calls are still in flight
}
