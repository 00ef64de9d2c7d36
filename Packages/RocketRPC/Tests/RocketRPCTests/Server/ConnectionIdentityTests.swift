import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite("The identity of a call's connection")
struct ConnectionIdentityTests {
    /// Records the connections of its calls.
    private struct Identifying: RPCService {
        static let serviceName = "test.Identifying"
        static let method = RPCMethod<Text, Text>(service: serviceName, name: "call")

        final class Seen: Sendable { let all = Locked<[ObjectIdentifier?]>([]) }

        let seen = Seen()

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(Self.method) { [seen] request, call in
                seen.all.withLock { $0.append(call.connection) }
                return request
            }
        }
    }

    @Test(
        "Calls of one connection have the same identity, and those of another one a different one")
    func identity() async throws {
        let service = Identifying()
        try await withServer([service]) { address in
            let channels = try (0..<2).map { _ in
                try RPCChannel(to: address, configuration: .patient)
            }
            for channel in channels + channels {
                _ = try await channel.call(Identifying.method, Text())
            }
            for channel in channels { channel.close() }
        }
        let seen = service.seen.all.withLock { $0 }
        #expect(seen.count == 4 && seen.allSatisfy { $0 != nil })
        #expect(seen[0] == seen[2] && seen[1] == seen[3] && seen[0] != seen[1])
    }
}
