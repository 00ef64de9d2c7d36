import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP
import RocketTLS
import RocketTLSTestKit
import Testing

/// Sends back what it receives.
private final class Echo: TCPConnectionHandler {
    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        connection.write { output in input.withBytes { output.append($0) } }
        input.removeAll()
    }
}

/// Sends a word, and reports what comes back.
private final class Caller: TCPConnectionHandler {
    let received: @Sendable ([UInt8]) -> Void
    init(_ received: @escaping @Sendable ([UInt8]) -> Void) { self.received = received }

    func connected(_ connection: TCPConnection) { connection.write { $0.append(utf8: "hello") } }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        guard input.readableBytes >= 5 else { return }
        received(input.copyBytes())
        input.removeAll()
        connection.close()
    }
}

@Suite struct HandshakeThreadTests {
    @Test("Handshakes on threads of their own end on the loops of their connections")
    func many() async throws {
        let authority = try Authority()
        let io = try IOThread(name: "io")
        let clients = try IOThread(name: "clients")
        var configuration = TCPServerConfiguration(listen: [.loopback(port: 0)])
        configuration.security.tcp = FixedSecurity(context: try authority.server())
        configuration.handshakeThreads = 2
        let server = TCPServer(
            configuration: configuration, mainLoop: io.loop, subLoops: [],
            makeHandler: { _ in Echo() })
        let address = try await withCheckedThrowingContinuation { continuation in
            io.loop.execute { _ in
                continuation.resume(with: Result { try server.start()[0] })
            }
        }
        let security = FixedSecurity(context: try authority.client())
        let replies = await withTaskGroup(of: String.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        clients.loop.execute { reactor in
                            TCPClient.connect(
                                to: [address], on: reactor, timeout: .seconds(3600),
                                security: security,
                                handler: Caller {
                                    continuation.resume(
                                        returning: String(decoding: $0, as: UTF8.self))
                                }
                            ) { result in
                                if case .failure(let error) = result {
                                    continuation.resume(returning: "\(error)")
                                }
                            }
                        }
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(replies == Array(repeating: "hello", count: 100))
        await server.drain(within: .seconds(3600))
        for thread in [io, clients] {
            thread.stop()
            thread.join()
        }
    }
}
