import RocketBase
import RocketRPC
import SwiftProtobuf
import Testing

@testable import keyvalue

/// Methods, streams and typed errors, on both wires.
@Suite struct StoreTests {
    @Test("Values are stored, found and asked for on a stream", arguments: [false, true])
    func values(isGRPC: Bool) async throws {
        try await RunningStore.run { server in
            let client = try KeyValueClient(
                to: server.address, key: RunningStore.writer, isGRPC: isGRPC)
            defer { client.store.channel.close() }
            #expect(try await client.load([("a", "1"), ("b", "2"), ("c", "3")]) == 3)
            #expect(try await client.store.get(.with { $0.key = "b" }).value == "2")
            #expect(try await client.query(["c", "x", "a"]) == ["3", "", "1"])
            let error = await #expect(throws: RPCError.self) {
                try await client.store.get(.with { $0.key = "x" })
            }
            #expect(error?.code == .notFound)
        }
    }

    // docs: typed
    @Test("A conflict tells the caller what is stored now", arguments: [false, true])
    func conflict(isGRPC: Bool) async throws {
        try await RunningStore.run { server in
            let client = try KeyValueClient(
                to: server.address, key: RunningStore.writer, isGRPC: isGRPC)
            defer { client.store.channel.close() }
            #expect(try await client.append("tea", to: "list").version == 1)
            #expect(try await client.append(", milk", to: "list").value == "tea, milk")
            let error = await #expect(throws: RPCError.self) {
                try await client.store.put(
                    .with {
                        $0.key = "list"
                        $0.replaces = 1
                    })
            }
            #expect(error?.code == .aborted)
            #expect(error?.details(of: Keyvalue_Conflict.self).first?.current.version == 2)
        }
    }
    // docs: end

    @Test("A watcher gets what is stored and what is stored later, until the server drains")
    func watch() async throws {
        let watched = Task {
            var seen: [String] = []
            try await RunningStore.run { server in
                let client = try KeyValueClient(to: server.address, key: RunningStore.writer)
                _ = try await client.load([("a", "1"), ("b", "2")])
                var pairs = try await client.store.watch(.init()).makeAsyncIterator()
                for number in 3...4 {
                    seen.append(try await pairs.next()?.value ?? "end")
                    _ = try await client.load([("c", "\(number)")])
                }
                for _ in 0..<2 { seen.append(try await pairs.next()?.value ?? "end") }
                client.store.channel.close()
            }
            return seen
        }
        #expect(try await watched.value == ["1", "2", "3", "4"])
    }
}
