// A load of streams by gRPC's C++ client, on --in-flight streams of each connection.
//
//   --kind send      messages to the server
//   --kind receive   messages of the server
//   --kind echo      one message on its way on each stream: its echo is followed by the next
//   --api async      one thread with one completion queue (default)
//   --api callback   gRPC's threads
// --buffer-hint 1: messages that are sent may wait for those after them, as gRPC calls it.
// --payload: bytes of each message (100). Prints one line of JSON as tinypb_load; calls are messages.
#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <string>
#include <unistd.h>
#include <vector>

#include "bench.grpc.pb.h"
#include "load_report.h"

using namespace rocket::bench;

static load_options options;
static load_report report;
static std::mutex report_mutex; // of the callback API
static grpc::CompletionQueue queue;
static Message message;
static Flood flood;

// Of messages to the server; not of an echo, which would wait for nothing.
static grpc::WriteOptions write_options() {
    return options.buffer_hint ? grpc::WriteOptions().set_buffer_hint() : grpc::WriteOptions();
}

static void check(bool is_right) {
    if (is_right) return;
    fprintf(stderr, "a stream ended, or a wrong message\n");
    _exit(1);
}

static bool is_right(const Message &reply) { return reply.body().size() == message.body().size(); }

// One stream by the asynchronous API.
struct Stream {
    grpc::ClientContext context;
    virtual ~Stream() = default;
    virtual void proceed() = 0;
};

struct SendStream final : Stream {
    Total total;
    std::unique_ptr<grpc::ClientAsyncWriter<Message>> writer;
    bool is_open = false;

    explicit SendStream(Streams::Stub &stub) : writer(stub.AsyncSend(&context, &total, &queue, this)) {}
    void proceed() override {
        report.calls += is_open;
        is_open = true;
        writer->Write(message, write_options(), this);
    }
};

struct ReceiveStream final : Stream {
    Message reply;
    std::unique_ptr<grpc::ClientAsyncReader<Message>> reader;
    bool is_open = false;

    explicit ReceiveStream(Streams::Stub &stub)
        : reader(stub.AsyncReceive(&context, flood, &queue, this)) {}
    void proceed() override {
        if (is_open) check(is_right(reply));
        report.calls += is_open;
        is_open = true;
        reader->Read(&reply, this);
    }
};

struct EchoStream final : Stream {
    Message reply;
    uint64_t began = 0;
    std::unique_ptr<grpc::ClientAsyncReaderWriter<Message, Message>> stream;
    enum { OPENING, WRITING, READING } state = OPENING;

    explicit EchoStream(Streams::Stub &stub) : stream(stub.AsyncEcho(&context, &queue, this)) {}
    void proceed() override {
        if (state == WRITING) {
            state = READING;
            return stream->Read(&reply, this);
        }
        uint64_t now = now_ns();
        if (state == READING) {
            check(is_right(reply));
            record_latency(&report, now - began);
            report.calls++;
        }
        state = WRITING;
        began = now;
        stream->Write(message, this);
    }
};

// By the callback API.
struct SendReactor final : grpc::ClientWriteReactor<Message> {
    grpc::ClientContext context;
    Total total;

    explicit SendReactor(Streams::Stub &stub) {
        stub.async()->Send(&context, &total, this);
        StartWrite(&message, write_options());
        StartCall();
    }
    void OnWriteDone(bool ok) override {
        check(ok);
        __atomic_fetch_add(&report.calls, 1, __ATOMIC_RELAXED);
        StartWrite(&message, write_options());
    }
};

struct ReceiveReactor final : grpc::ClientReadReactor<Message> {
    grpc::ClientContext context;
    Message reply;

    explicit ReceiveReactor(Streams::Stub &stub) {
        stub.async()->Receive(&context, &flood, this);
        StartRead(&reply);
        StartCall();
    }
    void OnReadDone(bool ok) override {
        check(ok && is_right(reply));
        __atomic_fetch_add(&report.calls, 1, __ATOMIC_RELAXED);
        StartRead(&reply);
    }
};

struct EchoReactor final : grpc::ClientBidiReactor<Message, Message> {
    grpc::ClientContext context;
    Message reply;
    uint64_t began = now_ns();

    explicit EchoReactor(Streams::Stub &stub) {
        stub.async()->Echo(&context, this);
        StartWrite(&message);
        StartCall();
    }
    void OnWriteDone(bool ok) override {
        check(ok);
        StartRead(&reply);
    }
    void OnReadDone(bool ok) override {
        check(ok && is_right(reply));
        uint64_t now = now_ns();
        {
            std::lock_guard lock(report_mutex);
            record_latency(&report, now - began);
            report.calls++;
        }
        began = now;
        StartWrite(&message);
    }
};

static void wait(double seconds, bool is_callback) {
    if (is_callback) {
        usleep((useconds_t)(seconds * 1e6));
        return;
    }
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    void *tag;
    bool ok;
    while (now_ns() < end) {
        auto deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(10, GPR_TIMESPAN));
        if (queue.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) continue;
        check(ok);
        static_cast<Stream *>(tag)->proceed();
    }
}

int main(int argc, char **argv) {
    options_parse(&options, argc, argv);
    std::string kind = options.kind ? options.kind : "", api = options.api ? options.api : "async";
    bool is_callback = api == "callback";
    if ((kind != "send" && kind != "receive" && kind != "echo") || (!is_callback && api != "async")) {
        fprintf(stderr, "%s: --kind is send, receive or echo, --api async or callback\n", argv[0]);
        return 2;
    }
    message.set_body(std::string(options.payload ? (size_t)options.payload : 100, 'a'));
    flood.set_bytes((uint32_t)message.body().size());
    std::vector<std::unique_ptr<Streams::Stub>> stubs;
    for (int i = 0; i < options.connections; i++) {
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); // one connection per channel
        stubs.push_back(Streams::NewStub(
            grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(options.port),
                                      grpc::InsecureChannelCredentials(), arguments)));
    }
    for (auto &stub : stubs)
        for (int n = 0; n < options.in_flight; n++) {
            // Never deleted: the process ends while they are open.
            if (kind == "send") is_callback ? (void)new SendReactor(*stub) : (void)new SendStream(*stub);
            else if (kind == "receive")
                is_callback ? (void)new ReceiveReactor(*stub) : (void)new ReceiveStream(*stub);
            else is_callback ? (void)new EchoReactor(*stub) : (void)new EchoStream(*stub);
        }
    wait(options.seconds * 0.2, is_callback);
    {
        std::lock_guard lock(report_mutex);
        report_begin(&report, &options);
    }
    wait(options.seconds, is_callback);
    std::lock_guard lock(report_mutex);
    report_end(&report, &options);
    report_print(&report);
    fflush(stdout);
    _exit(0);
}
