// A load by gRPC's asynchronous C++ client; options and JSON as in tinypb_load.
#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "grpc_files.h"
#include "load_report.h"
#include "order.grpc.pb.h"

static load_options options;
static load_report report;
static grpc::CompletionQueue queue;
static std::vector<std::unique_ptr<Order::Stub>> stubs;

struct Call {
    int stub;
    uint64_t began;
    std::unique_ptr<grpc::ClientContext> context;
    makeOrderRequest request;
    makeOrderResponse response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<makeOrderResponse>> reader;

    void start(uint64_t begins) {
        context = std::make_unique<grpc::ClientContext>();
        began = begins;
        reader = stubs[stub]->AsyncmakeOrder(context.get(), request, &queue);
        reader->Finish(&response, &status, this);
    }
};

static std::deque<Call *> idle; // with --rate: not in flight, of each connection in turn

// With --rate the queue is polled without waiting, since a timer would be late.
static bool next(void **tag) {
    bool ok;
    if (options.rate == 0) return queue.Next(tag, &ok);
    return queue.AsyncNext(tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC)) ==
           grpc::CompletionQueue::GOT_EVENT;
}

static void run(double seconds) {
    uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), begun = 0, now;
    void *tag;
    while ((now = now_ns()) < end) {
        while (options.rate > 0 && !idle.empty() && due_ns(&options, start, begun) <= now) {
            idle.front()->start(due_ns(&options, start, begun++));
            idle.pop_front();
        }
        if (!next(&tag)) continue;
        auto call = static_cast<Call *>(tag);
        if (!call->status.ok() || call->response.res_info() != "OK") {
            fprintf(stderr, "wrong reply: %s\n", call->status.error_message().c_str());
            _exit(1);
        }
        record_latency(&report, now_ns() - call->began);
        report.calls++;
        if (options.rate > 0) idle.push_back(call);
        else call->start(now_ns());
    }
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    auto credentials = grpc::InsecureChannelCredentials();
    if (options.tls_ca)
        credentials = grpc::SslCredentials({contents(options.tls_ca), contents(options.tls_key),
                                            contents(options.tls_certificate)});
    for (int i = 0; i < options.connections; i++) {
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); // one connection per channel
        arguments.SetMaxReceiveMessageSize(64 << 20);
        if (options.tls_ca) arguments.SetSslTargetNameOverride(options.tls_name);
        stubs.push_back(Order::NewStub(grpc::CreateCustomChannel(
            "127.0.0.1:" + std::to_string(options.port), credentials, arguments)));
    }
    for (int n = 0; n < options.in_flight; n++)
        for (int i = 0; i < options.connections; i++) {
            auto call = new Call;
            call->stub = i;
            call->request.set_price(100);
            call->request.set_goods(
                options.payload ? std::string((size_t)options.payload, 'a') : "apple");
            if (options.rate > 0) idle.push_back(call);
            else call->start(now_ns());
        }
    run(options.seconds * 0.2);
    report_begin(&report, &options);
    run(options.seconds);
    report_end(&report, &options);
    report_print(&report);
    fflush(stdout);
    _exit(0); // calls are still in flight
}
