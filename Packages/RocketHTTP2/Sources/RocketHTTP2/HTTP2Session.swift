import CRocketHTTP2
public import RocketSystem

/// One HTTP/2 connection as a function of bytes, on nghttp2: bytes of the peer in, events out;
/// submissions in, bytes out. Knows no sockets and no clock. Owned by one connection; used by one thread
/// at a time, that of its memory pool.
///
/// After each call that may have submitted something, and after each `receive`, the owner calls `send`
/// while `wantsSend`. When `isOver`, it closes the connection.
@safe
public final class HTTP2Session {
    /// What a client sends first (RFC 9113, 3.4): by it a server tells HTTP/2 from other protocols.
    public static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// The side that it plays.
    public let role: HTTP2Role
    /// Its limits.
    public let configuration: HTTP2Configuration
    /// The time by which limits per second are counted; the owner sets it before `receive`. If it never
    /// does, only their bursts are allowed.
    public var now: MonotonicTime
    /// Why it has failed; nil: it has not. Also set while the error's GOAWAY has still to be sent.
    public internal(set) var failure: HTTP2Error?
    /// What has happened.
    public var counters: HTTP2Counters { unsafe counted }
    /// The number of streams that are open: of a client, whose requests have been sent.
    public var openStreams: Int { unsafe opened }
    /// The number of requests that wait for the peer's limit on streams, or for `send`.
    public internal(set) var queuedRequests = 0

    // What follows is used by the files of this type only.

    unowned let handler: any HTTP2SessionHandler
    // SAFETY of the unchecked properties: one thread at a time uses the session, and nothing that runs
    // inside an access to one of them uses it again. The checks cost a fifth of a call.
    @exclusivity(unchecked) var counted = HTTP2Counters()
    @exclusivity(unchecked) var opened = 0
    /// The handler during `receive` and `send`; nil otherwise.
    var active: (any HTTP2SessionHandler)?
    private let memory: HTTP2MemoryPool
    private let reference: UnsafeMutablePointer<SessionReference>
    let session: OpaquePointer
    @exclusivity(unchecked) var scanner: FrameScanner
    @exclusivity(unchecked) var flood: FloodGuard
    /// The size of the list of headers that is being received, and whether it is above its limit.
    @exclusivity(unchecked) var headerList = (bytes: 0, isTooLarge: false)
    /// Bytes of decoded headers in this `receive`, and whether they were enough of them.
    @exclusivity(unchecked) var decoded = (bytes: 0, isEnough: false)
    /// How many bytes of the next input have been counted, but not taken.
    var scannedBytes = 0
    /// The last stream that has been reset by the peer, or because of it.
    var lastReset: Int32 = 0
    /// Those of them that have been reset: a second reset of one would be sent, and the peer does not
    /// know the stream.
    var cancelledRequests: Set<Int32> = []
    /// The last request that has been sent, or has ended before.
    var lastRequest: Int32 = 0
    /// The last stream of the GOAWAY frames that have been submitted.
    var announcedLast = Int32.max
    /// The owner has submitted GOAWAY with an error.
    var isLeaving = false
    // SAFETY: as above.
    @exclusivity(unchecked) var sending = SendState()

    /// Makes a session. What a side says first (a client's preface, SETTINGS) waits to be sent.
    ///
    /// - Parameters:
    ///   - memory: shared by the sessions of a thread; by default one of its own.
    ///   - now: the time of the caller's clock.
    ///   - handler: receives the events. Not retained; must live for as long as the session is used.
    /// - Throws: `outOfMemory`.
    public init(
        role: HTTP2Role, configuration: HTTP2Configuration = HTTP2Configuration(),
        memory: HTTP2MemoryPool = HTTP2MemoryPool(),
        now: MonotonicTime = MonotonicTime(nanoseconds: 0),
        handler: any HTTP2SessionHandler
    ) throws(HTTP2Error) {
        let reference = UnsafeMutablePointer<SessionReference>.allocate(capacity: 1)
        var settings = configuration.settings(of: role)
        var calls = sessionCallbacks
        guard
            let made = unsafe rocket_http2_create(&settings, &calls, reference, memory.pool)
        else {
            unsafe reference.deallocate()
            throw .outOfMemory
        }
        self.role = role
        self.configuration = configuration
        self.memory = memory
        self.now = now
        self.handler = handler
        unsafe self.reference = reference
        unsafe session = made
        unsafe scanner = FrameScanner(skipping: role == .server ? Self.preface.count : 0)
        unsafe flood = FloodGuard(configuration, now: now)
        unsafe reference.initialize(to: SessionReference(self))
    }

    deinit {
        unsafe rocket_http2_free(session)
        unsafe reference.deinitialize(count: 1)
        unsafe reference.deallocate()
    }

    /// Whether `send` has something to send, which flow control lets it send now.
    public var wantsSend: Bool {
        unsafe !sending.isFinal && rocket_http2_wants_write(session) != 0
    }

    /// Whether it neither takes bytes nor sends any more: after an error, or after GOAWAY when the last
    /// stream has ended. The connection is to be closed once what was sent has been written.
    public var isOver: Bool {
        if unsafe sending.isFinal { return true }
        return unsafe rocket_http2_wants_read(session) == 0
            && rocket_http2_wants_write(session) == 0
    }
}

/// By what nghttp2 finds the session: the context of its callbacks.
struct SessionReference {
    // SAFETY: the session owns the memory that holds this, and frees nghttp2's session, which alone
    // uses it, before it ends.
    unowned(unsafe) let session: HTTP2Session

    init(_ session: HTTP2Session) { unsafe self.session = session }
}

extension HTTP2Configuration {
    /// The limits in their ranges.
    fileprivate func settings(of role: HTTP2Role) -> rocket_http2_settings {
        let most = Int(Int32.max)
        func clamp(_ value: Int, _ range: ClosedRange<Int>) -> UInt32 {
            UInt32(min(max(value, range.lowerBound), range.upperBound))
        }
        return rocket_http2_settings(
            is_server: role == .server ? 1 : 0,
            concurrent_streams: clamp(concurrentStreams, 1...most),
            stream_window_bytes: clamp(streamWindowBytes, 0...most),
            connection_window_bytes: clamp(connectionWindowBytes, 65_535...most),
            frame_bytes: clamp(frameBytes, 16_384...(1 << 24) - 1),
            header_list_bytes: clamp(headerListBytes, 1...most),
            header_table_bytes: clamp(headerTableBytes, 0...65_536),
            unsent_answers: clamp(unsentAnswers, 1...most))
    }
}
