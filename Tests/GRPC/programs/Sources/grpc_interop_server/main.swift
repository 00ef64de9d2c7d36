// Serves gRPC's interoperability service over gRPC and TinyPB on one port of the loopback interface, and
// as JSON over HTTP/1.1 on another one.
//
//   grpc_interop_server [PORT [MS]]   prints `listening on PORT` and `HTTP/1.1 on PORT`; ends with its
//                                     standard input. MS: how long a request of HTTP/1.1 may take

import Foundation
import ObservedCompression
import RocketBase
import RocketCompression
import RocketGRPC
import RocketRPC
import RocketTCP

let arguments = CommandLine.arguments.dropFirst()
let port = arguments.first.flatMap { UInt16($0) } ?? 0
var configuration = RPCServerConfiguration(
    tcp: TCPServerConfiguration(listen: [.loopback(port: port)]))
configuration.reflection = true
configuration.drainTimeout = .seconds(2)
var grpc = GRPCServerConfiguration()
let compression = ObservedCompression([.zstd, .gzip])
grpc.compression = compression
configuration.protocols = [.grpc(grpc), .tinyPB(compression: Compression())]
configuration.http = RPCHTTPConfiguration(
    tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
if let limit = arguments.dropFirst().first.flatMap({ Int($0) }) {
    configuration.http?.requestTimeout = .milliseconds(limit)
}
let server = try RPCServer(
    configuration: configuration, services: [InteropService(compression: compression)])
let running = Task { try await server.run() }
guard let address = await server.boundAddresses.first else {
    try await running.value
    exit(1)
}
let http = await server.boundHTTPAddresses.first
FileHandle.standardOutput.write(
    Data("listening on \(address.port ?? 0)\nHTTP/1.1 on \(http?.port ?? 0)\n".utf8))
Thread.detachNewThread {
    while readLine() != nil {}
    server.beginDrain()
}
try await running.value
