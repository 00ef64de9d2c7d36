/// What many connections have in common: their configuration, and who counts them.
/// Immutable, so any thread may read it.
final class ConnectionOwner: Sendable {
    let configuration: TCPConnectionConfiguration
    let limits: ConnectionClock.Limits
    let ledger: ConnectionLedger?

    init(_ configuration: TCPConnectionConfiguration, ledger: ConnectionLedger? = nil) {
        self.configuration = configuration
        self.ledger = ledger
        limits = ConnectionClock.Limits(configuration)
    }
}
