"""A server by grpcio: Order.makeOrder, with the threads that its documentation uses.

    grpcio_server.py FOLDER_OF_ORDER_PB2
"""

import os
import signal
import sys
from concurrent import futures

import grpc

sys.path.insert(0, sys.argv[1])
import order_pb2  # noqa: E402


def make_order(request, context):
    response = order_pb2.makeOrderResponse(res_info="OK")
    if request.price > 0:
        response.order_id = "20230514"
    return response


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Order", {
    "makeOrder": grpc.unary_unary_rpc_method_handler(
        make_order, request_deserializer=order_pb2.makeOrderRequest.FromString,
        response_serializer=order_pb2.makeOrderResponse.SerializeToString)}),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print(f"ready, listening on 127.0.0.1:{port}", flush=True)
server.wait_for_termination()
