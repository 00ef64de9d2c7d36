// Serves gRPC's interoperability service over gRPC and TinyPB on one port of the loopback interface.
//
//   grpc_interop_server [PORT]     prints `listening on PORT`; ends with its standard input

import Foundation
import ObservedCompression
import RocketBase
import RocketCompression
import RocketGRPC
import RocketRPC
import RocketTCP

let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 0
var configuration = RPCServerConfiguration(
    tcp: TCPServerConfiguration(listen: [.loopback(port: port)]))
configuration.reflection = true
configuration.drainTimeout = .seconds(2)
var grpc = GRPCServerConfiguration()
let compression = ObservedCompression([.zstd, .gzip])
grpc.compression = compression
configuration.protocols = [.grpc(grpc), .tinyPB(compression: Compression())]
let server = try RPCServer(
    configuration: configuration, services: [InteropService(compression: compression)])
let running = Task { try await server.run() }
guard let address = await server.boundAddresses.first else {
    try await running.value
    exit(1)
}
FileHandle.standardOutput.write(Data("listening on \(address.port ?? 0)\n".utf8))
Thread.detachNewThread {
    while readLine() != nil {}
    server.beginDrain()
}
try await running.value
