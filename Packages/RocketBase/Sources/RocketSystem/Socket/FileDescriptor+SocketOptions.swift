import CRocketSystem

/// The credentials of the peer of a Unix socket, as recorded by the kernel.
public struct PeerCredentials: Hashable, Sendable {
    /// The id of the process that connected or listened.
    public let processID: Int32
    /// The effective user id of the process.
    public let userID: UInt32
    /// The effective group id of the process.
    public let groupID: UInt32

    /// Creates the credentials of a process, for tests of what depends on them.
    public init(processID: Int32, userID: UInt32, groupID: UInt32) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
    }
}

/// What the kernel knows of the answers of a TCP peer. A value.
public struct TCPProgress: Hashable, Sendable {
    /// Segments sent and not acknowledged.
    public var unacknowledged = 0
    /// Bytes in the kernel that were not sent yet.
    public var unsentBytes = 0
    /// Retransmissions since the peer last acknowledged further bytes.
    public var retransmissions = 0
    /// Retransmissions since the connection began.
    public var totalRetransmissions = 0
    /// Probes of a full window that were sent since the peer's last answer.
    public var probes = 0
    /// Time since bytes were last sent, or sent again.
    public var sinceSent = Duration.zero
    /// Time since the peer's machine last answered.
    public var sinceAnswer = Duration.zero

    /// A connection with nothing outstanding.
    public init() {}

    init(
        unacknowledged: Int, unsentBytes: Int, retransmissions: Int, totalRetransmissions: Int,
        probes: Int, sinceSent: Duration, sinceAnswer: Duration
    ) {
        self.unacknowledged = unacknowledged
        self.unsentBytes = unsentBytes
        self.retransmissions = retransmissions
        self.totalRetransmissions = totalRetransmissions
        self.probes = probes
        self.sinceSent = sinceSent
        self.sinceAnswer = sinceAnswer
    }
}

/// Options of stream sockets. Any thread.
extension FileDescriptor {
    /// Sets SO_REUSEADDR: bind succeeds while old connections of the port are in TIME_WAIT.
    public borrowing func setReuseAddress(_ on: Bool) throws(SystemError) {
        try check("SO_REUSEADDR", rocket_set_reuse_address(raw, on ? 1 : 0))
    }

    /// Sets SO_REUSEPORT: several sockets listen on one port and the kernel distributes connections
    /// among them.
    public borrowing func setReusePort(_ on: Bool) throws(SystemError) {
        try check("SO_REUSEPORT", rocket_set_reuse_port(raw, on ? 1 : 0))
    }

    /// Sets IPV6_V6ONLY: when it is off the socket also accepts IPv4 peers.
    public borrowing func setIPv6Only(_ on: Bool) throws(SystemError) {
        try check("IPV6_V6ONLY", rocket_set_ipv6_only(raw, on ? 1 : 0))
    }

    /// Sets TCP_NODELAY: small writes are sent at once.
    public borrowing func setNoDelay(_ on: Bool) throws(SystemError) {
        try check("TCP_NODELAY", rocket_set_no_delay(raw, on ? 1 : 0))
    }

    /// Sets TCP_RTO_MAX_MS: the longest time from one unanswered transmission, or one probe of a
    /// full window, to the next; 1 to 120 seconds.
    ///
    /// - Throws: `SystemError`; ENOPROTOOPT on kernels before 6.15, which use 120 seconds.
    public borrowing func setLongestRetransmission(_ time: Duration) throws(SystemError) {
        let milliseconds = Int32(clamping: time.wholeNanoseconds / 1_000_000)
        let result = rocket_set_longest_retransmission(raw, min(max(milliseconds, 1_000), 120_000))
        try check("TCP_RTO_MAX_MS", result)
    }

    /// Sets TCP_USER_TIMEOUT: how long sent bytes may be unacknowledged, or a window full; zero: as
    /// long as the kernel repeats them. Rounded down to milliseconds.
    public borrowing func setUserTimeout(_ time: Duration) throws(SystemError) {
        let milliseconds = max(0, Int32(clamping: time.wholeNanoseconds / 1_000_000))
        try check("TCP_USER_TIMEOUT", rocket_set_user_timeout(raw, milliseconds))
    }

    /// Returns what the kernel knows of the answers of a TCP peer (TCP_INFO).
    public borrowing func tcpProgress() throws(SystemError) -> TCPProgress {
        var info = rocket_tcp_progress()
        // SAFETY: fills the struct.
        try check("TCP_INFO", unsafe rocket_tcp_progress(raw, &info))
        return TCPProgress(
            unacknowledged: Int(info.unacknowledged), unsentBytes: Int(info.unsent_bytes),
            retransmissions: Int(info.retransmissions),
            totalRetransmissions: Int(info.total_retransmissions), probes: Int(info.probes),
            sinceSent: .milliseconds(Int(info.since_sent_ms)),
            sinceAnswer: .milliseconds(Int(info.since_answer_ms)))
    }

    /// Returns the bytes that were sent and that the peer's machine has not acknowledged; on a Unix socket
    /// about those that the peer has not read (SIOCOUTQ).
    public borrowing func queuedOutputBytes() throws(SystemError) -> Int {
        var bytes: Int32 = 0
        // SAFETY: fills the number.
        try check("SIOCOUTQ", unsafe rocket_queued_output(raw, &bytes))
        return Int(max(0, bytes))
    }

    /// Sets SO_KEEPALIVE: after `idle` without traffic the kernel sends up to `probes` probes, one
    /// per `interval`. Both times are whole seconds, at least 1.
    public borrowing func setKeepalive(idle: Duration, interval: Duration, probes: Int)
        throws(SystemError)
    {
        let seconds = { (time: Duration) in max(1, Int32(clamping: time.components.seconds)) }
        let result = rocket_set_keepalive(
            raw, seconds(idle), seconds(interval), Int32(clamping: max(1, probes)))
        try check("SO_KEEPALIVE", result)
    }

    /// Sets SO_SNDBUF and SO_RCVBUF in bytes. The kernel doubles the values; 0 keeps the current
    /// one.
    public borrowing func setKernelBuffers(send: Int, receive: Int) throws(SystemError) {
        let result = rocket_set_buffer_bytes(
            raw, Int32(clamping: send), Int32(clamping: receive))
        try check("SO_SNDBUF/SO_RCVBUF", result)
    }

    /// Sets SO_LINGER to zero: closing resets the connection, and the peer gets ECONNRESET.
    public borrowing func setResetOnClose() throws(SystemError) {
        try check("SO_LINGER", rocket_set_reset_on_close(raw))
    }

    /// Returns the credentials of the peer (SO_PEERCRED). Unix sockets only.
    public borrowing func peerCredentials() throws(SystemError) -> PeerCredentials {
        var flat = rocket_credentials()
        try check("SO_PEERCRED", unsafe rocket_peer_credentials(raw, &flat))
        return PeerCredentials(processID: flat.pid, userID: flat.uid, groupID: flat.gid)
    }
}
