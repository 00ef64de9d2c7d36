// A server by gRPC's asynchronous C++ API, on one thread with one completion queue: Order.makeOrder,
// and the streams of bench.proto.
//
//   grpc_server [--payload BYTES] [--buffer-hint 1] [--tls-cert FILE --tls-key FILE [--tls-client-ca FILE]]
//
// With a client CA, clients must have a certificate.
#include <grpcpp/grpcpp.h>

#include "grpc_async_streams.h"
#include "grpc_files.h"
#include "order.grpc.pb.h"
#include "peer_server.h"

static std::string order_id;
static Order::AsyncService service;
static rocket::bench::Streams::AsyncService streams;
static std::unique_ptr<grpc::ServerCompletionQueue> queue;

struct Call final : Step {
    grpc::ServerContext context;
    makeOrderRequest request;
    makeOrderResponse response;
    grpc::ServerAsyncResponseWriter<makeOrderResponse> writer{&context};
    bool answered = false;

    Call() { service.RequestmakeOrder(&context, &request, &writer, queue.get(), queue.get(), this); }

    void proceed(bool ok) override {
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

static std::shared_ptr<grpc::ServerCredentials> credentials(int argc, char **argv) {
    std::string certificate, key, ca;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--tls-cert") == 0) certificate = contents(argv[i + 1]);
        if (strcmp(argv[i], "--tls-key") == 0) key = contents(argv[i + 1]);
        if (strcmp(argv[i], "--tls-client-ca") == 0) ca = contents(argv[i + 1]);
    }
    if (certificate.empty()) return grpc::InsecureServerCredentials();
    grpc::SslServerCredentialsOptions options(
        ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                   : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = ca;
    options.pem_key_cert_pairs.push_back({key, certificate});
    return grpc::SslServerCredentials(options);
}

int main(int argc, char **argv) {
    order_id = order_id_of(argc, argv);
    if (has_buffer_hint(argc, argv)) write_options.set_buffer_hint();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", credentials(argc, argv), &port);
    builder.SetMaxReceiveMessageSize(64 << 20);
    builder.RegisterService(&service);
    builder.RegisterService(&streams);
    queue = builder.AddCompletionQueue();
    auto server = builder.BuildAndStart();
    for (int i = 0; i < 1024; i++) new Call;
    new SendStep(&streams, queue.get());
    new ReceiveStep(&streams, queue.get());
    new EchoStep(&streams, queue.get());
    announce(port);
    void *tag;
    bool ok;
    while (queue->Next(&tag, &ok)) static_cast<Step *>(tag)->proceed(ok);
}
