import RocketBase
import RocketBaseTestKit
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import Testing

@testable import RocketRPC

/// A channel on a loop and a clock that the test drives by hand, over transports of memory: what
/// the network and the server do is what the test says.
final class DrivenChannel {
    let driven: HandDrivenLoop
    let connector = FakeConnector()
    let core: ChannelCore
    let feed = StateBroadcaster()
    let counters = ChannelCounters()

    init(_ configure: (inout RPCChannelConfiguration) -> Void = { _ in }) throws {
        driven = try HandDrivenLoop()
        var configuration = RPCChannelConfiguration()
        configure(&configuration)
        core = ChannelCore(
            reactor: driven.reactor, connector: connector, configuration: configuration,
            counters: counters, feed: feed)
    }

    var now: MonotonicTime { driven.clock.monotonic() }
    var statistics: RPCChannelStatistics { counters.read() }
    var state: RPCChannelState { feed.current }

    func tick(after duration: Duration) { driven.tick(after: duration) }

    /// Starts a call; nothing of it is sent before the connection is there.
    @discardableResult
    func start(
        timeout: Duration = .seconds(10), _ change: (FakeCall) -> Void = { _ in }
    ) -> FakeCall {
        let call = FakeCall(deadline: now + timeout)
        change(call)
        core.start(call.outgoing)
        return call
    }

    /// The connection that was asked for last.
    var last: FakeTransport { connector.made[connector.made.count - 1] }
}

// SAFETY of the @unchecked ones: a test uses them on its own thread only.

/// Makes transports that the test connects, or not.
final class FakeConnector: Connector, @unchecked Sendable {
    private(set) var made: [FakeTransport] = []

    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        let transport = FakeTransport(index: index, handler, failed)
        made.append(transport)
        return { transport.isCancelled = true }
    }
}

/// A connection in memory, of which the test is the other end.
final class FakeTransport: Transport {
    let index: Int
    private let handler: any TransportHandler
    private let failed: (RPCError) -> Void
    private var input = ByteBuffer()
    private var output = ByteBuffer()
    var isCancelled = false
    var closing: TCPConnection.Closing?
    var signalsReset = true
    var isWritable = true
    /// Writes until it is not writable any more.
    var room = Int.max
    private(set) var sentBytes: UInt64 = 0
    let localAddress = NetAddress.loopback(port: 1)
    let peerAddress = NetAddress.loopback(port: 2)
    var pendingBytes: Int { output.readableBytes }

    init(
        index: Int, _ handler: any TransportHandler, _ failed: @escaping (RPCError) -> Void
    ) {
        self.index = index
        self.handler = handler
        self.failed = failed
    }

    func readInput(_ body: (inout ByteBuffer) -> Void) { body(&input) }

    func send(_ body: (inout ByteBuffer) -> Void) {
        body(&output)
        room -= 1
        if room == 0 { isWritable = false }
    }

    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        if closing == nil { closing = how }
    }

    var unsentBytes: Int { output.readableBytes }

    // MARK: What the test does

    func connect() { handler.connected(self) }
    func refuse(_ code: RPCErrorCode = .peerClosed) {
        failed(RPCError(code, "refused"))
    }

    func hasRoomAgain() { handler.writabilityChanged(self, isWritable: true) }

    func end(_ reason: CloseReason = .peerReset) { handler.closed(self, reason: reason) }

    /// All requests that were written since the last time; the other side has them now.
    func requests() -> [Request] {
        let frames = take(output.readableBytes)
        return frames
    }

    /// The other side gets that many bytes of what was written.
    @discardableResult
    func take(_ count: Int) -> [Request] {
        sentBytes += UInt64(count)
        unread += output.copyBytes().prefix(count)
        output.consume(count)
        var found: [Request] = []
        while let (request, count) = Request.read(unread) {
            found.append(request)
            unread.removeFirst(count)
        }
        return found
    }

    private var unread: [UInt8] = []

    func reply(
        to id: String, code: RPCErrorCode = .init(rawValue: 0), info: String = "",
        payload: [UInt8] = []
    ) {
        let codec = TinyPBCodec()
        let (id, name, info) = ([UInt8](id.utf8), [UInt8]("t.T.m".utf8), [UInt8](info.utf8))
        let start = codec.begin(
            messageID: id.span.bytes, methodName: name.span.bytes, errorCode: code.rawValue,
            errorInfo: info.span.bytes, in: &input)
        input.append(payload)
        try? codec.finish(start, in: &input)
        handler.received(self, &input)
    }

    func receive(_ bytes: [UInt8]) {
        input.append(bytes)
        handler.received(self, &input)
    }
}

/// One request as the other side sees it.
struct Request: Hashable {
    let id: String
    let method: String
    let info: String
    let byteCount: Int

    static func read(_ bytes: [UInt8]) -> (Request, Int)? {
        guard
            case .frame(let frame, let count)? = try? TinyPBCodec().step(bytes.span.bytes)
        else { return nil }
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        let request = Request(
            id: text(frame.messageID), method: text(frame.methodName),
            info: text(frame.errorInfo), byteCount: count)
        return (request, count)
    }
}

/// A call that remembers how it ended, and how often.
final class FakeCall: @unchecked Sendable {
    private(set) lazy var outgoing = OutgoingCall(kind, self)
    var methodName = [UInt8]("t.T.m".utf8) {
        didSet {
            let terms = outgoing.terms
            outgoing = OutgoingCall(kind, self)
            outgoing.terms = terms
            outgoing.begin()
        }
    }
    var payload: [UInt8] = []
    private var response: [UInt8] = []

    enum End: Hashable {
        case response([UInt8])
        case error(RPCErrorCode)
    }

    init(deadline: MonotonicTime?) {
        outgoing.terms.deadline = deadline
        outgoing.begin()
    }

    private var kind: ErasedMethod {
        ErasedMethod(
            methodName: methodName,
            encode: { messages, buffer in buffer.append(Self.of(messages).payload) },
            decode: { messages, payload in
                Self.of(messages).response = payload.withUnsafeBytes { [UInt8]($0) }
            })
    }

    private static func of(_ messages: AnyObject) -> FakeCall {
        guard let call = messages as? FakeCall else { preconditionFailure("a fake call's own") }
        return call
    }

    /// How it ended, if it has; that no call ends twice is a precondition.
    var ends: [End] {
        if outgoing.isUnderWay { return [] }
        return [outgoing.error.map { .error($0.code) } ?? .response(response)]
    }

    /// What it asks for.
    var terms: CallParameters {
        get { outgoing.terms }
        set { outgoing.terms = newValue }
    }

    var id: CallID { outgoing.id }

    var idText: String {
        id.withBytes { bytes in
            bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }
}

/// An id that a test chose.
func callID(_ bytes: [UInt8]) throws -> CallID {
    let id = CallID(bytes.span.bytes)
    return try #require(id)
}
