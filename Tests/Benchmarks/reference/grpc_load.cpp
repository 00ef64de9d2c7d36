// Load from gRPC's own asynchronous C++ client; options and JSON as tinypb_load.
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

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

    void start() {
        context = std::make_unique<grpc::ClientContext>();
        began = now_ns();
        reader = stubs[stub]->AsyncmakeOrder(context.get(), request, &queue);
        reader->Finish(&response, &status, this);
    }
};

static void run(double seconds) {
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    void *tag;
    bool ok;
    while (now_ns() < end && queue.Next(&tag, &ok)) {
        auto call = static_cast<Call *>(tag);
        if (!call->status.ok() || call->response.res_info() != "OK") {
            fprintf(stderr, "wrong reply: %s\n", call->status.error_message().c_str());
            _exit(1);
        }
        note_latency(&report, now_ns() - call->began);
        report.calls++;
        call->start();
    }
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    for (int i = 0; i < options.connections; i++) {
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); // a connection of its own
        arguments.SetMaxReceiveMessageSize(64 << 20);
        stubs.push_back(Order::NewStub(grpc::CreateCustomChannel(
            "127.0.0.1:" + std::to_string(options.port), grpc::InsecureChannelCredentials(),
            arguments)));
    }
    for (int i = 0; i < options.connections; i++)
        for (int n = 0; n < options.in_flight; n++) {
            auto call = new Call;
            call->stub = i;
            call->request.set_price(100);
            call->request.set_goods(
                options.payload ? std::string((size_t)options.payload, 'a') : "apple");
            call->start();
        }
    run(options.seconds * 0.2);
    report_begin(&report, &options);
    run(options.seconds);
    report_end(&report, &options);
    report_print(&report);
    fflush(stdout);
    _exit(0); // calls are under way
}
