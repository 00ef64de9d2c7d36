import ArgumentParser
import RocketBase
import RocketRPC
import RocketTCP
import RocketTLS

/// The server, and how both sides prove themselves.
struct ServerOptions: ParsableArguments {
    @Option(help: "The address of the server.") var to: String
    @Option(help: "The authorities of the server's certificate; turns TLS on.") var tlsCa: String?
    @Option(help: "The client's certificate.") var tlsCert: String?
    @Option(help: "Its key.") var tlsKey: String?
    @Option(help: "The name of the server's certificate, in place of the address.")
    var tlsName: String?

    /// Makes channels whose security is in common.
    func channels(_ count: Int, _ configuration: RPCChannelConfiguration) throws -> [RPCChannel] {
        let address = try NetAddress(parsing: to)
        var configuration = configuration
        if let tlsCa {
            var tls = StubTLSConfig()
            tls.ca = tlsCa
            tls.certificate = tlsCert
            tls.key = tlsKey
            tls.name = tlsName
            let provider = TLSProvider()
            configuration.security = try provider.clientSecurity(tls, at: "stubs/order/tls")
            // Certificates are renewed under load: new connections use the newest.
            Task {
                while true {
                    try await Task.sleep(for: .milliseconds(500))
                    try? provider.reload()
                }
            }
        }
        return try (0..<count).map { _ in try RPCChannel(to: address, configuration: configuration)
        }
    }
}
