// A server by gRPC's asynchronous C++ API, on one thread with one completion queue.
#include <grpcpp/grpcpp.h>

#include "order.grpc.pb.h"
#include "peer_server.h"

static std::string order_id;
static Order::AsyncService service;
static std::unique_ptr<grpc::ServerCompletionQueue> queue;

struct Call {
    grpc::ServerContext context;
    makeOrderRequest request;
    makeOrderResponse response;
    grpc::ServerAsyncResponseWriter<makeOrderResponse> writer{&context};
    bool answered = false;

    Call() { service.RequestmakeOrder(&context, &request, &writer, queue.get(), queue.get(), this); }

    void proceed(bool ok) {
        if (!ok || answered) {
            delete this;
            return;
        }
        new Call; // for the next one
        response.set_res_info("OK");
        if (request.price() > 0) response.set_order_id(order_id);
        answered = true;
        writer.Finish(response, grpc::Status::OK, this);
    }
};

int main(int argc, char **argv) {
    order_id = order_id_of(argc, argv);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(64 << 20);
    builder.RegisterService(&service);
    queue = builder.AddCompletionQueue();
    auto server = builder.BuildAndStart();
    for (int i = 0; i < 1024; i++) new Call;
    announce(port);
    void *tag;
    bool ok;
    while (queue->Next(&tag, &ok)) static_cast<Call *>(tag)->proceed(ok);
}
