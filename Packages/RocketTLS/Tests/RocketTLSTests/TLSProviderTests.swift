import RocketBase
import RocketBaseTestKit
import RocketSystem
import RocketTLSTestKit
import Testing

@testable import RocketTLS

@Suite struct TLSProviderTests {
    let authority: Authority
    /// What the provider has waited, in all.
    let waits = Waits()
    init() throws { authority = try Authority() }

    private func provider(
        wait: @escaping @Sendable (Duration) -> Void = { _ in }
    ) -> TLSProvider {
        TLSProvider(credentials: nil) { [waits] in
            waits.list.withLock { [duration = $0] in $0.append(duration) }
            wait($0)
        }
    }

    private func server(_ identity: TLSIdentity) -> ServerTLSConfig {
        ServerTLSConfig(certificate: identity.certificate, key: identity.key)
    }

    private var client: StubTLSConfig {
        var tls = StubTLSConfig()
        tls.ca = authority.ca.certificate
        return tls
    }

    /// Makes a handshake, lets both ends pass some bytes, and returns the client's session.
    private func connect(
        _ client: any ClientTransportSecurity, _ server: any ServerTransportSecurity,
        host: String = "localhost"
    ) throws -> TLSSession {
        let near = try #require(try client.connectSession(to: host) as? TLSSession)
        let far = try #require(try server.acceptSession() as? TLSSession)
        try SessionPair(near, far).exchange()
        return near
    }

    @Test("A reload applies new files to new sessions, and tickets stay good")
    func reloads() throws {
        let provider = provider()
        let server = try provider.serverSecurity(
            server(authority.ca.issue("server")), at: "server/tls")
        let client = try provider.clientSecurity(client, at: "stubs/order/tls")
        let first = provider.certificates
        #expect(first.map(\.certificate.subject) == ["CN=server"])
        #expect(try connect(client, server).isResumed == false)
        #expect(try connect(client, server).isResumed)
        let other = try TLSProvider(credentials: nil).clientSecurity(self.client, at: "stubs/a/tls")
        _ = try connect(other, server)
        _ = authority.ca.issue("server")
        try provider.reload()
        #expect(provider.certificates.map(\.path) == first.map(\.path))
        #expect(provider.certificates != first)
        // A client of another process, which has not reloaded.
        #expect(try connect(other, server).isResumed)
        let session = try connect(client, server)
        #expect(!session.isResumed)
        let shown = session.peerCertificate
        #expect(shown == provider.certificates.first?.certificate)
    }

    @Test(
        "A session that ends after a reload leaves no ticket: the files of before have checked it")
    func lateTicket() throws {
        let provider = provider()
        let server = try provider.serverSecurity(
            server(authority.ca.issue("server")), at: "server/tls")
        let client = try provider.clientSecurity(client, at: "stubs/order/tls")
        var open: TLSSession? = try connect(client, server)
        #expect(open?.ticket != nil)
        try provider.reload()
        open = nil
        #expect(try connect(client, server).isResumed == false)
        #expect(try connect(client, server).isResumed)
    }

