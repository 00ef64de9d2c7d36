import COpenSSL
import RocketBase
import RocketSystem
import RocketTLSTestKit
import Testing

@testable import RocketTLS

/// What peers ask for that Rocket's own clients and servers do not.
@Suite struct TLSPeerTests {
    let authority: Authority
    init() throws { authority = try Authority() }

    @Test("A client that asks for short records (RFC 6066) gets all bytes", arguments: [1, 4])
    func shortRecords(code: UInt8) throws {
        let pair = try SessionPair(
            TLSSession(connectingBy: authority.client(), to: "localhost"),
            TLSSession(acceptingBy: authority.server()), fragments: code)
        try pair.exchange()
        let text = String((0..<50_000).map { Character(UnicodeScalar(UInt8(97 + $0 % 26))) })
        try pair.serverSends(text)
        try pair.exchange()
        let isWhole = pair.atClient.copyBytes() == Array(text.utf8)
        #expect(isWhole)
    }

    @Test("A session can't be resumed any more once the client's certificate has expired")
    func ticketOfShortCertificate() throws {
        let keys = try TLSTicketKeys()
        let server = try authority.server(tickets: keys) {
            $0.clientCA = authority.ca.certificate
            $0.clientAuthentication = .required
        }
        let client = try authority.client { $0.identity = authority.ca.issue("short", to: 600) }
        var ticket: TLSTicket?
        for isResumed in [false, true] {
            let pair = try SessionPair(client, server, resuming: ticket)
            try pair.exchange()
            #expect(pair.client.isResumed == isResumed)
            ticket = pair.client.ticket
            let made = try #require(ticket)
            #expect(SSL_SESSION_get_ticket_lifetime_hint(made.session) <= 600)
            #expect(SSL_SESSION_get_ticket_lifetime_hint(made.session) > 300)
        }
    }

    @Test("A host that looks like a URI is still a name that the certificate must have")
    func hostWithScheme() throws {
        #expect(throws: TransportSecurityError.self) {
            let pair = try SessionPair(
                authority.client(), authority.server(), host: "a://other.example")
            try pair.exchange()
        }
    }

    @Test("A client that trusts a fingerprint reports why else a handshake failed")
    func fingerprintAndAlert() throws {
        let server = try authority.server {
            $0.clientCA = authority.ca.certificate
            $0.clientAuthentication = .required
        }
        let fingerprint = server.certificates[0].fingerprint.description
        let session = try TLSSession(
            connectingBy: authority.client { $0.trust = .fingerprint(fingerprint) }, to: nil)
        // With TLS 1.2 the client hears of it within the handshake.
        #expect(
            SSL_ctrl(session.ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(TLS1_2_VERSION), nil) == 1)
        let pair = try SessionPair(session, TLSSession(acceptingBy: server))
        #expect(throws: TransportSecurityError.self) { try pair.exchange() }
        let error = #expect(throws: TransportSecurityError.self) { try pair.exchange() }
        #expect(error?.kind == .handshake)
    }

    @Test("A common name is not the name of a server")
    func commonName() throws {
        let named = try authority.server {
            $0.identities = [authority.ca.issue("orders.example", names: nil)]
        }
        let pair = try SessionPair(authority.client(), named, host: "orders.example")
        let error = #expect(throws: TransportSecurityError.self) { try pair.exchange() }
        #expect(error?.kind == .certificate)
    }
}

extension SessionPair {
    convenience init(_ client: TLSSession, _ server: TLSSession, fragments: UInt8) throws {
        #expect(SSL_set_tlsext_max_fragment_length(client.ssl, fragments) == 1)
        try self.init(client, server)
    }
}
