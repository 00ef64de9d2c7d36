// Calls etcd over gRPC with code that was generated from its own .proto files: range, put, watch, a
// transaction, and a lease that is kept alive.
//
//   grpc_etcd_client PORT     prints a line for each; exit status 1: one has failed

import EtcdProtos
import Foundation
import RocketBase
import RocketGRPC
import RocketRPC
import RocketTCP
import SwiftProtobuf

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Prints a line at once: a pipe is read while the program runs.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

guard let port = CommandLine.arguments.dropFirst().first.flatMap({ UInt16($0) }) else {
    print("usage: grpc_etcd_client PORT")
    exit(2)
}
var configuration = RPCChannelConfiguration()
configuration.timeout = .seconds(20)
configuration.waitsForReady = true
configuration.protocol = .grpc()
let channel = try RPCChannel(to: NetAddress.loopback(port: port), configuration: configuration)
let kv = Etcdserverpb_KVClient(channel)
let key = Data("rocket/\(UInt64.random(in: .min ... .max))".utf8)

func put(_ value: String, lease: Int64 = 0) async throws -> Int64 {
    let response = try await kv.put(
        .with {
            $0.key = key
            $0.value = Data(value.utf8)
            $0.lease = lease
        })
    return response.header.revision
}

func value() async throws -> String? {
    let response = try await kv.range(.with { $0.key = key })
    return response.kvs.first.map { String(decoding: $0.value, as: UTF8.self) }
}

func putAndRange() async throws {
    if let found = try await value() { throw Unexpected("a value: \(found)") }
    let first = try await put("one")
    guard try await value() == "one" else { throw Unexpected("not what was put") }
    guard try await put("two") == first + 1 else { throw Unexpected("no new revision") }
    guard try await value() == "two" else { throw Unexpected("not what was put again") }
}

func transaction() async throws {
    let response = try await kv.txn(
        .with {
            $0.compare = [
                .with {
                    $0.key = key
                    $0.target = .value
                    $0.result = .equal
                    $0.value = Data("two".utf8)
                }
            ]
            $0.success = [
                .with {
                    $0.requestPut = .with {
                        $0.key = key
                        $0.value = Data("three".utf8)
                    }
                }
            ]
        })
    guard response.succeeded, try await value() == "three" else {
        throw Unexpected("the transaction had no effect")
    }
}

func watch() async throws {
    let call = try await Etcdserverpb_WatchClient(channel).watch(timeout: .seconds(20))
    var responses = call.responses.makeAsyncIterator()
    try await call.requests.write(.with { $0.createRequest = .with { $0.key = key } })
    guard let created = try await responses.next(), created.created else {
        throw Unexpected("no watcher")
    }
    for number in 0..<20 {
        let revision = try await put("watched \(number)")
        guard let response = try await responses.next(), let event = response.events.first else {
            throw Unexpected("no event")
        }
        guard event.type == .put, event.kv.modRevision == revision,
            event.kv.value == Data("watched \(number)".utf8)
        else { throw Unexpected("another event: \(event)") }
    }
    let watcher = created.watchID
    try await call.requests.write(.with { $0.cancelRequest = .with { $0.watchID = watcher } })
    guard let last = try await responses.next(), last.canceled else {
        throw Unexpected("the watcher goes on")
    }
    // etcd 3.4 does not end the stream when its requests end.
    call.cancel()
}

func lease() async throws {
    let leases = Etcdserverpb_LeaseClient(channel)
    let granted = try await leases.leaseGrant(.with { $0.ttl = 60 })
    _ = try await put("leased", lease: granted.id)
    let call = try await leases.leaseKeepAlive(timeout: .seconds(20))
    var responses = call.responses.makeAsyncIterator()
    for _ in 0..<3 {
        try await call.requests.write(.with { $0.id = granted.id })
        guard let response = try await responses.next(), response.id == granted.id,
            response.ttl == 60
        else { throw Unexpected("not kept alive") }
    }
    call.finishRequests()
    guard try await responses.next() == nil else { throw Unexpected("more responses") }
    _ = try await leases.leaseRevoke(.with { $0.id = granted.id })
    if let found = try await value() { throw Unexpected("a value without its lease: \(found)") }
}

func errors() async throws {
    do {
        _ = try await kv.put(.init())
    } catch  where error.code == .invalidArgument {
        guard error.message.contains("key is not provided") else {
            throw Unexpected(error.message)
        }
        return
    }
    throw Unexpected("a key without bytes is put")
}

var failed = false
for (name, run) in [
    ("put and range", putAndRange), ("transaction", transaction), ("watch", watch),
    ("lease", lease), ("errors", errors),
] as [(String, () async throws -> Void)] {
    do {
        try await run()
        say("\(name): passed")
    } catch {
        say("\(name): FAILED: \(error)")
        failed = true
    }
}
channel.close()
exit(failed ? 1 : 0)
