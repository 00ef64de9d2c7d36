import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import RocketTLS
import RocketTLSTestKit

/// What a server and a client use, without a reload.
struct FixedSecurity: ServerTransportSecurity, ClientTransportSecurity {
    let context: TLSContext

    func acceptSession() throws(TransportSecurityError) -> any SecureSession {
        try TLSSession(acceptingBy: context)
    }

    func connectSession(to host: String?) throws(TransportSecurityError) -> any SecureSession {
        try TLSSession(connectingBy: context, to: host)
    }
}

/// A server and clients of it on one hand-driven loop, over TCP.
final class SecureScene {
    let driven: HandDrivenLoop
    let authority: Authority
    let server: TCPServer
    let address: NetAddress
    private let accepted = Accepted()

    /// Handlers of the server's connections, in their order. Used on the test's thread.
    final class Accepted: @unchecked Sendable {
        var handlers: [RecordingConnectionHandler] = []
        var prepare: (RecordingConnectionHandler) -> Void = { _ in }
    }

    init(
        logger: RocketLogger = .disabled,
        _ change: (inout TLSServerConfiguration) -> Void = { _ in },
        tcp: (inout TCPServerConfiguration) -> Void = { _ in }
    ) throws {
        driven = try HandDrivenLoop()
        authority = try Authority()
        var configuration = TCPServerConfiguration(listen: [.loopback(port: 0)])
        configuration.security.tcp = FixedSecurity(context: try authority.server(change))
        configuration.handshakeThreads = 0
        tcp(&configuration)
        let accepted = accepted
        server = TCPServer(
            configuration: configuration, mainLoop: driven.loop, subLoops: [], logger: logger
        ) { _ in
            let handler = RecordingConnectionHandler()
            accepted.prepare(handler)
            accepted.handlers.append(handler)
            return handler
        }
        address = try server.start()[0]
    }

    var handlers: [RecordingConnectionHandler] { accepted.handlers }

    func prepare(_ body: @escaping (RecordingConnectionHandler) -> Void) { accepted.prepare = body }

    /// Runs the loop until nothing happens any more; the kernel may need a moment for loopback.
    func settle() {
        var idle = 0
        while idle < 20 { idle = driven.tick().isIdle ? idle + 1 : 0 }
    }

    final class Client {
        let handler = RecordingConnectionHandler()
        var result: Result<TCPConnection, ConnectError>?
        var error: ConnectError? {
            if case .failure(let error)? = result { return error }
            return nil
        }
    }

    func connect(
        host: String? = nil, _ change: (inout TLSClientConfiguration) -> Void = { _ in },
        prepare: (RecordingConnectionHandler) -> Void = { _ in }
    ) throws -> Client {
        let client = Client()
        prepare(client.handler)
        let security = FixedSecurity(context: try authority.client(change))
        TCPClient.connect(
            to: [address], on: driven.reactor, timeout: .seconds(3600), security: security,
            host: host, handler: client.handler
        ) { client.result = $0 }
        return client
    }
}
