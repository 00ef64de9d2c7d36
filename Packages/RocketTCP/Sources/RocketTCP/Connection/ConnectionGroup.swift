/// What many connections have in common: their configuration, and who counts them.
/// Immutable, so any thread may read it.
final class ConnectionGroup: Sendable {
    let configuration: TCPConnectionConfiguration
    let limits: ConnectionDeadlines.Limits
    let ledger: ConnectionLimiter?

    init(_ configuration: TCPConnectionConfiguration, ledger: ConnectionLimiter? = nil) {
        self.configuration = configuration
        self.ledger = ledger
        limits = ConnectionDeadlines.Limits(configuration)
    }
}
