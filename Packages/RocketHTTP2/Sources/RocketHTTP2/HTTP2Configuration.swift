/// How often something may happen: at first `burst` times, and `perSecond` times a second later.
public struct HTTP2Rate: Hashable, Sendable {
    /// How often at once, at least 0.
    public var burst: Int
    /// How many of these return in a second, at least 0.
    public var perSecond: Int

    /// Makes a rate; negative numbers count as 0.
    public init(burst: Int, perSecond: Int) {
        self.burst = max(0, burst)
        self.perSecond = max(0, perSecond)
    }
}

/// The limits of a session. Values out of their range count as the nearest that is in it.
///
/// A peer that goes beyond one of the limits below `continuationFrames` gets GOAWAY with
/// ENHANCE_YOUR_CALM, and `receive` or `send` throws `HTTP2Error.flood`.
public struct HTTP2Configuration: Hashable, Sendable {
    /// How many streams the peer of a server may have open, 1 to 2³¹ − 1. Before the peer has
    /// acknowledged it, more are reset with REFUSED_STREAM; afterwards they are a PROTOCOL_ERROR.
    public var concurrentStreams = 1_024
    /// How many bytes of DATA of one stream the peer may send before `consumed`, 0 to 2³¹ − 1. More are
    /// reset with FLOW_CONTROL_ERROR.
    public var streamWindowBytes = 256 << 10
    /// How many of all streams, 65,535 to 2³¹ − 1. More end the connection with FLOW_CONTROL_ERROR.
    public var connectionWindowBytes = 1 << 20
    /// The largest payload of a frame that the peer may send, 16,384 to 2²⁴ − 1. Larger ones end the
    /// connection with FRAME_SIZE_ERROR.
    public var frameBytes = 16 << 10
    /// How many bytes a decoded list of headers may have (RFC 9113, 6.5.2: 32 for each field besides its
    /// name and value), at least 1. A larger one is reported by `headersTooLarge`; one of more than 4
    /// times as much ends the connection with ENHANCE_YOUR_CALM.
    public var headerListBytes = 16 << 10
    /// How many bytes of decoded headers, counted as above, `receive` handles before it returns, so that
    /// few bytes of input, which may stand for very many (HPACK), do not keep a thread busy. At least 1.
    public var headerBytesPerReceive = 512 << 10
    /// The memory of the compression of headers in each direction, 0 to 65,536.
    public var headerTableBytes = 4_096
    /// How many requests of a client may wait for the peer's limit on streams, at least 0. Above it
    /// `request` throws `tooManyRequests`.
    public var queuedRequests = 1_024

    /// How many CONTINUATION frames one list of headers may have.
    public var continuationFrames = 8
    /// How often the peer may reset streams, or open more than `concurrentStreams` before it knows them.
    /// Each stream that ends in another way allows one more.
    public var peerResets = HTTP2Rate(burst: 1_000, perSecond: 100)
    /// How often the peer may do to a stream what makes this side reset it.
    public var provokedResets = HTTP2Rate(burst: 100, perSecond: 10)
    /// How many frames without an effect the peer may send: PING, PRIORITY, WINDOW_UPDATE, DATA without
    /// bytes and END_STREAM, and those of unknown types. Each HEADERS and each DATA with bytes, in either
    /// direction, allows 4 more.
    public var controlFrames = HTTP2Rate(burst: 2_000, perSecond: 200)
    /// How often the peer may send SETTINGS (not counting acknowledgements).
    public var settingsFrames = HTTP2Rate(burst: 50, perSecond: 5)
    /// How many answers to PING and SETTINGS may wait for a peer that does not read, at least 1.
    public var unsentAnswers = 1_000

    /// Makes the default limits.
    public init() {}
}
