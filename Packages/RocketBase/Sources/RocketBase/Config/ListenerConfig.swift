/// An address that the server listens on, with TLS of its own or without.
public struct ListenerConfig: ConfigSection, Hashable {
    /// The address. Each may occur in one listener element. Required. A host as in listen.
    ///
    /// `server/listener/address`: IP:PORT, [IPv6]:PORT, HOST:PORT, unix:PATH or unix:@NAME (up
    /// to 107 bytes). Default none. Needs a restart.
    public var address = ""
    /// TLS of this listener; nil: it takes plaintext.
    public var tls: ServerTLSConfig?

    /// All fields have their defaults; the address must be set.
    public init() {}

    /// A listener with TLS of its own, or without.
    public init(address: String, tls: ServerTLSConfig?) {
        self.address = address
        self.tls = tls
    }
}

extension ListenerConfig {
    /// The schema of the `listener` element below `server`.
    public static let schema = ConfigSchema<Self>(
        "listener",
        "An address that the server listens on, besides those of listen, or in place of ip and "
            + "port if listen is empty. The element may occur up to 64 times. What it says about TLS "
            + "counts for this address in place of root/server/tls: with a tls element in it "
            + "(with the elements of root/server/tls), all connections are TLS, also those of a Unix "
            + "socket; without, all are plaintext.",
        [
            .init(
                "address", \.address, .listenAddress, .restart,
                "The address. Each may occur in one listener element. Required. A host as in listen."
            )
        ],
        elements: [.init(\.tls, .restart)]
    ) { listener in listener.address.isEmpty ? "address is missing" : nil }
}
