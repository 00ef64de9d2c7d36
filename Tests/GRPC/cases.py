"""gRPC's interoperability cases by name: doc/interop-test-descriptions.md of grpc/grpc."""

# In the order of that document.
ALL = (
    "empty_unary",
    "large_unary",
    "client_compressed_unary",
    "server_compressed_unary",
    "client_streaming",
    "client_compressed_streaming",
    "server_streaming",
    "server_compressed_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
)

# How a program says that its library can't make the case: its exit status.
NOT_APPLICABLE = 3

# Cases in which a peer can't be shown by its library whether or which messages are compressed, and why.
NOT_SHOWN = {
    ("grpcio", "client"): {
        "client_compressed_streaming": "grpcio compresses all messages of a call or none",
    },
    ("grpcio", "server"): {
        "client_compressed_unary": "grpcio does not show whether a message was compressed",
        "client_compressed_streaming": "grpcio does not show whether a message was compressed",
    },
    ("libgrpc++", "client"): {
        name: "only unary and bidirectional cases are written for libgrpc++"
        for name in (
            "client_compressed_unary", "server_compressed_unary", "client_streaming",
            "client_compressed_streaming", "server_streaming", "server_compressed_streaming",
            "cancel_after_begin")
    },
}
NOT_SHOWN["Rocket on TinyPB", "client"] = {
    name: "TinyPB's compression is not chosen per message"
    for name in (
        "client_compressed_unary", "server_compressed_unary", "client_compressed_streaming",
        "server_compressed_streaming")
}
NOT_SHOWN["libgrpc++", "server"] = NOT_SHOWN["libgrpc++", "client"]

LARGE_REQUEST = 271828
LARGE_RESPONSE = 314159
REQUEST_SIZES = (27182, 8, 1828, 45904)
RESPONSE_SIZES = (31415, 9, 2653, 58979)
INITIAL_KEY = "x-grpc-test-echo-initial"
INITIAL_VALUE = "test_initial_metadata_value"
TRAILING_KEY = "x-grpc-test-echo-trailing-bin"
TRAILING_VALUE = b"\xab\xab\xab"
STATUS_MESSAGE = "test status message"
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
