import ArgumentParser
import Foundation
import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import RocketTLS
import RocketTLSTestKit
import ServiceLifecycle
import Testing

@testable import RocketProgram

/// TLS in programs: options, reports, and files that are replaced while a program runs.
@Suite final class TLSProgramTests {
    private let folder = NSTemporaryDirectory() + "rocket-tls-" + UUID().uuidString
    private let ca: TestAuthority

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        ca = TestAuthority(inFolder: folder)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func config(_ identity: TLSIdentity) -> RocketConfig {
        var config = RocketConfig()
        config.server.tls = ServerTLSConfig(certificate: identity.certificate, key: identity.key)
        return config
    }

    /// A provider that does not wait for files that are being replaced.
    private func provider(_ logger: RocketLogger = .disabled) -> TLSProvider {
        TLSProvider(logger: logger) { _ in }
    }

    /// A log for whose lines a test can wait.
    private final class Lines: LogSink, Sendable {
        private let texts = Locked<[String]>([])
        private let event = AsyncEvent()
        let lostLines: UInt64 = 0
        let isPrompt = true

        func write(_ event: borrowing LogEvent) {
            let memory = UnsafeMutableRawBufferPointer.allocate(
                byteCount: event.formattedBound, alignment: 1)
            defer { memory.deallocate() }
            let length = event.format(.plain, into: memory)
            let text = String(decoding: memory[..<length], as: UTF8.self)
            texts.withLock { $0.append(text) }
            self.event.notify()
        }

        func endBatch() -> LogSinkNotice? { nil }

        /// Returns once so many lines contain the text.
        func contain(_ text: String, times: Int = 1) async {
            await event.wait { texts.withLock { $0.count { $0.contains(text) } >= times } }
        }
    }

