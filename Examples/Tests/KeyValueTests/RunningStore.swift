import Foundation
import RocketBase
import RocketRPC
import Testing

@testable import keyvalue

/// The example's server with its own configuration, on a free port of the loopback interface.
struct RunningStore: Sendable {
    /// The keys of its callers `writer` and `reader`; their digests: printf %s "$KEY" | sha256sum
    static let writer = "key-of-the-writer", reader = "key-of-the-reader"
    let address: String

    /// Runs a server while `body` runs. Clients have to end first: a drain waits for their calls.
    static func run(
        _ change: (inout RocketConfig) throws -> Void = { _ in },
        _ body: (RunningStore) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let keys = folder.appending(path: "keys").path
        let digests = """
            writer 5464dd2691715baf0bef9811d9c0fcf4cd08158554d4e3a7945d48c756046db5
            reader a4713e2884728a1d7b36f7fea005131189b0d6c60b84147b6fda458cf19a04f6
            """
        let isWritten = FileManager.default.createFile(
            atPath: keys, contents: Data(digests.utf8), attributes: [.posixPermissions: 0o600])
        #expect(isWritten)
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../conf/keyvalue.xml").path
        var config = try RocketConfig(contentsOf: file, environment: [:])
        config.server.port = 0
        try change(&config)
        let server = try makeServer(config, keys: keys)
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        do {
            try await body(RunningStore(address: "\(address)"))
        } catch {
            server.beginDrain()
            throw error
        }
        server.beginDrain()
        try await running.value
    }
}
