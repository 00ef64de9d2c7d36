"""Makes the generated modules `grpc.testing.…` importable: grpcio's own package is called grpc, too."""

import os

import grpc

grpc.__path__.append(os.path.join(os.environ["GRPC_GENERATED"], "grpc"))