    @Test("Files that are replaced while the program runs are reloaded, bad ones are not")
    func watches() async throws {
        let sink = Lines()
        var configuration = LogConfiguration()
        configuration.outputs = []
        let logs = try LogSystem(configuration, sinks: [sink])
        defer { logs.shutdown() }
        let identity = ca.issue("server")
        let tls = TLSReload(provider(logs.app), logger: logs.app)
        try tls.provider.load(config(identity))
        let run = Task { try await tls.run() }
        await sink.contain("TLS certificate loaded")
        // As certbot does: a link that leads elsewhere.
        let link = folder + "/live.crt"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "server.crt")
        try tls.reload(config(TLSIdentity(certificate: link, key: identity.key)))
        await sink.contain("TLS certificate reloaded")
        try FileContents.write(Array("nothing".utf8), to: identity.certificate)
        await sink.contain("TLS files not reloaded, the old ones stay in force")
        let before = tls.provider.certificates
        _ = ca.issue("server")
        await sink.contain("TLS certificate reloaded", times: 2)
        #expect(tls.provider.certificates != before)
        #expect(tls.provider.certificates.map(\.path) == [link])
        run.cancel()
        try await run.value
    }

    @Test("Any of the options turns TLS on")
    func options() throws {
        #expect(try TLSOptions.parse([]).settings == nil)
        #expect(try TLSOptions.parse(["--tls"]).settings == StubTLSConfig())
        let all = try TLSOptions.parse([
            "--tls-ca", "ca", "--tls-cert", "c", "--tls-key", "k", "--tls-name", "n",
        ])
        #expect(all.settings?.ca == "ca" && all.settings?.name == "n")
        #expect(all.settings?.certificate == "c" && all.settings?.key == "k")
        let print = String(repeating: "ab", count: 32)
        #expect(
            try TLSOptions.parse(["--tls-fingerprint", print]).settings?.fingerprint
                == X509Fingerprint(print))
    }

    @Test(
        "Options that contradict each other are refused",
        arguments: [
            (["--tls-cert", "c"], "--tls-cert needs --tls-key"),
            (["--tls-key", "k"], "--tls-key needs --tls-cert"),
            (["--tls-fingerprint", "12"], "64 hexadecimal digits"),
            (
                ["--tls-name", "n", "--tls-fingerprint", String(repeating: "0", count: 64)],
                "--tls-fingerprint goes without --tls-name"
            ),
            (["--tls-nme", "n"], "Unknown option '--tls-nme'"),
        ])
    func contradictions(arguments: [String], text: String) {
        let failure = #expect(throws: ProgramFailure.self) {
            try TestClientOptions.split(arguments)
        }
        #expect(failure?.status == .usage)
        #expect(failure?.description.contains(text) == true, "\(failure?.description ?? "")")
    }

    @Test("A test client takes the options anywhere between its arguments")
    func split() throws {
        let (options, rest) = try TestClientOptions.split([
            "make", "--tls-ca=ca", "localhost", "--tls", "1", "--tls-name", "n", "{}",
        ])
        #expect(rest == ["make", "localhost", "1", "{}"])
        #expect(options.tls.settings?.ca == "ca" && options.tls.settings?.name == "n")
    }

    @Test("A target whose files can't be used is an error with the file, not plaintext")
    func target() async throws {
        var target = try ServerTarget(address: "127.0.0.1:1")
        #expect(try target.security() == nil)
        target.tls = StubTLSConfig()
        target.tls?.ca = "${CREDENTIALS_DIRECTORY}/none"
        let error = #expect(throws: RPCError.self) { _ = try target.channel() }
        #expect(error?.code == .peerAddress)
        #expect(error?.message.contains("/none: CREDENTIALS_DIRECTORY is not set") == true)
        var stub = StubConfig(name: "order", address: "127.0.0.1:1")
        stub.tls = StubTLSConfig()
        stub.tls?.ca = ca.certificate
        #expect(try ServerTarget(stub).security() != nil)
    }

    @Test("TLS to a host checks its name, not its address")
    func hostName() async throws {
        var config = config(ca.issue("server", names: "DNS:localhost"))
        config.server.listen = ["127.0.0.1:0"]
        let server = try RPCServer(config: config, services: [], security: provider())
        let running = Task { try await server.run() }
        let port = try #require(await server.boundAddresses.first?.port)
        func report(_ address: String) async throws -> HealthReport {
            var target = try ServerTarget(address: address)
            target.tls = StubTLSConfig()
            target.tls?.ca = ca.certificate
            return try await HealthOptions.parse(["--timeout", "60s"]).report(target)
        }
        #expect(try await report("localhost:\(port)").state == .serving)
        #expect(try await report("dns:///localhost:\(port)").state == .serving)
        #expect(try await report("127.0.0.1:\(port)").state == .down)
        server.beginDrain()
        try await running.value
    }

    @Test("A server listens on all addresses of a host, with its TLS; an unknown host is named")
    func listenerHost() throws {
        let identity = ca.issue("server", names: "DNS:localhost")
        var server = ServerConfig()
        server.listeners = [
            ListenerConfig(
                address: "localhost:80",
                tls: ServerTLSConfig(certificate: identity.certificate, key: identity.key))
        ]
        let configuration = try RPCServerConfiguration(server, security: provider())
        #expect(configuration.tcp.listen.contains(.loopback(port: 80)))
        let secured = configuration.tcp.security.exceptions.filter { $0.value != nil }.map(\.key)
        #expect(Set(secured) == Set(configuration.tcp.listen))
        server.listeners = []
        server.listen = ["a..invalid:80"]
        let error = #expect(throws: RPCError.self) { _ = try RPCServerConfiguration(server) }
        #expect(error?.message.contains("listen on a..invalid:80: host name") == true)
    }

    @Test("--check-config lists the certificates, and never a key")
    func report() throws {
        let identity = ca.issue(
            "server",
            names: "DNS:orders.example,URI:spiffe://example/orders,IP:10.0.0.1,IP:fd00::1")
        let report = try ConfigurationFile.report(config(identity), of: "r.xml", by: provider())
        let line = try #require(report.split(separator: "\n").last)
        #expect(
            line.hasPrefix(
                "certificate \(identity.certificate): CN=server, names DNS:orders.example "
                    + "IP:10.0.0.1 IP:fd00::1 URI:spiffe://example/orders, serial "))
        #expect(line.contains(", valid until 20"))
        #expect(!report.contains("PRIVATE"))
        var mutual = config(identity)
        mutual.server.tls?.clientCA = ca.certificate
        let both = try ConfigurationFile.report(mutual, of: "r.xml", by: provider())
        let last = try #require(both.split(separator: "\n").last)
        #expect(last.hasPrefix("authority \(ca.certificate): CN="), "\(last)")
        try FileSystem.setMode(identity.key, 0o644)
        let failure = #expect(throws: ProgramFailure.self) {
            try ConfigurationFile.report(config(identity), of: "r.xml", by: provider())
        }
        #expect(failure?.status == .configuration)
        #expect(
            failure?.description.hasPrefix("r.xml: TLS file: \(identity.key): the mode") == true)
    }

    @Test("A reload that fails is in the status until one succeeds")
    func status() throws {
        let identity = ca.issue("server")
        let tls = TLSReload(provider(), logger: .disabled)
        #expect(tls.status == nil)
        try tls.provider.load(config(identity))
        let good = try #require(tls.status)
        #expect(good.hasPrefix("TLS certificate valid until 20"))
        let bad = TLSIdentity(certificate: folder + "/none", key: identity.key)
        #expect(throws: TransportSecurityError.self) { try tls.reload(config(bad)) }
        #expect(
            tls.status?.contains(
                "\(folder)/none: ENOENT (No such file or directory), the old files")
                == true)
        #expect(tls.status?.hasSuffix("stay in force; " + good) == true)
        try tls.reload(config(identity))
        #expect(tls.status == good)
    }
}
