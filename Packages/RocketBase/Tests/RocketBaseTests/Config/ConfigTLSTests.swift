import RocketBase
import Testing

@Suite struct ConfigTLSTests {
    private func server(_ inner: String, file: String = "conf/rocket.xml") throws -> RocketConfig {
        try load("<root><server>\(inner)</server></root>", file: file)
    }

    private let tls = "<tls><certificate>a.crt</certificate><key>a.key</key></tls>"

    @Test("The element tls of the server has paths relative to the file, and lists of them")
    func serverTLS() throws {
        #expect(try server("").server.tls == nil)
        let config = try server(
            """
            <tls><certificate>tls/a.crt, /b.crt</certificate>
            <key>tls/a.key, ${CREDENTIALS_DIRECTORY}/b.key</key>
            <client_ca>ca.crt</client_ca><min_version>1.3</min_version></tls>
            """)
        #expect(config.warnings == [])
        let tls = try #require(config.server.tls)
        #expect(tls.certificate == ["conf/tls/a.crt", "/b.crt"])
        #expect(tls.key == ["conf/tls/a.key", "${CREDENTIALS_DIRECTORY}/b.key"])
        #expect(tls.clientCA == "conf/ca.crt")
        #expect(tls.clientAuthentication == .required)
        #expect(tls.minVersion == .tls13)
        let lines = config.report.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        #expect(lines.contains("server/tls/min_version 1.3 conf/rocket.xml:3"))
        #expect(lines.contains("server/tls/client_auth - default"))
    }

