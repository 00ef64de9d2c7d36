// The interoperability client on libgrpc++: unary and bidirectional cases.
//
//   interop_client PORT CASE…     exit status 0: all passed; 1: one failed; 3: a case is not written
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "grpc/testing/test.grpc.pb.h"

using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;
using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;

namespace {

const int large_request = 271828, large_response = 314159;
const int request_sizes[] = {27182, 8, 1828, 45904}, response_sizes[] = {31415, 9, 2653, 58979};
const char status_message[] = "test status message";
const char special_message[] =
    "\t\ntest with whitespace\r\nand Unicode BMP \u263A and non-BMP \U0001F608\t\n";

std::unique_ptr<grpc::testing::TestService::Stub> stub;
std::unique_ptr<grpc::testing::UnimplementedService::Stub> unimplemented;

void check(bool condition, const std::string &text) {
    if (!condition) throw std::runtime_error(text);
}

void check_code(const Status &status, StatusCode code) {
    check(status.error_code() == code, "status " + std::to_string(status.error_code()) + " (" +
                                           status.error_message() + "), not " +
                                           std::to_string(code));
}

template <typename Response> void check_size(const Response &response, int size) {
    check(response.payload().body() == std::string(size, '\0'),
          std::to_string(response.payload().body().size()) + " bytes, not " + std::to_string(size));
}

/// A context of a call that ends after 20 s at the latest.
struct Context : ClientContext {
    Context() { set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20)); }
};

SimpleRequest large() {
    SimpleRequest request;
    request.set_response_size(large_response);
    request.mutable_payload()->set_body(std::string(large_request, '\0'));
    return request;
}

StreamingOutputCallRequest output(int size, int response) {
    StreamingOutputCallRequest request;
    request.mutable_payload()->set_body(std::string(size, '\0'));
    request.add_response_parameters()->set_size(response);
    return request;
}

void empty_unary() {
    Context context;
    Empty response;
    check_code(stub->EmptyCall(&context, Empty(), &response), StatusCode::OK);
}

void large_unary() {
    Context context;
    SimpleResponse response;
    check_code(stub->UnaryCall(&context, large(), &response), StatusCode::OK);
    check_size(response, large_response);
}

void ping_pong() {
    Context context;
    auto stream = stub->FullDuplexCall(&context);
    StreamingOutputCallResponse response;
    for (int i = 0; i < 4; i++) {
        check(stream->Write(output(request_sizes[i], response_sizes[i])), "can't write");
        check(stream->Read(&response), "can't read");
        check_size(response, response_sizes[i]);
    }
    stream->WritesDone();
    check(!stream->Read(&response), "more responses");
    check_code(stream->Finish(), StatusCode::OK);
}

void empty_stream() {
    Context context;
    auto stream = stub->FullDuplexCall(&context);
    stream->WritesDone();
    StreamingOutputCallResponse response;
    check(!stream->Read(&response), "a response");
    check_code(stream->Finish(), StatusCode::OK);
}

void add_metadata(ClientContext &context) {
    context.AddMetadata("x-grpc-test-echo-initial", "test_initial_metadata_value");
    context.AddMetadata("x-grpc-test-echo-trailing-bin", "\xab\xab\xab");
}

void check_metadata(const ClientContext &context) {
    const auto &initial = context.GetServerInitialMetadata();
    auto first = initial.find("x-grpc-test-echo-initial");
    check(first != initial.end() && first->second == "test_initial_metadata_value", "initial");
    const auto &trailing = context.GetServerTrailingMetadata();
    auto last = trailing.find("x-grpc-test-echo-trailing-bin");
    check(last != trailing.end() && last->second == "\xab\xab\xab", "trailing");
}

