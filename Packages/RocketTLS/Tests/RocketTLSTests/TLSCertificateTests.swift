import Foundation
import RocketBase
import RocketSystem
import RocketTLS
import RocketTLSTestKit
import Testing

@Suite struct TLSCertificateTests {
    let authority: Authority
    init() throws { authority = try Authority() }

    private func failure(_ pair: SessionPair) -> TransportSecurityError? {
        do { try pair.exchange() } catch { return error as? TransportSecurityError }
        return nil
    }

    /// What the server reads of the alert by which its client has refused it.
    private func alert(_ pair: SessionPair) -> String? {
        do throws(TransportSecurityError) {
            try pair.receiveAlert()
            return nil
        } catch { return error.text }
    }

    @Test("A client checks the name of the server, or its address, or a URI")
    func names() throws {
        let server = try authority.server {
            $0.identities = [
                authority.ca.issue(
                    "named", names: "DNS:orders.example,IP:10.0.0.1,URI:spiffe://example/orders")
            ]
        }
        func pair(_ host: String?, name: String? = nil) throws -> SessionPair {
            try SessionPair(authority.client { $0.name = name }, server, host: host)
        }
        #expect(try failure(pair("orders.example")) == nil)
        #expect(try failure(pair("10.0.0.1")) == nil)
        let mismatch = try #require(try failure(pair("other.example")))
        #expect(mismatch.kind == .certificate)
        #expect(
            mismatch.text
                == "the server's certificate CN=named: it is valid for DNS:orders.example "
                + "IP:10.0.0.1 URI:spiffe://example/orders, expected was other.example "
                + "(hostname mismatch)")
        #expect(try failure(pair("10.0.0.2"))?.kind == .certificate)
        #expect(try failure(pair("10.0.0.9", name: "orders.example")) == nil)
        #expect(try failure(pair(nil, name: "spiffe://example/orders")) == nil)
        #expect(try failure(pair(nil, name: "spiffe://example/prices"))?.kind == .certificate)
        #expect(throws: TransportSecurityError.self) { try pair(nil) }
    }

    @Test("A subject is no name, and a wildcard is a whole label")
    func noNames() throws {
        for (names, host) in [
            (nil, "orders.example"), ("DNS:o*.example", "orders.example"),
            ("DNS:*.example", "a.orders.example"),
        ] {
            let server = try authority.server {
                $0.identities = [authority.ca.issue("orders.example", names: names)]
            }
            let error = failure(try SessionPair(authority.client(), server, host: host))
            #expect(
                error?.text
                    == "the server's certificate CN=orders.example: it is valid for "
                    + "\(names ?? "no name"), expected was \(host) (hostname mismatch)")
        }
    }

    @Test("A certificate of another authority, or one that has expired, is not trusted")
    func untrusted() throws {
        let other = try Authority()
        let foreign = try SessionPair(other.client(), authority.server())
        let error = failure(foreign)
        #expect(error?.kind == .certificate)
        #expect(
            error?.text
                == "the server's certificate CN=server: it is not of an authority that is trusted "
                + "here (unable to get local issuer certificate)")
        #expect(
            alert(foreign) == "the peer does not trust the authority of our certificate "
                + "(tlsv1 alert unknown ca)")
        // A file may have the certificate of its authority behind its own.
        let whole = authority.ca.issue("whole")
        let chain = try [whole.certificate, authority.ca.certificate].map {
            try String(contentsOfFile: $0, encoding: .utf8)
        }
        try chain.joined().write(toFile: whole.certificate, atomically: false, encoding: .utf8)
        let withChain = try failure(
            SessionPair(other.client(), authority.server { $0.identities = [whole] }))
        #expect(
            withChain?.text.hasPrefix("an authority of the server's certificate CN=") == true)
        let early = WallTime(nanoseconds: authority.now.nanoseconds - 1_800_000_000_000)
        let expired = TLSServerConfiguration(
            identities: [authority.ca.issue("old", to: -1200)])
        // It was good when the server began.
        let server = try TLSContext(expired, tickets: nil, now: early)
        #expect(
            try failure(SessionPair(authority.client(), server))?.text.hasPrefix(
                "the server's certificate CN=old: it has expired on 20") == true)
    }

    @Test("A fingerprint stands for an authority and a name")
    func fingerprint() throws {
        let server = try authority.server()
        let print = try #require(server.certificates.first?.fingerprint)
        let good = try authority.client { $0.trust = .fingerprint(print.description) }
        #expect(try failure(SessionPair(good, server, host: nil)) == nil)
        let bad = try authority.client {
            $0.trust = .fingerprint(String(repeating: "00:", count: 31) + "00")
        }
        #expect(try failure(SessionPair(bad, server, host: nil))?.kind == .certificate)
        #expect(throws: TransportSecurityError.self) {
            try authority.client { $0.trust = .fingerprint("abc") }
        }
    }

    @Test("A server demands certificates, takes them, or does not ask")
    func clientCertificates() throws {
        let identity = authority.ca.issue("client", names: "URI:spiffe://test/client,DNS:client")
        let with = try authority.client { $0.identity = identity }
        let without = try authority.client()
        func server(_ how: ClientAuthentication) throws -> TLSContext {
            try authority.server {
                $0.clientCA = authority.ca.certificate
                $0.clientAuthentication = how
            }
        }
        let required = try SessionPair(with, server(.required))
        try required.exchange()
        #expect(required.server.peerCertificate?.uris == ["spiffe://test/client"])
        #expect(required.server.peerCertificate?.subject == "CN=client")
        #expect(
            try failure(SessionPair(without, server(.required)))?.text.contains(
                "the client has no certificate, and one is required") == true)
        let optional = try SessionPair(without, server(.optional))
        try optional.exchange()
        #expect(optional.server.phase == .open)
        let foreign = try Authority()
        let stranger = try authority.client { $0.identity = foreign.ca.issue("client") }
        #expect(
            try failure(SessionPair(stranger, server(.optional)))?.text.hasPrefix(
                "the client's certificate CN=client: it is not of an authority that is trusted here"
            )
                == true)
        let unasked = try SessionPair(with, server(.none))
        try unasked.exchange()
        #expect(unasked.server.peerCertificate == nil)
    }

    @Test("Of several certificates the one is shown that is valid for the name that is asked for")
    func serverNames() throws {
        let server = try authority.server {
            $0.identities = [
                authority.ca.issue("first", names: "DNS:first.example"),
                authority.ca.issue("second", names: "DNS:second.example,DNS:*.second.example"),
            ]
        }
        for (host, subject) in [
            ("first.example", "CN=first"), ("second.example", "CN=second"),
            ("a.second.example", "CN=second"),
        ] {
            let pair = try SessionPair(authority.client(), server, host: host)
            try pair.exchange()
            #expect(pair.client.peerCertificate?.subject == subject)
        }
    }

    @Test("Errors of files name the file and the reason")
    func files() throws {
        let good = authority.ca.issue("good")
        let other = authority.ca.issue("other")
        let empty = authority.ca.issue("empty")
        try "no key".write(toFile: empty.key, atomically: false, encoding: .utf8)
        func error(_ identity: TLSIdentity, ca: String? = nil) -> String {
            do {
                _ = try authority.server {
                    $0.identities = [identity]
                    $0.clientCA = ca
                    if ca != nil { $0.clientAuthentication = .required }
                }
                return ""
            } catch { return "\(error)" }
        }
        let folder = authority.folder
        #expect(
            error(TLSIdentity(certificate: folder + "/none", key: good.key))
                == "TLS file: \(folder)/none: ENOENT (No such file or directory)")
        #expect(
            error(TLSIdentity(certificate: good.key, key: good.key))
                == "TLS file: \(good.key): it has no certificate in PEM form (no start line)")
        #expect(
            error(TLSIdentity(certificate: good.certificate, key: other.key))
                == "TLS file: \(other.key) for \(good.certificate): "
                + "the key is not that of the certificate (key values mismatch)")
        #expect(
            error(TLSIdentity(certificate: good.certificate, key: empty.key))
                == "TLS file: \(empty.key) for \(good.certificate): "
                + "it has no private key in PEM form (unsupported)")
        #expect(
            error(good, ca: good.key)
                == "TLS file: \(good.key): it has no certificate in PEM form "
                + "(no certificate or crl found)")
        #expect(error(good, ca: folder + "/none").contains("\(folder)/none: "))
        #expect(error(authority.ca.issue("expired", to: -60)).contains("has expired on 20"))
        #expect(error(authority.ca.issue("early", from: 60)).contains("is not valid before 20"))
    }
}