    @Test("Listener elements add addresses, with TLS of their own or without")
    func listeners() throws {
        let config = try server(
            """
            <listen>[::1]:1</listen>\(tls)
            <listener><address>unix:run/a.sock</address>\(tls)</listener>
            <listener><address>127.0.0.1:2</address></listener>
            """)
        #expect(config.warnings == [])
        #expect(config.server.addresses == ["[::1]:1", "unix:conf/run/a.sock", "127.0.0.1:2"])
        #expect(config.server.listeners.map { $0.tls?.key } == [["conf/a.key"], nil])
        let paths = config.entries.filter { $0.origin != .default }.map(\.path)
        #expect(paths.contains("server/listener/unix:conf/run/a.sock/tls/key"))
        #expect(paths.contains("server/listener/127.0.0.1:2/address"))
        let hosts = try server(
            """
            <listen>localhost:1, orders.svc:0</listen>
            <listener><address>orders.svc:2</address></listener>
            """)
        #expect(hosts.server.addresses == ["localhost:1", "orders.svc:0", "orders.svc:2"])
        for wrong in ["orders.svc", "dns:///orders.svc:80", "srv:orders", "a:b:80", "1.2.3:80"] {
            #expect(throws: ConfigError.self) { try server("<listen>\(wrong)</listen>") }
        }
        // In place of ip and port.
        #expect(
            try server("<listener><address>[::1]:3</address></listener>").server.addresses
                == ["[::1]:3"])
    }

    @Test("An empty element tls of a stub turns TLS on")
    func stubTLS() throws {
        func stub(_ tls: String) throws -> StubTLSConfig? {
            let xml = """
                <root><stubs><rpc_server><name>a</name><port>1</port>\(tls)</rpc_server></stubs></root>
                """
            return try load(xml).stubs.first?.tls
        }
        #expect(try stub("") == nil)
        #expect(try stub("<tls/>") == StubTLSConfig())
        let print = Array(repeating: "AB", count: 32).joined(separator: ":")
        let pinned = try stub("<tls><fingerprint>\(print)</fingerprint></tls>")
        #expect(pinned?.fingerprint == X509Fingerprint(print))
        let named = try stub("<tls><ca>ca.crt</ca><name>spiffe://example/a</name></tls>")
        #expect(named?.ca == "conf/ca.crt")
        #expect(named?.name == "spiffe://example/a")
    }

    @Test("Variables override the elements, and turn TLS on")
    func variables() throws {
        let config = try load(
            "<root><stubs><rpc_server><name>a</name><port>1</port></rpc_server></stubs></root>",
            environment: [
                "ROCKET_SERVER_TLS_CERTIFICATE": "a.crt", "ROCKET_SERVER_TLS_KEY": "/a.key",
                "ROCKET_STUBS_A_TLS_NAME": "orders.example",
            ])
        #expect(config.warnings == [])
        #expect(
            config.server.tls == ServerTLSConfig(certificate: "conf/a.crt", key: "/a.key"))
        #expect(config.stubs.first?.tls?.name == "orders.example")
    }

    @Test(
        "Errors name the element and what it needs",
        arguments: [
            ("<tls/>", "root/server/tls: certificate is missing"),
            ("<tls><certificate>a</certificate></tls>", "root/server/tls: key is missing"),
            (
                "<tls><certificate>a,b</certificate><key>a</key></tls>",
                "root/server/tls: certificate has 2 values and key has 1; each certificate needs its "
                    + "key, in the same order"
            ),
            (
                "<tls><certificate>a</certificate><key>a</key><client_auth>optional</client_auth></tls>",
                "root/server/tls: client_auth is optional, but client_ca is missing"
            ),
            (
                "<tls><certificate>a</certificate><key>a</key><min_version>1.1</min_version></tls>",
                "root/server/tls/min_version: found \"1.1\"; allowed: one of 1.2, 1.3"
            ),
            ("<listener/>", "root/server/listener: address is missing"),
            (
                "<listener><address>[::1]:1</address></listener>\n"
                    + "<listener><address>[::1]:1</address></listener>",
                "root/server/listener/address: found \"[::1]:1\" again; the first one is on line 1"
            ),
            (
                "<listener><address>[::1]:1</address><tls/></listener>",
                "root/server/listener/tls: certificate is missing"
            ),
        ])
    func errors(inner: String, message: String) {
        let found = issues("<root><server>\(inner)</server></root>")
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("error: " + message) == true, "\(found)")
    }

    @Test("Contradictions in the element of a stub are errors")
    func stubErrors() {
        func issue(_ tls: String) -> String? {
            issues(
                "<root><stubs><rpc_server><name>a</name><port>1</port><tls>\(tls)</tls></rpc_server>"
                    + "</stubs></root>"
            ).first
        }
        let path = "r.xml:1:54: error: root/stubs/rpc_server/tls: "
        #expect(issue("<key>k</key>") == path + "key is set, but certificate is missing")
        #expect(
            issue("<certificate>k</certificate>") == path + "certificate is set, but key is missing"
        )
        let pin = "<fingerprint>\(String(repeating: "0", count: 64))</fingerprint>"
        #expect(
            issue(pin + "<name>n</name>")
                == path + "fingerprint is set, so name has no effect: remove one")
    }

    @Test("Paths change live; whether there is TLS, and the listeners, need a restart")
    func changes() throws {
        let old = try server(
            "<port>1</port>\(tls)<listener><address>[::1]:2</address>\(tls)</listener>")
        let other = tls.replacing("a.crt", with: "b.crt")
        let new = try server(
            "<port>1</port>\(other)<listener><address>[::1]:2</address>\(other)</listener>")
        let diff = new.diff(from: old)
        #expect(
            diff.live.map(\.description) == [
                "server/tls/certificate: conf/a.crt -> conf/b.crt",
                "server/listener/[::1]:2/tls/certificate: conf/a.crt -> conf/b.crt",
            ])
        #expect(diff.restart == [])
        let adopted = old.adoptingLiveChanges(of: new)
        #expect(adopted.server == new.server)

        let off = try server("<port>1</port><listener><address>[::1]:2</address></listener>")
        #expect(off.diff(from: old).live == [])
        #expect(off.diff(from: old).restart.count == 10)
        #expect(old.adoptingLiveChanges(of: off).server == old.server)
        #expect(old.diff(from: off).live == [])
        #expect(off.adoptingLiveChanges(of: old).server == off.server)
        let fewer = try server("<port>1</port>\(tls)")
        #expect(fewer.diff(from: old).live == [])
        #expect(old.adoptingLiveChanges(of: fewer).server == old.server)
    }
}
