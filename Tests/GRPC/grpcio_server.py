"""The interoperability server on grpcio: grpc.testing.TestService, without UnimplementedCall.

    grpcio_server.py [PORT]     prints `listening on PORT`; ends with its standard input
"""

import sys
import time
from concurrent import futures

import generated  # noqa: F401
import grpc
from grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

import cases


def payload(size):
    return messages_pb2.Payload(body=bytes(size))


def echo_metadata(context):
    """Sends back the two keys that the cases name."""
    for key, value in context.invocation_metadata():
        if key == cases.INITIAL_KEY:
            context.send_initial_metadata(((key, value),))
        elif key == cases.TRAILING_KEY:
            context.set_trailing_metadata(((key, value),))


def echo_status(request, context):
    """Ends the call with the status that the request names, if any."""
    if request.HasField("response_status"):
        code = request.response_status.code
        context.abort(
            next(known for known in grpc.StatusCode if known.value[0] == code),
            request.response_status.message)


class TestService(test_pb2_grpc.TestServiceServicer):
    def EmptyCall(self, request, context):
        echo_metadata(context)
        return empty_pb2.Empty()

    def UnaryCall(self, request, context):
        echo_metadata(context)
        echo_status(request, context)
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        return messages_pb2.SimpleResponse(payload=payload(request.response_size))

    def StreamingOutputCall(self, request, context):
        if any(wanted.compressed.value for wanted in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        yield from self.responses(request, context)

    def StreamingInputCall(self, requests, context):
        size = sum(len(request.payload.body) for request in requests)
        return messages_pb2.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, requests, context):
        echo_metadata(context)
        for request in requests:
            echo_status(request, context)
            yield from self.responses(request, context)

    def HalfDuplexCall(self, requests, context):
        for request in list(requests):
            yield from self.responses(request, context)

    def responses(self, request, context):
        for wanted in request.response_parameters:
            if wanted.interval_us:
                time.sleep(wanted.interval_us / 1e6)
            if wanted.HasField("compressed") and not wanted.compressed.value:
                context.disable_next_message_compression()
            yield messages_pb2.StreamingOutputCallResponse(payload=payload(wanted.size))


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    test_pb2_grpc.add_TestServiceServicer_to_server(TestService(), server)
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    wanted = sys.argv[1] if len(sys.argv) > 1 else "0"
    port = server.add_insecure_port(f"127.0.0.1:{wanted}")
    server.start()
    print(f"listening on {port}", flush=True)
    sys.stdin.read()
    server.stop(grace=None).wait()


if __name__ == "__main__":
    main()
