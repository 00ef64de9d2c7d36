import Foundation
import RocketBase
import RocketSystem
import RocketTLS
import RocketTLSTestKit

/// A client's and a server's session, and the bytes between them. Used on one thread.
final class SessionPair {
    var client: TLSSession
    var server: TLSSession
    /// Ciphertext that has not arrived yet.
    var toServer = ByteBuffer()
    var toClient = ByteBuffer()
    /// What each side has received.
    var atServer = ByteBuffer()
    var atClient = ByteBuffer()

    init(
        _ client: TLSContext, _ server: TLSContext, host: String? = "localhost",
        resuming ticket: TLSTicket? = nil
    ) throws {
        self.client = try TLSSession(connectingBy: client, to: host, resuming: ticket)
        self.server = try TLSSession(acceptingBy: server)
        try self.client.begin(output: &toServer)
    }

    init(_ client: TLSSession, _ server: TLSSession) throws {
        self.client = client
        self.server = server
        try client.begin(output: &toServer)
    }

    /// Passes on what has been sent, at most `most` bytes at a time, until both sides are quiet.
    func exchange(most: Int = .max) throws {
        while !toServer.isEmpty || !toClient.isEmpty {
            var part = Self.take(most, from: &toServer)
            try server.receive(&part, plaintext: &atServer, output: &toClient)
            part = Self.take(most, from: &toClient)
            try client.receive(&part, plaintext: &atClient, output: &toServer)
        }
    }

    /// Gives the server what its client has sent before it failed.
    func receiveAlert() throws(TransportSecurityError) {
        try server.receive(&toServer, plaintext: &atServer, output: &toClient)
    }

    func clientSends(_ text: String) throws { try Self.send(text, client, &toServer) }

    func serverSends(_ text: String) throws { try Self.send(text, server, &toClient) }

    private static func send(
        _ text: String, _ session: TLSSession, _ output: inout ByteBuffer
    ) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            try session.encrypt(Array(rest.prefix(secureUnitBytes)).span.bytes, output: &output)
            rest = rest.dropFirst(secureUnitBytes)
        }
    }

    private static func take(_ most: Int, from buffer: inout ByteBuffer) -> ByteBuffer {
        var part = ByteBuffer()
        let bytes = buffer.copyBytes().prefix(most)
        part.append(Array(bytes))
        buffer.consume(bytes.count)
        return part
    }
}

/// An authority in a folder of its own, which is removed with it.
final class Authority {
    let folder: String
    let ca: TestAuthority
    let now: WallTime

    init() throws {
        folder = NSTemporaryDirectory() + "rocket-tls-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        ca = TestAuthority(inFolder: folder)
        now = SystemTimeSource().wall()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func server(
        tickets: TLSTicketKeys? = nil, _ change: (inout TLSServerConfiguration) -> Void = { _ in }
    ) throws -> TLSContext {
        var configuration = TLSServerConfiguration(identities: [ca.issue("server")])
        change(&configuration)
        return try TLSContext(configuration, tickets: tickets, now: now)
    }

    func client(_ change: (inout TLSClientConfiguration) -> Void = { _ in }) throws -> TLSContext {
        var configuration = TLSClientConfiguration()
        configuration.trust = .file(ca.certificate)
        change(&configuration)
        return try TLSContext(configuration, now: now)
    }
}
