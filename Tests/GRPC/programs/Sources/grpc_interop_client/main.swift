// Runs gRPC's interoperability cases by name against any server.
//
//   grpc_interop_client [--tinypb] PORT CASE…
//
// Prints a line for each. Exit status 0: all passed; 1: one failed; 3: the only one is not written.

import Foundation
import ObservedCompression
import RocketBase
import RocketCompression
import RocketGRPC
import RocketRPC
import RocketTCP

/// Prints a line at once: a pipe is read while the program runs.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

var arguments = Array(CommandLine.arguments.dropFirst())
let isTinyPB = arguments.first == "--tinypb"
if isTinyPB { arguments.removeFirst() }
guard let port = arguments.first.flatMap({ UInt16($0) }) else {
    print("usage: grpc_interop_client [--tinypb] PORT CASE…")
    exit(2)
}
var configuration = RPCChannelConfiguration()
configuration.timeout = .seconds(20)
let compression = ObservedCompression([.gzip])
var grpc = GRPCChannelConfiguration()
grpc.compression = compression
configuration.protocol = isTinyPB ? .tinyPB(compression: Compression()) : .grpc(grpc)
let channel = try RPCChannel(to: NetAddress.loopback(port: port), configuration: configuration)
grpc.compressesRequests = true
configuration.protocol = .grpc(grpc)
let compressing = try RPCChannel(to: NetAddress.loopback(port: port), configuration: configuration)
let cases = InteropCases(channel, compressing, compression)
let names = arguments.dropFirst()
var failed = false
for name in names {
    guard let run = InteropCases.all[name] else {
        say("\(name): not applicable")
        if names.count == 1 { exit(3) }
        continue
    }
    do {
        try await run(cases)
        say("\(name): passed")
    } catch {
        say("\(name): FAILED: \(error)")
        failed = true
    }
}
channel.close()
compressing.close()
exit(failed ? 1 : 0)
