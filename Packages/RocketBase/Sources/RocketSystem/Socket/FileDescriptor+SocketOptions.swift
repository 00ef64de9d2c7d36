import CRocketSystem

/// Who is at the other end of a Unix socket, as the kernel vouches for it.
public struct PeerCredentials: Hashable, Sendable {
    /// The process that connected or listened.
    public let processID: Int32
    /// Its effective user.
    public let userID: UInt32
    /// Its effective group.
    public let groupID: UInt32
}

/// Options of stream sockets. Any thread.
extension FileDescriptor {
    /// SO_REUSEADDR: bind although old connections of that port still linger.
    public borrowing func setReuseAddress(_ on: Bool) throws(SystemError) {
        try check("SO_REUSEADDR", rocket_set_reuse_address(raw, on ? 1 : 0))
    }

    /// SO_REUSEPORT: several sockets share a port and the kernel spreads connections.
    public borrowing func setReusePort(_ on: Bool) throws(SystemError) {
        try check("SO_REUSEPORT", rocket_set_reuse_port(raw, on ? 1 : 0))
    }

    /// IPV6_V6ONLY; off means that IPv4 peers arrive here too.
    public borrowing func setIPv6Only(_ on: Bool) throws(SystemError) {
        try check("IPV6_V6ONLY", rocket_set_ipv6_only(raw, on ? 1 : 0))
    }

    /// TCP_NODELAY: small writes leave at once.
    public borrowing func setNoDelay(_ on: Bool) throws(SystemError) {
        try check("TCP_NODELAY", rocket_set_no_delay(raw, on ? 1 : 0))
    }

    /// TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged.
    public borrowing func setUserTimeout(_ timeout: Duration) throws(SystemError) {
        let milliseconds = UInt32(clamping: timeout.wholeNanoseconds / 1_000_000)
        try check("TCP_USER_TIMEOUT", rocket_set_user_timeout(raw, milliseconds))
    }

    /// SO_KEEPALIVE: after `idle` of silence, `probes` probes `interval` apart (whole seconds,
    /// at least 1).
    public borrowing func setKeepalive(idle: Duration, interval: Duration, probes: Int)
        throws(SystemError)
    {
        let seconds = { (time: Duration) in max(1, Int32(clamping: time.components.seconds)) }
        let result = rocket_set_keepalive(
            raw, seconds(idle), seconds(interval), Int32(clamping: max(1, probes)))
        try check("SO_KEEPALIVE", result)
    }

    /// SO_SNDBUF and SO_RCVBUF in bytes; the kernel doubles them, and 0 leaves one as it is.
    public borrowing func setKernelBuffers(send: Int, receive: Int) throws(SystemError) {
        let result = rocket_set_buffer_bytes(
            raw, Int32(clamping: send), Int32(clamping: receive))
        try check("SO_SNDBUF/SO_RCVBUF", result)
    }

    /// SO_LINGER of zero: closing now resets the connection, the peer sees ECONNRESET.
    public borrowing func setResetOnClose() throws(SystemError) {
        try check("SO_LINGER", rocket_set_reset_on_close(raw))
    }

    /// SO_PEERCRED: only for Unix sockets.
    public borrowing func peerCredentials() throws(SystemError) -> PeerCredentials {
        var flat = rocket_credentials()
        try check("SO_PEERCRED", unsafe rocket_peer_credentials(raw, &flat))
        return PeerCredentials(processID: flat.pid, userID: flat.uid, groupID: flat.gid)
    }
}
