import RocketBase
import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// What a configuration's tls elements ask of a provider.
@Suite struct ConfiguredSecurityTests {
    /// Makes securities that have the paths of their elements.
    private struct Provider: TransportSecurityProvider {
        func serverSecurity(
            _ tls: ServerTLSConfig, at path: String
        ) throws(TransportSecurityError) -> any ServerTransportSecurity { Security(path: path) }

        func clientSecurity(
            _ tls: StubTLSConfig, at path: String
        ) throws(TransportSecurityError) -> any ClientTransportSecurity {
            if tls.ca == "missing" { throw TransportSecurityError(.file, "missing: ENOENT") }
            return Security(path: path)
        }
    }

    private struct Security: ServerTransportSecurity, ClientTransportSecurity {
        let path: String

        func acceptSession() throws(TransportSecurityError) -> any SecureSession {
            throw TransportSecurityError(.resources, path)
        }

        func connectSession(
            to host: String?
        ) throws(TransportSecurityError) -> any SecureSession {
            throw TransportSecurityError(.resources, path)
        }
    }

    private let tls = ServerTLSConfig(certificate: "a.crt", key: "a.key")

    @Test("The server's element is for IP addresses, a listener's for its own")
    func server() throws {
        var server = ServerConfig()
        server.tls = tls
        server.listeners = [
            ListenerConfig(address: "127.0.0.1:1", tls: nil),
            ListenerConfig(address: "unix:@a", tls: tls),
        ]
        let security = try RPCServerConfiguration(server, security: Provider()).tcp.security
        #expect((security.tcp as? Security)?.path == "server/tls")
        let plain = try #require(security.exceptions[NetAddress(parsing: "127.0.0.1:1")])
        #expect(plain == nil)
        let unix = try #require(security.exceptions[NetAddress(parsing: "unix:@a")])
        #expect((unix as? Security)?.path == "server/listener/unix:@a/tls")
        let none = try RPCServerConfiguration(ServerConfig()).tcp.security
        #expect(none.tcp == nil && none.exceptions.isEmpty)
    }

    @Test("A stub's element makes the channel's security; its errors are those of the address")
    func stub() throws {
        var stub = StubConfig(name: "order", address: "127.0.0.1:1")
        #expect(try RPCChannelConfiguration(stub, security: Provider()).security == nil)
        stub.tls = StubTLSConfig()
        let security = try RPCChannelConfiguration(stub, security: Provider()).security
        #expect((security as? Security)?.path == "stubs/order/tls")
        stub.tls?.ca = "missing"
        let error = #expect(throws: RPCError.self) {
            try RPCChannelConfiguration(stub, security: Provider())
        }
        #expect(error?.code == .peerAddress)
        #expect(error?.message == "TLS file: missing: ENOENT")
    }

    @Test("A configuration that asks for TLS without a provider names the product")
    func noProvider() throws {
        var config = RocketConfig()
        config.server.tls = tls
        var stub = StubConfig(name: "order", address: "127.0.0.1:1")
        stub.tls = StubTLSConfig()
        config.stubs = [stub]
        let server = #expect(throws: RPCError.self) { try RPCServerConfiguration(config.server) }
        #expect(
            server?.message
                == "TLS configuration: server/tls asks for TLS, but this program has none: "
                + "it must pass a TLSProvider of the product RocketTLS (security:)")
        let channel = #expect(throws: RPCError.self) {
            try RPCChannel(to: "order", config: config)
        }
        #expect(channel?.message.contains("stubs/order/tls asks for TLS") == true)
    }
}
