/// Limits, times and socket options of a connection. A value; set it before the connection.
public struct TCPConnectionConfiguration: Sendable {
    /// Above this many bytes waiting to be sent, the connection is not writable; where a flush
    /// leaves it above, it also stops reading. At least 1; default 256 KiB.
    public var highWaterMarkBytes = 256 << 10
    /// With at most this many left after a flush, it reads again and is writable. From 0 to less
    /// than the high mark; default 64 KiB.
    public var lowWaterMarkBytes = 64 << 10
    /// Whether it reads on above the high water mark. Default false: who does not read is not
    /// served. True for a side that bounds its output by itself, and whose peer may do as it says
    /// here: two that both wait for the other to read would wait for ever.
    public var readsAboveHighWater = false
    /// Above this many it is closed, also in the middle of a tick: the peer reads too slowly, or
    /// more was written at once than it could read. Default 64 MiB.
    public var outputLimitBytes = 64 << 20
    /// The handler may leave this many bytes unconsumed; with more it is closed. Has to exceed
    /// the largest unit of the handler's format. Default 32 MiB.
    public var inputLimitBytes = 32 << 20

    /// From connecting to the first byte of the peer; nil: for ever. Default nil.
    public var firstBytesTimeout: Duration?
    /// How long unconsumed input may wait for its rest, counted from the last byte consumed;
    /// nil: for ever. Default 60 s.
    public var partialInputTimeout: Duration? = .seconds(60)
    /// Without a byte in either direction; nil: for ever. Default nil.
    public var idleTimeout: Duration?
    /// How long waiting output may make no progress; nil: for ever. Default 30 s.
    public var writeTimeout: Duration? = .seconds(30)
    /// How long a graceful close may take, flush and the peer's end included. Default 5 s.
    public var closeTimeout: Duration = .seconds(5)
    /// How long after the last byte that was sent a graceful close waits for the peer to end its
    /// side; what arrives meanwhile is dropped. (Closed earlier, it would be answered by a reset,
    /// which can destroy what the peer has not read yet.) Of a connection that was idle for so
    /// long, or that never sent anything, it waits for nothing. Default 1 s.
    public var lingerTimeout: Duration = .seconds(1)

    /// TCP_NODELAY. Default true: small writes leave at once.
    public var noDelay = true
    /// TCP_USER_TIMEOUT: sent bytes that stay unacknowledged that long end the connection; nil:
    /// the kernel's default of minutes. Default 20 s.
    public var userTimeout: Duration? = .seconds(20)
    /// Probes of a silent peer; nil: none. Default: 10 s of silence, then 3 probes 3 s apart.
    public var keepalive: Keepalive? = Keepalive()
    /// SO_SNDBUF in bytes; 0 leaves it to the kernel. Default 0.
    public var kernelSendBufferBytes = 0
    /// SO_RCVBUF in bytes; 0 leaves it to the kernel. Default 0.
    public var kernelReceiveBufferBytes = 0

    /// Probing of a silent peer, in whole seconds.
    public struct Keepalive: Sendable {
        /// Silence before the first probe. Default 10 s.
        public var idle: Duration = .seconds(10)
        /// Between probes. Default 3 s.
        public var interval: Duration = .seconds(3)
        /// Unanswered probes that end the connection. Default 3.
        public var probes = 3

        /// The defaults.
        public init() {}
    }

    /// The defaults.
    public init() {}
}
