import RocketTCP

extension RPCError {
    /// What a failed connect means for the calls that waited for it.
    init(connecting error: ConnectError) {
        self.init(error.kind == .refused ? .peerClosed : .failedConnect, "\(error)")
    }
}
