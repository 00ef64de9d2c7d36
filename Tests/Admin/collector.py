"""A collector of OpenTelemetry: grpcio's server with the messages of PyPI's opentelemetry-proto."""

import threading
from concurrent import futures

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service
from opentelemetry.proto.trace.v1 import trace_pb2


class Collector(service.TraceServiceServicer):
    def __init__(self, address="127.0.0.1:0", certificate=None):
        """`certificate`: a folder with key.pem and certificate.pem; None: plaintext."""
        self.changed = threading.Condition()
        self.requests = []
        self.metadata = []
        # What the next requests are answered with: a status, or a number of rejected spans.
        self.answers = []
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        service.add_TraceServiceServicer_to_server(self, self.server)
        if certificate is None:
            port = self.server.add_insecure_port(address)
        else:
            pair = [(certificate / name).read_bytes() for name in ("key.pem", "certificate.pem")]
            port = self.server.add_secure_port(address, grpc.ssl_server_credentials([tuple(pair)]))
        self.address = f"127.0.0.1:{port}"
        self.server.start()

    def Export(self, request, context):
        with self.changed:
            self.metadata.append(dict(context.invocation_metadata()))
            answer = self.answers.pop(0) if self.answers else 0
            if isinstance(answer, int):
                self.requests.append(request)
            self.changed.notify_all()
        if not isinstance(answer, int):
            context.abort(answer, "not now")
        response = messages.ExportTraceServiceResponse()
        if answer:
            response.partial_success.rejected_spans = answer
            response.partial_success.error_message = "too many"
        return response

    @property
    def spans(self):
        return [span for request in self.requests for resource in request.resource_spans
                for scope in resource.scope_spans for span in scope.spans]

    def wait(self, condition, timeout):
        """Waits until the condition holds, and returns what it has returned."""
        with self.changed:
            found = self.changed.wait_for(condition, timeout)
        assert found, f"{len(self.spans)} spans, {len(self.metadata)} attempts"
        return found

    def end(self):
        self.server.stop(None).wait()


def attributes(owner):
    """The attributes of a span or a resource."""
    return {entry.key: getattr(entry.value, entry.value.WhichOneof("value"))
            for entry in owner.attributes}


SERVER = trace_pb2.Span.SPAN_KIND_SERVER
ERROR = trace_pb2.Status.STATUS_CODE_ERROR
