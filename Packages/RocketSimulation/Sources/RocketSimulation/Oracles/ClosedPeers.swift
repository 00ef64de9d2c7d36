import RocketSystem

extension World {
    /// How long a process may keep a connection that its peer has closed.
    private static let longestHalfOpen = Duration.seconds(20)

    /// Checks that no process keeps a connection whose end it could have read for long. At the end of
    /// a world, when it has been quiet for as long.
    func checkClosedPeers() {
        for host in hosts {
            guard let process = host.process, !process.rules.contains(where: { $0.isBusy }) else {
                continue
            }
            for socket in host.kernel.openSockets {
                guard let since = socket.peerClosedAt,
                    now - host.unpaused(since) > Self.longestHalfOpen
                else { continue }
                return violated(
                    .leftover,
                    "\(socket.name) is open, though its peer has closed it "
                        + "\(seconds(now - since)) s ago")
            }
        }
    }
}
