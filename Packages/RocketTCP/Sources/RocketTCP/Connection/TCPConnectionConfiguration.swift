import RocketBase
import RocketSystem

/// Limits, time limits and socket options of a connection. A value; set it before the connection is
/// made.
public struct TCPConnectionConfiguration: Sendable {
    /// With more than this many bytes waiting to be sent, the connection is not writable; where a
    /// flush leaves it above, it also stops reading. At least 1; default 256 KiB.
    public var highWaterMarkBytes = 256 << 10
    /// With at most this many bytes left after a flush, the connection reads again and is writable.
    /// From 0 to less than the high mark; default 64 KiB.
    public var lowWaterMarkBytes = 64 << 10
    /// Whether it continues to read above the high water mark. Default false: peers that don't read
    /// are not served. True for the side that bounds its output by itself: if both sides stopped
    /// reading until the other one reads, both would wait for ever.
    public var readsAboveHighWater = false
    /// With more than this many bytes waiting to be sent, the connection is closed, also in the
    /// middle of a tick: the peer reads too slowly, or too much was written at once. Default 64
    /// MiB.
    public var outputLimitBytes = 64 << 20
    /// With more than this many bytes left unconsumed by the handler, the connection is closed.
    /// Must be at least the largest frame of the handler's format, or such frames close the
    /// connection. Default 32 MiB.
    public var inputLimitBytes = 32 << 20

    /// From the connect to the end of the handshake, where the connection has a security. Default 10
    /// s.
    public var handshakeTimeout: Duration = .seconds(10)
    /// From the connect, or from the end of the handshake, to the first byte of the peer; nil: no
    /// limit. Default nil.
    public var firstBytesTimeout: Duration?
    /// How long unconsumed input may wait for its rest, counted from the last byte consumed, or
    /// from the end of a pause in reading; nil: no limit. Default 60 s.
    public var partialInputTimeout: Duration? = .seconds(60)
    /// How long no byte may be transferred in either direction; nil: no limit. Default nil.
    public var idleTimeout: Duration?
    /// How long waiting output may make no progress; nil: no limit. Default 30 s.
    public var writeTimeout: Duration? = .seconds(30)
    /// How long a graceful close may take, flush and the end of the peer included. Default 5 s.
    public var closeTimeout: Duration = .seconds(5)
    /// How long after the last sent byte a graceful close waits for the peer to end its side; what
    /// arrives meanwhile is dropped. Closed earlier, the kernel would answer such bytes by a reset,
    /// which can destroy what the peer has not read yet. A connection that was idle for so long, or
    /// that never sent anything, does not wait. Default 1 s.
    public var lingerTimeout: Duration = .seconds(1)

    /// TCP_NODELAY. Default true: small writes are sent at once.
    public var noDelay = true
    /// How long the peer's machine may leave sent bytes, or probes of its full window, without any
    /// answer; nil: the kernel's default of minutes. A peer that does not read, but whose machine
    /// answers, is bounded by `writeTimeout` only. Where its window is full and its machine goes
    /// away later, kernels before 6.15 notice only by their next probes, minutes apart. TCP only.
    /// Default 20 s.
    public var answerTimeout: Duration? = .seconds(20)
    /// Probes of a peer that was sent everything and is silent; nil: none. Default: after 10 s of
    /// silence, 3 probes at intervals of 3 s.
    public var keepalive: Keepalive? = Keepalive()
    /// SO_SNDBUF in bytes; 0: chosen by the kernel. Default 0.
    public var kernelSendBufferBytes = 0
    /// SO_RCVBUF in bytes; 0: chosen by the kernel. Default 0.
    public var kernelReceiveBufferBytes = 0

    /// Probes of a silent peer, in whole seconds.
    public struct Keepalive: Sendable {
        /// Silence before the first probe. Default 10 s.
        public var idle: Duration = .seconds(10)
        /// Time between probes. Default 3 s.
        public var interval: Duration = .seconds(3)
        /// Number of unanswered probes that end the connection. Default 3.
        public var probes = 3

        /// Creates the defaults.
        public init() {}
    }

    /// Creates the defaults.
    public init() {}
}

extension TCPConnectionConfiguration {
    /// Sets the socket options. Those of a listener apply to all connections that it accepts, so
    /// that accepting costs no system call for them.
    func apply(to socket: borrowing Socket, _ address: NetAddress) throws(SystemError) {
        try socket.withDescriptor { (descriptor) throws(SystemError) in
            try apply(to: descriptor, address)
        }
    }

    private func apply(to descriptor: borrowing FileDescriptor, _ address: NetAddress)
        throws(SystemError)
    {
        try descriptor.setKernelBuffers(
            send: kernelSendBufferBytes, receive: kernelReceiveBufferBytes)
        if address.isUnix { return }
        if noDelay { try descriptor.setNoDelay(true) }
        if let answerTimeout {
            // Older kernels lack the option: see `answerTimeout`.
            try? descriptor.setLongestRetransmission(answerTimeout / 4)
        }
        if let keepalive {
            try descriptor.setKeepalive(
                idle: keepalive.idle, interval: keepalive.interval, probes: keepalive.probes)
        }
    }
}

/// What several connections have in common: their configuration, values derived from it, and the
/// limiter that counts them. Immutable; any thread.
final class ConnectionGroup: Sendable {
    let configuration: TCPConnectionConfiguration
    let limits: ConnectionDeadlines.Limits
    let limiter: ConnectionLimiter?
    let logger: RocketLogger
    /// Nil: handshakes run on the loops of their connections.
    let handshakes: HandshakeThreads?
    /// The marks in use: the low one from 0 to the high one, whatever was configured. Otherwise a
    /// flush could leave a connection above one mark and below the other.
    let highMarkBytes, lowMarkBytes: Int
    /// The limits are checked when so many bytes were written since the last flush.
    let firstCheckBytes: Int

    /// The output of one tick is checked and recorded in steps of so many bytes.
    static let checkStepBytes = 16 << 10

    init(
        _ configuration: TCPConnectionConfiguration, limiter: ConnectionLimiter? = nil,
        logger: RocketLogger = .disabled, handshakes: HandshakeThreads? = nil
    ) {
        self.configuration = configuration
        self.handshakes = handshakes
        self.logger = logger
        self.limiter = limiter
        limits = ConnectionDeadlines.Limits(configuration)
        highMarkBytes = max(0, configuration.highWaterMarkBytes)
        lowMarkBytes = min(max(0, configuration.lowWaterMarkBytes), highMarkBytes)
        firstCheckBytes = min(Self.checkStepBytes, configuration.outputLimitBytes, highMarkBytes)
    }
}
