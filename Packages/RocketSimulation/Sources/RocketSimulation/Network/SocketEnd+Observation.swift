@_spi(Simulation) import RocketSystem

/// What the owner and traces can learn of a socket.
extension SocketEnd {
    func localAddress() throws(SystemError) -> SocketAddress {
        guard let local else { throw SystemError("getsockname", .notConnected) }
        return local
    }

    func peerAddress() throws(SystemError) -> SocketAddress {
        guard let remote, phase == .established else {
            throw SystemError("getpeername", .notConnected)
        }
        return remote
    }

    func tcpProgress() throws(SystemError) -> TCPProgress {
        guard phase == .established, let outgoing, let peer else {
            throw SystemError("TCP_INFO", .notConnected)
        }
        var progress = TCPProgress()
        progress.unsentBytes = unsent.count
        progress.sinceAnswer = world.now - lastAnswer
        let isUnanswered =
            outgoing.path.isCut || peer.outgoing?.path.isCut == true || !peer.host.isPowered
        if !isUnanswered { return progress }
        let resends = max(outgoing.path.resends, peer.outgoing?.path.resends ?? 0, 1)
        if outgoing.inFlightBytes > 0 {
            progress.unacknowledged = 1
            progress.retransmissions = resends
            progress.totalRetransmissions = resends
            progress.sinceSent = .zero
        } else {
            progress.probes = resends
        }
        return progress
    }

    func queuedOutputBytes() throws(SystemError) -> Int {
        guard let outgoing else { throw SystemError("SIOCOUTQ", .notConnected) }
        return unsent.count + outgoing.inFlightBytes
    }

    /// Since when its owner could read that the other end is closed; nil: it is not, or that has not
    /// arrived.
    var peerClosedAt: MonotonicTime? { peer?.isOpen == false ? endReceivedAt : nil }

    /// `front 10.0.0.1:32768 -> 10.0.0.2:80`, for traces.
    var name: String { "\(host.name) \(address(local)) -> \(address(remote))" }

    /// `shop 10.0.0.2:80 <- 10.0.0.1:32768`, for what has arrived.
    var incoming: String { "\(host.name) \(address(local)) <- \(address(remote))" }

    private func address(_ address: SocketAddress?) -> String {
        guard case .ipv4(let bits, let port)? = address else { return "?" }
        return "10.\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255):\(port)"
    }
}
