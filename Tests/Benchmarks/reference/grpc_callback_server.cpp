// A server by gRPC's C++ callback API: Order.makeOrder, and the streams of bench.proto.
//
//   grpc_callback_server [--payload BYTES] [--buffer-hint 1]
#include <grpcpp/grpcpp.h>

#include "bench.grpc.pb.h"
#include "order.grpc.pb.h"
#include "peer_server.h"

static std::string order_id;
static grpc::WriteOptions write_options; // of floods

class Orders final : public Order::CallbackService {
    grpc::ServerUnaryReactor *makeOrder(grpc::CallbackServerContext *context,
                                        const makeOrderRequest *request,
                                        makeOrderResponse *response) override {
        response->set_res_info("OK");
        if (request->price() > 0) response->set_order_id(order_id);
        auto reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }
};

using namespace rocket::bench;

class SendReactor final : public grpc::ServerReadReactor<Message> {
public:
    explicit SendReactor(Total *total) : total(total) { StartRead(&message); }
    void OnReadDone(bool ok) override {
        if (!ok) return Finish(grpc::Status::OK);
        total->set_messages(total->messages() + 1);
        total->set_bytes(total->bytes() + message.body().size());
        StartRead(&message);
    }
    void OnDone() override { delete this; }

private:
    Total *total;
    Message message;
};

class ReceiveReactor final : public grpc::ServerWriteReactor<Message> {
public:
    explicit ReceiveReactor(const Flood *flood) : messages(flood->messages()) {
        message.set_body(std::string(flood->bytes(), 'a'));
        StartWrite(&message, write_options);
    }
    void OnWriteDone(bool ok) override {
        if (!ok || ++sent == messages) return Finish(grpc::Status::OK);
        StartWrite(&message, write_options);
    }
    void OnDone() override { delete this; }

private:
    uint64_t messages, sent = 0;
    Message message;
};

class EchoReactor final : public grpc::ServerBidiReactor<Message, Message> {
public:
    EchoReactor() { StartRead(&message); }
    void OnReadDone(bool ok) override {
        if (!ok) return Finish(grpc::Status::OK);
        StartWrite(&message);
    }
    void OnWriteDone(bool ok) override {
        if (!ok) return Finish(grpc::Status::OK);
        StartRead(&message);
    }
    void OnDone() override { delete this; }

private:
    Message message;
};

class BenchStreams final : public Streams::CallbackService {
    grpc::ServerReadReactor<Message> *Send(grpc::CallbackServerContext *, Total *total) override {
        return new SendReactor(total);
    }
    grpc::ServerWriteReactor<Message> *Receive(grpc::CallbackServerContext *,
                                               const Flood *flood) override {
        return new ReceiveReactor(flood);
    }
    grpc::ServerBidiReactor<Message, Message> *Echo(grpc::CallbackServerContext *) override {
        return new EchoReactor;
    }
};

int main(int argc, char **argv) {
    order_id = order_id_of(argc, argv);
    if (has_buffer_hint(argc, argv)) write_options.set_buffer_hint();
    Orders orders;
    BenchStreams streams;
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(64 << 20);
    builder.RegisterService(&orders);
    builder.RegisterService(&streams);
    auto server = builder.BuildAndStart();
    announce(port);
    server->Wait();
}
