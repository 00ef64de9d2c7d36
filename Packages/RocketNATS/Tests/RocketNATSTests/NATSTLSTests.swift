import Foundation
import RocketBase
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTLS
import RocketTLSTestKit
import Testing

@testable import RocketNATS

/// Certificates in a folder, which is removed with it.
final class Certificates {
    let folder: String
    let authority: TestAuthority
    private let now = SystemTimeSource().wall()

    init() throws {
        folder = NSTemporaryDirectory() + "rocket-nats-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        authority = TestAuthority(inFolder: folder)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    struct Client: ClientTransportSecurity {
        let context: TLSContext
        func connectSession(to host: String?) throws(TransportSecurityError) -> any SecureSession {
            try TLSSession(connectingBy: context, to: host)
        }
    }

    func client() throws -> Client {
        var configuration = TLSClientConfiguration()
        configuration.trust = .file(authority.certificate)
        return Client(context: try TLSContext(configuration, now: now))
    }

    func server() throws -> TLSSession {
        let identities = [authority.issue("server")]
        return try TLSSession(
            acceptingBy: TLSContext(
                TLSServerConfiguration(identities: identities), tickets: nil, now: now))
    }
}

@Suite(.oneAtATime) struct NATSTLSTests {
    private static let info = #"INFO {"max_payload":9,"tls_required":true}"# + "\r\n"

    /// Passes bytes between a session of the client and one of the server, in parts of this size.
    private func exchange(
        _ client: any SecureSession, _ server: TLSSession, _ toClient: inout ByteBuffer,
        _ atClient: inout ByteBuffer, _ atServer: inout ByteBuffer, most: Int
    ) throws {
        var toServer = ByteBuffer()
        try client.begin(output: &toServer)
        #expect(toServer.readableBytes == 0)
        while !toServer.isEmpty || !toClient.isEmpty {
            var part = ByteBuffer()
            let bytes = Array(toClient.copyBytes().prefix(most))
            part.append(bytes)
            toClient.consume(bytes.count)
            try client.receive(&part, plaintext: &atClient, output: &toServer)
            part.removeAll()
            part.append(toServer.copyBytes())
            toServer.removeAll()
            try server.receive(&part, plaintext: &atServer, output: &toClient)
        }
    }

    @Test(
        "The handshake begins behind the INFO, which is delivered when it has ended",
        arguments: [1, 7, 100_000])
    func upgrade(most: Int) throws {
        let certificates = try Certificates()
        let server = try certificates.server()
        let client = try NATSUpgrade(security: certificates.client())
            .connectSession(to: "localhost")
        var toClient = ByteBuffer()
        var atClient = ByteBuffer()
        var atServer = ByteBuffer()
        toClient.append(utf8: Self.info)
        try exchange(client, server, &toClient, &atClient, &atServer, most: most)
        #expect(client.phase == .open && server.phase == .open)
        #expect(String(decoding: atClient.copyBytes(), as: UTF8.self) == Self.info)
        // And the other way.
        var output = ByteBuffer()
        try client.encrypt(Array("CONNECT".utf8).span.bytes, output: &output)
        try server.receive(&output, plaintext: &atServer, output: &toClient)
        #expect(String(decoding: atServer.copyBytes(), as: UTF8.self) == "CONNECT")
        try server.encrypt(Array("PONG".utf8).span.bytes, output: &toClient)
        atClient.removeAll()
        try client.receive(&toClient, plaintext: &atClient, output: &output)
        #expect(String(decoding: atClient.copyBytes(), as: UTF8.self) == "PONG")
    }

    @Test(
        "A server that offers no TLS, or is none, is refused before anything is sent",
        arguments: [
            (#"INFO {"max_payload":9}"# + "\r\n", "offers no TLS"),
            ("HTTP/1.1 400\r\n", "no NATS server"), ("PING\r\n", "another operation than INFO"),
            (info + "MSG", "in plaintext behind its INFO"), ("INFO []\r\n", "no JSON object"),
        ])
    func refused(_ text: String, _ problem: String) throws {
        let certificates = try Certificates()
        let client = try NATSUpgrade(security: certificates.client())
            .connectSession(to: "localhost")
        var input = ByteBuffer()
        var plaintext = ByteBuffer()
        var output = ByteBuffer()
        input.append(utf8: text)
        var found: TransportSecurityError?
        do { try client.receive(&input, plaintext: &plaintext, output: &output) } catch {
            found = error
        }
        #expect(found?.text.contains(problem) == true, "\(found as Any)")
        #expect(output.readableBytes + plaintext.readableBytes == 0)
    }

    @Test("A client with a security reports a server without TLS, and sends it nothing")
    func plaintextServer() throws {
        let certificates = try Certificates()
        let security = try certificates.client()
        let scene = try ClientScene { $0.security = security }
        scene.client.start()
        try scene.accept()
        scene.send(ClientScene.info)
        #expect(scene.sent() == "")
        #expect(scene.events.last?.contains("offers no TLS") == true, "\(scene.events)")
        scene.end()
    }
}