    @Test("One file that can't be used keeps all as they were, and is named")
    func wholeOrNotAtAll() throws {
        let provider = provider()
        let good = authority.ca.issue("good")
        let bad = authority.ca.issue("bad")
        _ = try provider.serverSecurity(server(bad), at: "server/listener/[::1]:1/tls")
        _ = try provider.serverSecurity(server(good), at: "server/tls")
        let before = provider.certificates
        _ = authority.ca.issue("good")
        try FileContents.write(Array("nothing".utf8), to: bad.certificate)
        let error = #expect(throws: TransportSecurityError.self) { try provider.reload() }
        #expect(
            error?.description
                == "TLS file: \(bad.certificate): it has no certificate in PEM form (no start line)"
        )
        #expect(provider.certificates == before)
        #expect(
            waits.list.withLock { $0 } == [
                .milliseconds(100), .milliseconds(100), .milliseconds(100),
            ])
    }

    @Test("A key that does not fit yet is read again, three times at most")
    func mismatch() throws {
        let identity = authority.ca.issue("server")
        let key = try FileContents.read(identity.key, limit: 1 << 16)
        _ = authority.ca.issue("server")
        let new = try FileContents.read(identity.key, limit: 1 << 16)
        let provider = TLSProvider(credentials: nil) { [waits] in
            let count = waits.list.withLock { [duration = $0] in
                $0.append(duration)
                return $0.count
            }
            // The other half of the replacement arrives during the second wait.
            if count == 2 { try? FileContents.write(new, to: identity.key) }
        }
        try FileContents.write(key, to: identity.key)
        _ = try provider.serverSecurity(server(identity), at: "server/tls")
        #expect(waits.list.withLock { $0.count } == 2)
        // As they are after the replacement.
        #expect(provider.files.allSatisfy { $0.version == FileVersion(of: $0.path) })
        try FileContents.write(key, to: identity.key)
        let error = #expect(throws: TransportSecurityError.self) { try provider.reload() }
        #expect(error?.text.hasSuffix("(key values mismatch)") == true)
        #expect(waits.list.withLock { $0.count } == 5)
    }

    @Test(
        "A key that others can read or write is refused with its mode",
        arguments: [UInt32(0o644), 0o660, 0o602, 0o640])
    func modes(_ mode: UInt32) throws {
        let identity = authority.ca.issue("server")
        try FileSystem.setMode(identity.key, mode)
        let status = try #require(try FileSystem.status(of: identity.key))
        if mode == 0o640, status.uid == 0 {
            _ = try provider().serverSecurity(server(identity), at: "server/tls")
            return
        }
        let error = #expect(throws: TransportSecurityError.self) {
            try provider().serverSecurity(server(identity), at: "server/tls")
        }
        #expect(
            error?.description == "TLS file: \(identity.key): the mode of a private key is "
                + "0\(String(mode, radix: 8)), so that others than its owner can use it; expected "
                + "is 0600, or 0640 for a file of root's")
        try FileSystem.setMode(identity.key, 0o400)
        _ = try provider().serverSecurity(server(identity), at: "server/tls")
    }

    @Test("Paths of systemd's credentials are found in their folder")
    func credentials() throws {
        let identity = authority.ca.issue("server")
        var tls = server(identity)
        tls.key = ["${CREDENTIALS_DIRECTORY}/server.key"]
        let provider = TLSProvider(credentials: authority.folder)
        _ = try provider.serverSecurity(tls, at: "server/tls")
        #expect(provider.files.map(\.path) == [identity.certificate, identity.key])
        let error = #expect(throws: TransportSecurityError.self) {
            try self.provider().serverSecurity(tls, at: "server/tls")
        }
        #expect(error?.text.contains("CREDENTIALS_DIRECTORY is not set") == true)
    }

    @Test("A reload with a configuration applies new paths, and forgets stubs that it lacks")
    func newPaths() throws {
        let provider = provider()
        let old = authority.ca.issue("old")
        let new = authority.ca.issue("new")
        let security = try provider.serverSecurity(server(old), at: "server/tls")
        _ = try provider.clientSecurity(client, at: "stubs/order/tls")
        var config = RocketConfig()
        config.server.tls = server(new)
        try provider.reload(config)
        #expect(provider.files.map(\.path) == [new.certificate, new.key])
        // What is no stub is not in the configuration's list, and stays.
        _ = try provider.clientSecurity(client, at: "chat/backplane")
        try provider.reload(config)
        #expect(
            provider.files.map(\.path) == [new.certificate, new.key, authority.ca.certificate])
        let again = try provider.serverSecurity(server(new), at: "server/tls")
        #expect(again as AnyObject === security as AnyObject)
    }

    @Test("A ticket of a client whose authority was removed is not resumed")
    func removedAuthority() throws {
        let foreign = try Authority()
        let both = authority.folder + "/both.crt"
        let own = try FileContents.read(authority.ca.certificate, limit: 1 << 16)
        let other = try FileContents.read(foreign.ca.certificate, limit: 1 << 16)
        try FileContents.write(own + other, to: both)
        let provider = provider()
        var tls = server(authority.ca.issue("server"))
        tls.clientCA = both
        let server = try provider.serverSecurity(tls, at: "server/tls")
        let stranger = foreign.ca.issue("client")
        var settings = client
        settings.certificate = stranger.certificate
        settings.key = stranger.key
        let client = try TLSProvider(credentials: nil).clientSecurity(settings, at: "stubs/a/tls")
        _ = try connect(client, server)
        #expect(try connect(client, server).isResumed)
        try FileContents.write(own, to: both)
        try provider.reload()
        let error = #expect(throws: TransportSecurityError.self) { try connect(client, server) }
        #expect(error?.kind == .certificate)
    }

    @Test("A ticket of a client without certificate is not resumed once one is demanded")
    func newDemand() throws {
        let provider = provider()
        var tls = server(authority.ca.issue("server"))
        tls.clientCA = authority.ca.certificate
        tls.clientAuth = .optional
        let server = try provider.serverSecurity(tls, at: "server/tls")
        let client = try provider.clientSecurity(client, at: "stubs/a/tls")
        _ = try connect(client, server)
        #expect(try connect(client, server).isResumed)
        tls.clientAuth = .required
        _ = try provider.serverSecurity(tls, at: "server/tls")
        #expect(throws: TransportSecurityError.self) { try connect(client, server) }
    }

    @Test("A cache of tickets keeps those of 256 hosts, and forgets the oldest host")
    func ticketLimit() throws {
        let keys = try TLSTicketKeys()
        let pair = try SessionPair(authority.client(), authority.server(tickets: keys))
        try pair.exchange()
        let made = pair.client.ticket
        let ticket = try #require(made)
        var cache = TLSTicketCache()
        for number in 0..<300 { cache.keep(ticket, of: "host\(number)") }
        cache.keep(ticket, of: "host299")
        #expect(cache.count == 256)
        #expect(cache["host43"] == nil)
        #expect(cache["host44"] != nil)
        #expect(cache["host299"] != nil)
    }

    @Test("The end of the authority that is valid for longest is reported, too")
    func authorities() throws {
        let lines = try LogLines()
        let provider = TLSProvider(logger: lines.logger, credentials: nil) { _ in }
        var tls = server(authority.ca.issue("server"))
        let both = authority.folder + "/both.crt"
        // It is made later, so that it ends later.
        let second = try Authority()
        tls.clientCA = both
        var text: [UInt8] = []
        for path in [authority.ca.certificate, second.ca.certificate] {
            text += try FileContents.read(path, limit: 1 << 20)
        }
        try FileContents.write(text, to: both)
        _ = try provider.serverSecurity(tls, at: "server/tls")
        _ = try provider.clientSecurity(client, at: "stubs/order/tls")
        #expect(provider.authorities.map(\.path) == [both, authority.ca.certificate])
        let ends = provider.authorities.map(\.certificate.notAfter)
        #expect(ends.count == 2 && ends[0] >= ends[1])
        var system = StubTLSConfig()
        system.name = "localhost"
        _ = try provider.clientSecurity(system, at: "stubs/other/tls")
        #expect(provider.authorities.count == 2)
        // All of them are valid for a day.
        let found = lines.end()
        #expect(found.count { $0.contains("TLS authority expires soon") } == 2)
        #expect(found.count { $0.contains("TLS certificate expires soon") } == 1)
        #expect(found.count { $0.contains("TLS certificate loaded") } == 1)
    }

    @Test("An end that is near is reported from 7 days before, once per day, for each certificate")
    func expiry() throws {
        func file(_ byte: UInt8, days: Int64) throws -> TLSCertificateFile {
            let print = try #require(X509Fingerprint(bytes: Array(repeating: byte, count: 32)))
            return TLSCertificateFile(
                path: "a.crt",
                certificate: X509Certificate(
                    subject: "CN=a", fingerprint: print, serial: "1A",
                    notBefore: WallTime(nanoseconds: 0),
                    notAfter: WallTime(nanoseconds: days * 86_400_000_000_000)))
        }
        func now(_ hours: Int64) -> WallTime { WallTime(nanoseconds: hours * 3_600_000_000_000) }
        var warnings = ExpiryWarnings()
        let old = try file(1, days: 10)
        #expect(warnings.due([old], now: now(71)) == [])
        #expect(warnings.due([old], now: now(72)) == [old])
        #expect(warnings.due([old], now: now(95)) == [])
        #expect(warnings.due([old], now: now(96)) == [old])
        let new = try file(2, days: 5)
        #expect(warnings.due([new], now: now(97)) == [new])
        // The clock was set back.
        #expect(warnings.due([new], now: now(90)) == [new])
        #expect(warnings.due([new], now: now(1000)) == [new])
        #expect(warnings.due([], now: now(1000)) == [])
        #expect(old.description == "a.crt: CN=a, serial 1A, valid until 1970-01-11")
    }
}

/// Waits that were asked for.
final class Waits: Sendable {
    let list = Locked<[Duration]>([])
}
