"""The interoperability client on grpcio.

    grpcio_client.py PORT CASE…     exit status 0: all passed; 1: one failed; it prints one line each
"""

import sys
import traceback

import generated  # noqa: F401
import grpc
from grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc

import cases

TIMEOUT = 300


def payload(size):
    return messages_pb2.Payload(body=bytes(size))


def large_request(**fields):
    return messages_pb2.SimpleRequest(
        response_size=cases.LARGE_RESPONSE, payload=payload(cases.LARGE_REQUEST), **fields)


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def check_size(response, size):
    check(response.payload.body == bytes(size), f"{len(response.payload.body)} bytes, not {size}")


def check_fails(code, call):
    """Runs `call`, which must fail with `code`; returns the error."""
    try:
        call()
    except grpc.RpcError as error:
        check(error.code() == code, f"{error.code()} ({error.details()}), not {code}")
        return error
    raise AssertionError(f"succeeded, not {code}")


class Requests:
    """Requests of a stream, sent one by one."""

    def __init__(self):
        import queue
        self.queue = queue.Queue()

    def __iter__(self):
        return iter(self.queue.get, None)

    def send(self, request):
        self.queue.put(request)

    def finish(self):
        self.queue.put(None)


def output_request(size=None, response=None, **fields):
    request = messages_pb2.StreamingOutputCallRequest(**fields)
    if size is not None:
        request.payload.CopyFrom(payload(size))
    if response is not None:
        request.response_parameters.add(size=response)
    return request


