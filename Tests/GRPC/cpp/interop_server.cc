// The interoperability server on libgrpc++: EmptyCall, UnaryCall and FullDuplexCall of
// grpc.testing.TestService.
//
//   interop_server [PORT]     prints `listening on PORT`; ends with its standard input
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "grpc/testing/test.grpc.pb.h"

using grpc::ServerContext;
using grpc::Status;
using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;

namespace {

void echo_metadata(ServerContext *context) {
    const auto &metadata = context->client_metadata();
    auto initial = metadata.find("x-grpc-test-echo-initial");
    if (initial != metadata.end())
        context->AddInitialMetadata("x-grpc-test-echo-initial",
                                    {initial->second.data(), initial->second.size()});
    auto trailing = metadata.find("x-grpc-test-echo-trailing-bin");
    if (trailing != metadata.end())
        context->AddTrailingMetadata("x-grpc-test-echo-trailing-bin",
                                     {trailing->second.data(), trailing->second.size()});
}

template <typename Request> bool has_status(const Request &request, Status *status) {
    if (!request.has_response_status()) return false;
    *status = Status(static_cast<grpc::StatusCode>(request.response_status().code()),
                     request.response_status().message());
    return true;
}

class TestService final : public grpc::testing::TestService::Service {
    Status EmptyCall(ServerContext *context, const Empty *, Empty *) override {
        echo_metadata(context);
        return Status::OK;
    }

    Status UnaryCall(ServerContext *context, const SimpleRequest *request,
                     SimpleResponse *response) override {
        echo_metadata(context);
        Status status;
        if (has_status(*request, &status)) return status;
        response->mutable_payload()->set_body(std::string(request->response_size(), '\0'));
        return Status::OK;
    }

    Status FullDuplexCall(ServerContext *context,
                          grpc::ServerReaderWriter<StreamingOutputCallResponse,
                                                   StreamingOutputCallRequest> *stream) override {
        echo_metadata(context);
        StreamingOutputCallRequest request;
        while (stream->Read(&request)) {
            Status status;
            if (has_status(request, &status)) return status;
            for (const auto &wanted : request.response_parameters()) {
                std::this_thread::sleep_for(std::chrono::microseconds(wanted.interval_us()));
                StreamingOutputCallResponse response;
                response.mutable_payload()->set_body(std::string(wanted.size(), '\0'));
                if (!stream->Write(response)) return Status::CANCELLED;
            }
        }
        return Status::OK;
    }
};

}  // namespace

int main(int count, char **arguments) {
    TestService service;
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(std::string("127.0.0.1:") + (count > 1 ? arguments[1] : "0"),
                             grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    auto server = builder.BuildAndStart();
    if (server == nullptr) return 1;
    std::printf("listening on %d\n", port);
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    server->Shutdown(std::chrono::system_clock::now());
}
