import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// Sends back what it receives.
final class EchoHandler: TCPConnectionHandler {
    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        let bytes = input.copyBytes()
        connection.write { $0.append(bytes) }
        input.removeAll()
    }
}

@Suite(.oneAtATime) struct TCPServerTests {
    @Test("Serves a client on the same loop")
    func aServerAnswersAClientOnOneLoop() throws {
        let driven = try HandDrivenLoop()
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
            mainLoop: driven.loop, subLoops: []
        ) { _ in EchoHandler() }
        let address = try #require(try server.start().first)
        #expect(address.port != 0)
        driven.settle()

        let handler = RecordingConnectionHandler()
        var outcome: Result<TCPConnection, ConnectError>?
        TCPClient.connect(
            to: [address], on: driven.reactor, timeout: .seconds(1), handler: handler
        ) { outcome = $0 }
        #expect(outcome == nil)
        driven.settle()
        let connection = try #require(try outcome?.get())
        #expect(connection.peerAddress == address)
        connection.write { $0.append(utf8: "hello") }
        driven.settle()
        #expect(handler.bytes == Array("hello".utf8))
        #expect(server.connectionCount == 1)

        connection.close()
        driven.settle()
        #expect(handler.closeReason == .requested)
        #expect(server.connectionCount == 0)
        server.stop()
        driven.settle()
        #expect(driven.reactor.registrationCount == 1)
    }
}
