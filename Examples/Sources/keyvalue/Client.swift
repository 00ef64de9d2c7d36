import RocketBase
import RocketGRPC
import RocketRPC
import RocketTCP
import RocketTLS
import SwiftProtobuf

/// What the program does as a client.
struct KeyValueClient: Sendable {
    let store: Keyvalue_StoreClient

    // docs: channel
    /// - Parameters:
    ///   - key: the caller's key, which each call takes along as its token; nil: none.
    ///   - tls: nil: plaintext.
    init(to address: String, key: String?, tls: StubTLSConfig? = nil, isGRPC: Bool = false) throws {
        var configuration = RPCChannelConfiguration()
        configuration.credentials = key.map { RPCCallCredentials(token: $0) }
        if isGRPC { configuration.protocol = .grpc() }
        if var tls {
            if isGRPC { tls.applicationProtocols = ["h2"] }
            configuration.security = try TLSProvider().clientSecurity(tls, at: "store")
        }
        let server = try NetAddress(parsing: address)
        store = Keyvalue_StoreClient(try RPCChannel(to: server, configuration: configuration))
    }
    // docs: end

    // docs: conflict
    /// Appends to a value, whoever else does so at the same time.
    func append(_ text: String, to key: String) async throws -> Keyvalue_Pair {
        var request = Keyvalue_PutRequest.with {
            $0.key = key
            $0.value = text
            $0.replaces = 0
        }
        while true {
            do throws(RPCError) {
                return try await store.put(request)
            } catch {
                let conflicts = error.details(of: Keyvalue_Conflict.self)
                guard error.code == .aborted, let current = conflicts.first?.current else {
                    throw error
                }
                request.value = current.value + text
                request.replaces = current.version
            }
        }
    }
    // docs: end

    // docs: upload
    /// Stores pairs; waits while the server is slower.
    func load(_ pairs: [(key: String, value: String)]) async throws -> Int64 {
        let summary = try await store.load { requests in
            for (key, value) in pairs {
                try await requests.write(
                    .with {
                        $0.key = key
                        $0.value = value
                    })
            }
        }
        return summary.pairs
    }
    // docs: end

    // docs: ask
    /// Asks for keys one after another on one stream.
    func query(_ keys: [String]) async throws -> [String] {
        let call = try await store.query(timeout: .seconds(5))
        var answers = call.responses.makeAsyncIterator()
        var values: [String] = []
        for key in keys {
            try await call.requests.write(.with { $0.key = key })
            guard let pair = try await answers.next() else { break }
            values.append(pair.value)
        }
        call.finishRequests()
        return values
    }
    // docs: end
}
