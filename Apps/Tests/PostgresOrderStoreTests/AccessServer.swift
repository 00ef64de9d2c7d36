import Foundation
import Glibc
import RocketBaseTestKit
import Testing

/// A server with TLS and with roles that identify themselves in different ways, and the certificates
/// for it. All roles may use all databases.
struct AccessServer: Sendable {
    /// One for all tests.
    static let shared = Result { try AccessServer() }

    let server: PostgresServer
    /// Of `authority` and `other`: ca.pem; of `authority` also database, elsewhere and certified.
    let certificates: String

    /// The roles: rocket needs nothing, secret a password, certified a certificate; peered has to be
    /// the user of the tests.
    private static let access = """
        local all rocket trust
        local all secret scram-sha-256
        local all peered peer map=tests
        hostssl all rocket all trust
        hostssl all certified all cert

        """

    private init() throws {
        certificates = "/tmp/rocket-pg-certificates-\(UUID().uuidString.prefix(8))"
        let tool = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("scripts/dev-ca").path
        let script = """
            set -e
            exec 2>/dev/null
            mkdir -m 0755 "$1" "$1/files"
            for authority in authority other; do "$2" "$1/$authority" init; done
            "$2" "$1/authority" issue database --dns localhost
            "$2" "$1/authority" issue elsewhere --dns elsewhere.example
            "$2" "$1/authority" issue certified --client
            cp "$1/authority/database/certificate.pem" "$1/files/server.crt"
            cp "$1/authority/database/key.pem" "$1/files/server.key"
            cp "$1/authority/ca.pem" "$1/files/root.crt"
            printf '%s' "$3" >"$1/files/pg_hba.conf"
            echo "tests $(id -un) peered" >"$1/files/pg_ident.conf"
            # The server's user copies them.
            chmod 644 "$1/files"/*
            """
        _ = try RunningProgram.run(["bash", "-c", script, "bash", certificates, tool, Self.access])
        var started: PostgresServer?
        for _ in 0..<5 where started == nil {
            // Another process may have taken the port since.
            started = try? PostgresServer(
                port: Self.freePort(),
                settings: [
                    "ssl=on", "ssl_ca_file=root.crt", "ssl_cert_file=server.crt",
                    "ssl_key_file=server.key",
                ], files: "\(certificates)/files")
        }
        server = try #require(started)
        try server.execute(
            """
            CREATE ROLE secret LOGIN SUPERUSER PASSWORD 'open sesame';
            CREATE ROLE peered LOGIN SUPERUSER;
            CREATE ROLE certified LOGIN SUPERUSER;
            """, in: "postgres")
    }

    /// The path of a file of the certificates.
    func path(_ name: String) -> String { "\(certificates)/\(name)" }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(result)
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
