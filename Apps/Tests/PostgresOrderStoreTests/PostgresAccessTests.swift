import Foundation
import OrderStoreConformance
import OrderStoring
import Postgres
import PostgresOrderStore
import Testing

/// How a server and its peers know each other: TLS with certificates, peers on a Unix socket, files
/// with passwords.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct PostgresAccessTests {
    private let access: AccessServer
    private let harness: PostgresHarness

    init() throws {
        access = try AccessServer.shared.get()
        harness = try PostgresHarness(access.server)
    }

    /// The URL of the database over TCP.
    private func tcp(_ user: String, host: String = "localhost", _ options: String) throws
        -> PostgresURL
    {
        let port = try #require(access.server.port)
        return try PostgresURL(
            "postgresql://\(user)@\(host):\(port)/\(harness.database)?hostaddr=127.0.0.1&\(options)"
        )
    }

    /// The URL of the database over the Unix socket.
    private func local(_ user: String, _ options: String = "") throws -> PostgresURL {
        let port = try #require(access.server.port)
        return try PostgresURL(
            "postgresql://\(user)@/\(harness.database)?host=\(access.server.folder)&port=\(port)"
                + options)
    }

    private func expectStores(_ url: PostgresURL, isEncrypted: Bool = false) async throws {
        let store = try await harness.open(url)
        let order = try await store.make(OrderDraft(price: 10, goods: "apple"))
        #expect(try await store.order(order.id) == order)
        let encrypted = try harness.execute(
            """
            SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE ssl AND datname = current_database()
            """)
        #expect(encrypted == (isEncrypted ? "2" : "0"))
        await store.close()
    }

    private func expectFailure(_ url: PostgresURL, _ texts: String...) async {
        let text = await harness.openFailure(url, texts)
        #expect(texts.contains { text.contains($0) }, "\(text)")
        #expect(!text.contains("sesame"))
    }

    @Test("A server with a certificate of the right authority and for the right name is trusted")
    func verified() async throws {
        let url = try tcp(
            "rocket", "sslmode=verify-full&sslrootcert=\(access.path("authority/ca.pem"))")
        try await expectStores(url, isEncrypted: true)
    }

    @Test("A server with the certificate of another authority is not trusted")
    func wrongAuthority() async throws {
        let url = try tcp(
            "rocket", "sslmode=verify-full&sslrootcert=\(access.path("other/ca.pem"))")
        await expectFailure(url, "certificate verify failed")
    }

    @Test("A server with a certificate for another name is not trusted")
    func wrongName() async throws {
        let url = try tcp(
            "rocket", host: "db.example",
            "sslmode=verify-full&sslrootcert=\(access.path("authority/ca.pem"))")
        await expectFailure(url, "does not match host name")
    }

    @Test("A file of authorities that is missing is named")
    func missingAuthority() async throws {
        let path = access.path("missing.pem")
        let url = try tcp("rocket", "sslmode=verify-full&sslrootcert=\(path)")
        await expectFailure(url, path)
    }

    @Test("A client is known by its certificate")
    func clientCertificate() async throws {
        let files =
            "sslmode=verify-full&sslrootcert=\(access.path("authority/ca.pem"))"
            + "&sslcert=\(access.path("authority/certified/certificate.pem"))"
            + "&sslkey=\(access.path("authority/certified/key.pem"))"
        try await expectStores(tcp("certified", files), isEncrypted: true)
    }

    @Test("A client without a certificate is refused where one is needed")
    func noClientCertificate() async throws {
        let url = try tcp(
            "certified",
            "sslmode=verify-full&sslrootcert=\(access.path("authority/ca.pem"))&sslcert=/nowhere")
        await expectFailure(url, "requires a valid client certificate")
    }

    @Test("A connection without TLS is refused where it is needed")
    func plain() async throws {
        await expectFailure(try tcp("rocket", "sslmode=disable"), "no encryption")
    }

    @Test("Results of any length arrive over TLS without waiting for the next one")
    func longResults() async throws {
        let url = try tcp(
            "rocket", "sslmode=verify-full&sslrootcert=\(access.path("authority/ca.pem"))")
        // What is left in the TLS library would only be found after this.
        let store = try await harness.open(url) { $0.followInterval = .seconds(3600) }
        try harness.execute(
            """
            INSERT INTO orders SELECT n, 10, repeat('x', n), 0 FROM generate_series(1, 300) n
            """)
        for limit in stride(from: 150, through: 300, by: 10) {
            let page = try await store.orders(limit: limit)
            #expect(page.orders.map(\.goods.utf8.count) == Array(1...limit))
        }
        await store.close()
    }

    @Test("A peer on a Unix socket is known by its user")
    func peer() async throws { try await expectStores(local("peered")) }

    @Test("A password comes from a file that only its owner can read")
    func passfile() async throws {
        func file(_ name: String, _ password: String, _ mode: Int) throws -> String {
            let path = access.path("\(harness.database)-\(name)")
            try Data("*:*:*:secret:\(password)\n".utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: path)
            return "&passfile=\(path)"
        }
        try await expectStores(local("secret", file("right", "open sesame", 0o600)))
        await expectFailure(
            try local("secret", file("wrong", "close sesame", 0o600)),
            "password authentication failed")
        await expectFailure(
            try local("secret", file("open", "open sesame", 0o644)), "no password supplied")
        await expectFailure(try local("secret", "&passfile=/nowhere"), "no password supplied")
    }

    @Test("A role that may not create tables is refused, and can use those of another one")
    func privileges() async throws {
        try harness.execute(
            "CREATE ROLE \(harness.database)_user LOGIN; GRANT \(harness.database)_user TO rocket")
        let url = try PostgresURL(
            "postgresql://rocket@/\(harness.database)?host=\(access.server.folder)"
                + "&port=\(try #require(access.server.port))"
                + "&options=-c%20role%3D\(harness.database)_user")
        let error = await #expect(throws: OrderStoreError.self) { try await harness.open(url) }
        guard case .notPermitted(_, let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("permission denied"))
        try await harness.open(local("rocket")).close()
        try harness.execute(
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO \(harness.database)_user;"
                + "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO \(harness.database)_user")
        try await expectStores(url)
    }
}
