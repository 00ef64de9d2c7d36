import RocketBase
import RocketTCP

@testable import ChatServerKit

/// A chat server in this process, on a port chosen by the kernel.
struct RunningChat {
    let server: ChatServer
    let address: NetAddress

    /// Connects, and returns when the session has joined. Without that wait a message sent next
    /// might not reach it: only sessions in the room receive messages.
    func join() async throws -> ChatPeer {
        let before = server.sessionCount
        let peer = try ChatPeer(address)
        await server.sessionCount { $0 > before }
        return peer
    }

    /// Connects several clients one after the other, and returns when all sessions have joined.
    func join(_ count: Int) async throws -> [ChatPeer] {
        var peers: [ChatPeer] = []
        for _ in 0..<count { peers.append(try ChatPeer(address)) }
        await server.sessionCount { $0 >= count }
        return peers
    }

    /// Waits until exactly this many sessions are in the room.
    func waitForSessions(_ count: Int) async { await server.sessionCount { $0 == count } }
}

/// Runs `body` beside a server, then drains it.
func withChat(
    ioThreads: Int = 2, _ change: (inout ChatServerConfiguration) -> Void = { _ in },
    logger: RocketLogger = .disabled,
    _ body: (RunningChat) async throws -> Void
) async throws {
    var configuration = ChatServerConfiguration(listen: [.loopback(port: 0)])
    configuration.ioThreads = ioThreads
    // A test may keep a receiver from reading for longer than that, on a busy machine.
    configuration.tcp.connection.writeTimeout = nil
    change(&configuration)
    let server = ChatServer(configuration: configuration, logger: logger)
    let running = Task { try await server.run() }
    guard let address = await server.boundAddresses.first else { return try await running.value }
    do { try await body(RunningChat(server: server, address: address)) } catch {
        server.beginDrain()
        try await running.value
        throw error
    }
    server.beginDrain()
    try await running.value
}
