/// Makes securities from the `tls` elements of a configuration. Any thread; reads files, so not on an
/// event loop. `TLSProvider` of the product RocketTLS is one.
public protocol TransportSecurityProvider: Sendable {
    /// Returns the security of listeners.
    ///
    /// - Parameter path: of the element in the configuration: `server/tls`,
    ///   `server/listener/127.0.0.1:12345/tls`. A later call with the same path returns the same
    ///   security, with the new values for new connections.
    /// - Throws: the file that can't be used and the reason; an earlier security stays as it is.
    func serverSecurity(
        _ tls: ServerTLSConfig, at path: String
    ) throws(TransportSecurityError) -> any ServerTransportSecurity

    /// Returns the security of channels. As `serverSecurity`, with the path `stubs/order/tls`.
    func clientSecurity(
        _ tls: StubTLSConfig, at path: String
    ) throws(TransportSecurityError) -> any ClientTransportSecurity
}

extension TransportSecurityError {
    /// A configuration asks for TLS, but the program has given no provider.
    ///
    /// - Parameter path: of the element that asks for it, as in `TransportSecurityProvider`.
    public static func noProvider(at path: String) -> Self {
        Self(
            .configuration,
            "\(path) asks for TLS, but this program has none: it must pass a TLSProvider of the "
                + "product RocketTLS (security:)")
    }
}
