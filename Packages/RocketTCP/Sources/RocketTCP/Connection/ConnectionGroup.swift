/// What many connections have in common: their configuration, and who counts them.
/// Immutable, so any thread may read it.
final class ConnectionGroup: Sendable {
    let configuration: TCPConnectionConfiguration
    let limits: ConnectionDeadlines.Limits
    let ledger: ConnectionLimiter?
    /// The marks as they are used: the low one from 0 to the high one, whatever was configured.
    /// Otherwise a flush could leave a connection above one and below the other.
    let highMarkBytes, lowMarkBytes: Int
    /// The limits are looked at when so many bytes were written since the last flush.
    let firstLookBytes: Int

    /// What one tick writes is counted in steps of so many bytes.
    static let lookStepBytes = 16 << 10

    init(_ configuration: TCPConnectionConfiguration, ledger: ConnectionLimiter? = nil) {
        self.configuration = configuration
        self.ledger = ledger
        limits = ConnectionDeadlines.Limits(configuration)
        highMarkBytes = max(0, configuration.highWaterMarkBytes)
        lowMarkBytes = min(max(0, configuration.lowWaterMarkBytes), highMarkBytes)
        firstLookBytes = min(Self.lookStepBytes, configuration.outputLimitBytes, highMarkBytes)
    }
}