class Cases:
    def __init__(self, channel):
        self.stub = test_pb2_grpc.TestServiceStub(channel)
        self.unimplemented = test_pb2_grpc.UnimplementedServiceStub(channel)

    def empty_unary(self):
        response = self.stub.EmptyCall(empty_pb2.Empty(), timeout=TIMEOUT)
        check(response == empty_pb2.Empty(), "not empty")

    def large_unary(self):
        check_size(self.stub.UnaryCall(large_request(), timeout=TIMEOUT), cases.LARGE_RESPONSE)

    def client_compressed_unary(self):
        expect = messages_pb2.BoolValue
        probe = large_request(expect_compressed=expect(value=True))
        check_fails(
            grpc.StatusCode.INVALID_ARGUMENT, lambda: self.stub.UnaryCall(probe, timeout=TIMEOUT))
        check_size(
            self.stub.UnaryCall(probe, timeout=TIMEOUT, compression=grpc.Compression.Gzip),
            cases.LARGE_RESPONSE)
        check_size(
            self.stub.UnaryCall(
                large_request(expect_compressed=expect(value=False)), timeout=TIMEOUT),
            cases.LARGE_RESPONSE)

    def server_compressed_unary(self):
        for value in (True, False):
            request = large_request(response_compressed=messages_pb2.BoolValue(value=value))
            check_size(self.stub.UnaryCall(request, timeout=TIMEOUT), cases.LARGE_RESPONSE)

    def client_streaming(self):
        requests = (
            messages_pb2.StreamingInputCallRequest(payload=payload(size))
            for size in cases.REQUEST_SIZES)
        response = self.stub.StreamingInputCall(requests, timeout=TIMEOUT)
        check(response.aggregated_payload_size == 74922, str(response))

    def client_compressed_streaming(self):
        sys.exit(cases.NOT_APPLICABLE)

    def server_streaming(self):
        request = messages_pb2.StreamingOutputCallRequest()
        for size in cases.RESPONSE_SIZES:
            request.response_parameters.add(size=size)
        responses = list(self.stub.StreamingOutputCall(request, timeout=TIMEOUT))
        check(len(responses) == len(cases.RESPONSE_SIZES), f"{len(responses)} responses")
        for response, size in zip(responses, cases.RESPONSE_SIZES):
            check_size(response, size)

    def server_compressed_streaming(self):
        request = messages_pb2.StreamingOutputCallRequest()
        for size, value in ((31415, True), (92653, False)):
            request.response_parameters.add(size=size).compressed.value = value
        responses = list(self.stub.StreamingOutputCall(request, timeout=TIMEOUT))
        check(len(responses) == 2, f"{len(responses)} responses")
        check_size(responses[0], 31415)
        check_size(responses[1], 92653)

    def ping_pong(self):
        requests = Requests()
        call = self.stub.FullDuplexCall(iter(requests), timeout=TIMEOUT)
        for size, response in zip(cases.REQUEST_SIZES, cases.RESPONSE_SIZES):
            requests.send(output_request(size, response))
            check_size(next(call), response)
        requests.finish()
        check(list(call) == [], "more responses")
        check(call.code() == grpc.StatusCode.OK, str(call.code()))

    def empty_stream(self):
        call = self.stub.FullDuplexCall(iter(()), timeout=TIMEOUT)
        check(list(call) == [], "responses")
        check(call.code() == grpc.StatusCode.OK, str(call.code()))

    def custom_metadata(self):
        metadata = (
            (cases.INITIAL_KEY, cases.INITIAL_VALUE), (cases.TRAILING_KEY, cases.TRAILING_VALUE))
        response, call = self.stub.UnaryCall.with_call(
            large_request(), timeout=TIMEOUT, metadata=metadata)
        check_size(response, cases.LARGE_RESPONSE)
        self.check_metadata(call)
        stream = self.stub.FullDuplexCall(
            iter([output_request(cases.LARGE_REQUEST, cases.LARGE_RESPONSE)]), timeout=TIMEOUT,
            metadata=metadata)
        check_size(next(stream), cases.LARGE_RESPONSE)
        check(list(stream) == [], "more responses")
        self.check_metadata(stream)

    def check_metadata(self, call):
        check(
            (cases.INITIAL_KEY, cases.INITIAL_VALUE) in call.initial_metadata(),
            f"initial metadata: {call.initial_metadata()}")
        check(
            (cases.TRAILING_KEY, cases.TRAILING_VALUE) in call.trailing_metadata(),
            f"trailing metadata: {call.trailing_metadata()}")

    def status_code_and_message(self):
        self.check_status(cases.STATUS_MESSAGE)
        status = messages_pb2.EchoStatus(code=2, message=cases.STATUS_MESSAGE)
        error = check_fails(
            grpc.StatusCode.UNKNOWN,
            lambda: list(self.stub.FullDuplexCall(
                iter([output_request(response_status=status)]), timeout=TIMEOUT)))
        check(error.details() == cases.STATUS_MESSAGE, repr(error.details()))

    def special_status_message(self):
        self.check_status(cases.SPECIAL_MESSAGE)

    def check_status(self, message):
        request = messages_pb2.SimpleRequest(
            response_status=messages_pb2.EchoStatus(code=2, message=message))
        error = check_fails(
            grpc.StatusCode.UNKNOWN, lambda: self.stub.UnaryCall(request, timeout=TIMEOUT))
        check(error.details() == message, repr(error.details()))

    def unimplemented_method(self):
        check_fails(
            grpc.StatusCode.UNIMPLEMENTED,
            lambda: self.stub.UnimplementedCall(empty_pb2.Empty(), timeout=TIMEOUT))

    def unimplemented_service(self):
        check_fails(
            grpc.StatusCode.UNIMPLEMENTED,
            lambda: self.unimplemented.UnimplementedCall(empty_pb2.Empty(), timeout=TIMEOUT))

    def cancel_after_begin(self):
        requests = Requests()
        call = self.stub.StreamingInputCall.future(iter(requests), timeout=TIMEOUT)
        call.cancel()
        check(call.cancelled(), "not cancelled")
        check(call.code() == grpc.StatusCode.CANCELLED, str(call.code()))
        requests.finish()

    def cancel_after_first_response(self):
        requests = Requests()
        call = self.stub.FullDuplexCall(iter(requests), timeout=TIMEOUT)
        requests.send(output_request(27182, 31415))
        check_size(next(call), 31415)
        call.cancel()
        check_fails(grpc.StatusCode.CANCELLED, lambda: next(call))
        requests.finish()

    def timeout_on_sleeping_server(self):
        requests = Requests()
        call = self.stub.FullDuplexCall(iter(requests), timeout=0.001)
        requests.send(output_request(27182))
        check_fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(call))
        requests.finish()


def main():
    failed = False
    with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as channel:
        peer = Cases(channel)
        for name in sys.argv[2:] or cases.ALL:
            try:
                getattr(peer, name)()
                print(f"{name}: passed", flush=True)
            except SystemExit:
                print(f"{name}: not applicable", flush=True)
                if len(sys.argv) == 3:
                    raise
            except Exception as error:  # pylint: disable=broad-except
                print(f"{name}: FAILED: {type(error).__name__}: {error}", flush=True)
                traceback.print_exc()
                failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
