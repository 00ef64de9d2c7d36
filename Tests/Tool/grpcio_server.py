"""tool.test.Points on grpcio.

    grpcio_server.py [--reflection v1|v1alpha] [--unix PATH] [--tls CERTIFICATE KEY]

Prints `listening on PORT`; ends with its standard input.
"""

import argparse
import os
import sys
from concurrent import futures

sys.path.insert(0, os.environ["TOOL_GENERATED"])

import grpc  # noqa: E402
import points_pb2  # noqa: E402
import points_pb2_grpc  # noqa: E402
from grpc_reflection.v1alpha import reflection  # noqa: E402


class Points(points_pb2_grpc.PointsServicer):
    def Echo(self, request, context):
        return request

    def Many(self, request, context):
        for x in range(request.count):
            yield points_pb2.Point(x=x)

    def Sum(self, requests, context):
        points = list(requests)
        return points_pb2.Point(x=sum(point.x for point in points), count=len(points))

    def Each(self, requests, context):
        for point in requests:
            if point.name == "stop":
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, "stopped by the request")
            yield point

    def Fail(self, request, context):
        context.set_trailing_metadata((("reason", "asked"),))
        code = next(known for known in grpc.StatusCode if known.value[0] == request.x)
        context.abort(code, "failed as \x1b[31masked")

    def Metadata(self, request, context):
        context.send_initial_metadata((("initial", "first"),))
        context.set_trailing_metadata((("last", "trailer"),))
        return points_pb2.Point(lines=[
            f"{key}={value if isinstance(value, str) else value.hex()}"
            for key, value in context.invocation_metadata() if key.startswith("x-")])


class AlphaOnly(grpc.ServerInterceptor):
    """Answers as if the server had no service with that name."""

    def __init__(self, hidden):
        self.hidden = hidden

    def intercept_service(self, continuation, details):
        if any(details.method.startswith(f"/{name}/") for name in self.hidden):
            return None
        return continuation(details)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reflection")
    parser.add_argument("--unix")
    parser.add_argument("--tls", nargs=2)
    options = parser.parse_args()
    v1 = "grpc.reflection.v1.ServerReflection"
    alpha = "grpc.reflection.v1alpha.ServerReflection"
    hidden = {"v1": [alpha], "v1alpha": [v1], None: [v1, alpha]}[options.reflection]
    server = grpc.server(futures.ThreadPoolExecutor(4), interceptors=[AlphaOnly(hidden)])
    points_pb2_grpc.add_PointsServicer_to_server(Points(), server)
    if options.reflection == "v1":
        # grpcio-reflection has v1alpha only; the messages of v1 are the same.
        registered = "tool.test.Points", v1
        servicer = reflection.ReflectionServicer(registered)
        handler = grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            request_deserializer=reflection._reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=(
                reflection._reflection_pb2.ServerReflectionResponse.SerializeToString))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            v1, {"ServerReflectionInfo": handler}),))
    elif options.reflection == "v1alpha":
        reflection.enable_server_reflection(("tool.test.Points", alpha), server)
    address = f"unix:{options.unix}" if options.unix else "127.0.0.1:0"
    if options.tls:
        certificate, key = (open(file, "rb").read() for file in options.tls)
        port = server.add_secure_port(
            address, grpc.ssl_server_credentials([(key, certificate)]))
    else:
        port = server.add_insecure_port(address)
    server.start()
    print(f"listening on {port}", flush=True)
    sys.stdin.read()
    server.stop(0).wait()


main()