void custom_metadata() {
    Context context;
    add_metadata(context);
    SimpleResponse response;
    check_code(stub->UnaryCall(&context, large(), &response), StatusCode::OK);
    check_metadata(context);
    Context second;
    add_metadata(second);
    auto stream = stub->FullDuplexCall(&second);
    check(stream->Write(output(large_request, large_response)), "can't write");
    stream->WritesDone();
    StreamingOutputCallResponse output;
    check(stream->Read(&output), "can't read");
    check_size(output, large_response);
    check(!stream->Read(&output), "more responses");
    check_code(stream->Finish(), StatusCode::OK);
    check_metadata(second);
}

void check_status(const char *message) {
    Context context;
    SimpleRequest request;
    request.mutable_response_status()->set_code(2);
    request.mutable_response_status()->set_message(message);
    SimpleResponse response;
    Status status = stub->UnaryCall(&context, request, &response);
    check_code(status, StatusCode::UNKNOWN);
    check(status.error_message() == message, status.error_message());
}

void status_code_and_message() {
    check_status(status_message);
    Context context;
    auto stream = stub->FullDuplexCall(&context);
    StreamingOutputCallRequest request;
    request.mutable_response_status()->set_code(2);
    request.mutable_response_status()->set_message(status_message);
    stream->Write(request);
    stream->WritesDone();
    StreamingOutputCallResponse response;
    check(!stream->Read(&response), "a response");
    Status status = stream->Finish();
    check_code(status, StatusCode::UNKNOWN);
    check(status.error_message() == status_message, status.error_message());
}

void special_status_message() { check_status(special_message); }

void unimplemented_method() {
    Context context;
    Empty response;
    check_code(stub->UnimplementedCall(&context, Empty(), &response), StatusCode::UNIMPLEMENTED);
}

void unimplemented_service() {
    Context context;
    Empty response;
    check_code(unimplemented->UnimplementedCall(&context, Empty(), &response),
               StatusCode::UNIMPLEMENTED);
}

void cancel_after_first_response() {
    Context context;
    auto stream = stub->FullDuplexCall(&context);
    check(stream->Write(output(27182, 31415)), "can't write");
    StreamingOutputCallResponse response;
    check(stream->Read(&response), "can't read");
    context.TryCancel();
    check_code(stream->Finish(), StatusCode::CANCELLED);
}

void timeout_on_sleeping_server() {
    ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
    auto stream = stub->FullDuplexCall(&context);
    StreamingOutputCallRequest request;
    request.mutable_payload()->set_body(std::string(27182, '\0'));
    stream->Write(request);
    check_code(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
}

const std::map<std::string, std::function<void()>> cases = {
    {"empty_unary", empty_unary},
    {"large_unary", large_unary},
    {"ping_pong", ping_pong},
    {"empty_stream", empty_stream},
    {"custom_metadata", custom_metadata},
    {"status_code_and_message", status_code_and_message},
    {"special_status_message", special_status_message},
    {"unimplemented_method", unimplemented_method},
    {"unimplemented_service", unimplemented_service},
    {"cancel_after_first_response", cancel_after_first_response},
    {"timeout_on_sleeping_server", timeout_on_sleeping_server},
};

}  // namespace

int main(int count, char **arguments) {
    if (count < 3) return 2;
    auto channel = grpc::CreateChannel(std::string("127.0.0.1:") + arguments[1],
                                       grpc::InsecureChannelCredentials());
    stub = grpc::testing::TestService::NewStub(channel);
    unimplemented = grpc::testing::UnimplementedService::NewStub(channel);
    int result = 0;
    for (int i = 2; i < count; i++) {
        auto found = cases.find(arguments[i]);
        if (found == cases.end()) {
            std::printf("%s: not applicable\n", arguments[i]);
            if (count == 3) return 3;
            continue;
        }
        try {
            found->second();
            std::printf("%s: passed\n", arguments[i]);
        } catch (const std::exception &error) {
            std::printf("%s: FAILED: %s\n", arguments[i], error.what());
            result = 1;
        }
        std::fflush(stdout);
    }
    return result;
}
