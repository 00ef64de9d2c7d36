// The streams of bench.proto by gRPC's asynchronous C++ API, for a server with one completion queue.
#ifndef GRPC_ASYNC_STREAMS_H
#define GRPC_ASYNC_STREAMS_H

#include <grpcpp/grpcpp.h>

#include "bench.grpc.pb.h"

// What is behind each tag of the queue.
struct Step {
    virtual ~Step() = default;
    virtual void proceed(bool ok) = 0;
};

inline grpc::WriteOptions write_options; // of floods

struct StreamStep : Step {
    rocket::bench::Streams::AsyncService *service;
    grpc::ServerCompletionQueue *queue;
    grpc::ServerContext context;
    enum { ACCEPTING, READING, WRITING, FINISHING } state = ACCEPTING;

    StreamStep(rocket::bench::Streams::AsyncService *service, grpc::ServerCompletionQueue *queue)
        : service(service), queue(queue) {}
};

struct SendStep final : StreamStep {
    rocket::bench::Message message;
    rocket::bench::Total total;
    grpc::ServerAsyncReader<rocket::bench::Total, rocket::bench::Message> reader{&context};

    SendStep(rocket::bench::Streams::AsyncService *s, grpc::ServerCompletionQueue *q) : StreamStep(s, q) {
        service->RequestSend(&context, &reader, queue, queue, this);
    }

    void proceed(bool ok) override {
        if (state == FINISHING || (state == ACCEPTING && !ok)) return delete this;
        if (state == ACCEPTING) {
            new SendStep(service, queue); // for the next one
            state = READING;
        } else if (!ok) {
            state = FINISHING;
            return reader.Finish(total, grpc::Status::OK, this);
        } else {
            total.set_messages(total.messages() + 1);
            total.set_bytes(total.bytes() + message.body().size());
        }
        reader.Read(&message, this);
    }
};

struct ReceiveStep final : StreamStep {
    rocket::bench::Flood flood;
    rocket::bench::Message message;
    uint64_t sent = 0;
    grpc::ServerAsyncWriter<rocket::bench::Message> writer{&context};

    ReceiveStep(rocket::bench::Streams::AsyncService *s, grpc::ServerCompletionQueue *q) : StreamStep(s, q) {
        service->RequestReceive(&context, &flood, &writer, queue, queue, this);
    }

    void proceed(bool ok) override {
        if (state == FINISHING || (state == ACCEPTING && !ok)) return delete this;
        if (state == ACCEPTING) {
            new ReceiveStep(service, queue);
            message.set_body(std::string(flood.bytes(), 'a'));
            state = WRITING;
        } else if (!ok || ++sent == flood.messages()) {
            state = FINISHING;
            return writer.Finish(grpc::Status::OK, this);
        }
        writer.Write(message, write_options, this);
    }
};

struct EchoStep final : StreamStep {
    rocket::bench::Message message;
    grpc::ServerAsyncReaderWriter<rocket::bench::Message, rocket::bench::Message> stream{&context};

    EchoStep(rocket::bench::Streams::AsyncService *s, grpc::ServerCompletionQueue *q) : StreamStep(s, q) {
        service->RequestEcho(&context, &stream, queue, queue, this);
    }

    void proceed(bool ok) override {
        if (state == FINISHING || (state == ACCEPTING && !ok)) return delete this;
        if (state == ACCEPTING) new EchoStep(service, queue);
        if (!ok) {
            state = FINISHING;
            stream.Finish(grpc::Status::OK, this);
        } else if (state == READING) {
            state = WRITING;
            stream.Write(message, this);
        } else {
            state = READING;
            stream.Read(&message, this);
        }
    }
};

#endif
