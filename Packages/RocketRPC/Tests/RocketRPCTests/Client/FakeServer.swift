import RocketBase
import RocketBaseTestKit
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// A channel on a loop and a clock that the test drives by hand, over transports in memory: the
/// test plays the network and the server.
final class DrivenChannel {
    let driven: HandDrivenLoop
    let connector = FakeConnector()
    let core: ChannelCore

    /// - Parameter source: with several endpoints each transport has its own.
    init(
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        to source: EndpointSource = .connector,
        _ configure: (inout RPCChannelConfiguration) -> Void = { _ in }
    ) throws {
        driven = try HandDrivenLoop(random: random)
        var configuration = RPCChannelConfiguration()
        configure(&configuration)
        let connector = connector
        let settings = ChannelSettings(source: source, configuration: configuration) {
            connector.to($0)
        }
        let context = ChannelContext(target: "test", settings: settings, logger: .disabled)
        core = ChannelCore(context, on: driven.reactor)
    }

    /// A channel with a ready connection that has worked.
    static func connected(
        _ configure: (inout RPCChannelConfiguration) -> Void = { _ in }
    ) throws -> DrivenChannel {
        let channel = try DrivenChannel(configure)
        let first = channel.start()
        channel.last.connect()
        channel.last.reply(to: first.idText)
        _ = channel.last.requests()
        return channel
    }

    var now: MonotonicTime { driven.clock.monotonic() }
    var statistics: RPCChannelStatistics { core.context.counters.read() }
    var state: RPCChannelState { core.context.broadcaster.current }

    func tick(after duration: Duration) { driven.tick(after: duration) }

    /// Starts a call; it is sent when the test has connected a transport.
    @discardableResult
    func start(
        timeout: Duration = .seconds(10), _ change: (FakeCall) -> Void = { _ in }
    ) -> FakeCall {
        let call = FakeCall(deadline: now + timeout)
        change(call)
        core.start(call.outgoing)
        return call
    }

    /// The newest transport.
    var last: FakeTransport { connector.made[connector.made.count - 1] }
}

// SAFETY of the @unchecked types: a test uses them on its own thread only.

/// Makes transports that the test connects or refuses.
final class FakeConnector: Connector, @unchecked Sendable {
    private(set) var made: [FakeTransport] = []

    var peerIsKnown = false
    var attemptsKey: String?

    /// A connector to an endpoint, whose transports are in `made`, too.
    func to(_ endpoint: RPCEndpoint) -> any Connector {
        EndpointConnector(base: self, address: endpoint.addresses.first)
    }

    /// The newest transport to an address.
    func last(to address: NetAddress) -> FakeTransport? {
        made.last { $0.endpoint == address }
    }

    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        connect(to: nil, index, handler, failed)
    }

    fileprivate func connect(
        to address: NetAddress?, _ index: Int, _ handler: any TransportHandler,
        _ failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        let transport = FakeTransport(index: index, handler, failed)
        transport.endpoint = address
        made.append(transport)
        return { transport.isCancelled = true }
    }
}

private struct EndpointConnector: Connector {
    let base: FakeConnector
    let address: NetAddress?

    var peerIsKnown: Bool { base.peerIsKnown }
    var attemptsKey: String? { base.attemptsKey }

    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        base.connect(to: address, index, handler, failed)
    }
}

/// A transport in memory whose peer is the test. Keeps the contract of `Transport.isWritable`: a
/// handler that has seen false is notified when there is room again.
final class FakeTransport: Transport {
    let index: Int
    private let handler: any TransportHandler
    private let failed: (RPCError) -> Void
    private var input = ByteBuffer()
    private var output = ByteBuffer()
    /// The address of the endpoint that it is to; nil: the only one.
    var endpoint: NetAddress?
    var isCancelled = false
    var closing: TCPConnection.Closing?
    private(set) var closeReason: CloseReason?
    var signalsReset = true
    var negotiatedProtocol: String? { nil }
    var handlerBytes = 0
    /// Writes until it is not writable any more.
    private var room = Int.max
    var isWritable: Bool { room > 0 && closing == nil }
    private(set) var sentBytes: UInt64 = 0
    let localAddress = NetAddress.loopback(port: 1)
    var peerAddress: NetAddress { endpoint ?? .loopback(port: 2) }
    var peerIdentity = PeerIdentity.none
    var pendingBytes: Int { output.readableBytes }

    init(
        index: Int, _ handler: any TransportHandler, _ failed: @escaping (RPCError) -> Void
    ) {
        self.index = index
        self.handler = handler
        self.failed = failed
    }

    func readInput(_ body: (inout ByteBuffer) -> Void) { body(&input) }

    func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        body(&output)
        room = max(0, room - 1)
        return isWritable
    }

    func handOver(to handler: any TransportHandler) {}
    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        if closing == nil { (closing, closeReason) = (how, reason) }
    }

    var unsentBytes: Int { output.readableBytes }

    // MARK: The network and the server

    func connect() { handler.connected(self) }
    func refuse(_ code: RPCErrorCode = .peerClosed) {
        failed(RPCError(code, "refused"))
    }

    /// Leaves no room for further writes.
    func fill() { room = 0 }

    /// Makes room for so many writes, and notifies the handler where there was none.
    func makeRoom(for writes: Int = .max) {
        let wasFull = room == 0
        room = writes
        if wasFull, closing == nil { handler.writabilityChanged(self, isWritable: true) }
    }

    func end(_ reason: CloseReason = .peerReset) { handler.closed(self, reason: reason) }

    /// Receives everything that was written since the last time.
    func requests() -> [Request] { take(output.readableBytes) }

    /// Receives so many bytes of the output, and returns the requests that are complete now.
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

    /// Receives everything that was written since the last time, as bytes.
    func takeBytes() -> [UInt8] {
        defer { output.removeAll() }
        sentBytes += UInt64(output.readableBytes)
        return output.copyBytes()
    }

    /// The bytes that the channel has received and not consumed.
    var unconsumedBytes: Int { input.readableBytes }

    func reply(
        to id: String, code: RPCErrorCode = .init(rawValue: 0), info: String = "",
        payload: [UInt8] = [], method: String = "t.T.m"
    ) {
        let codec = TinyPBCodec()
        let (id, name, info) = ([UInt8](id.utf8), [UInt8](method.utf8), [UInt8](info.utf8))
        let start = codec.begin(
            messageID: id.span.bytes, methodName: name.span.bytes, errorCode: code.rawValue,
            errorInfo: info.span.bytes, in: &input)
        input.append(payload)
        try? codec.finish(start, in: &input)
        handler.received(self, &input)
    }

    /// The server takes no more calls on the connection.
    func goAway() { reply(to: "", method: "rocket.goaway") }

    func receive(_ bytes: [UInt8]) {
        input.append(bytes)
        handler.received(self, &input)
    }
}

/// A request as the server receives it.
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

/// A call that records its end.
final class FakeCall: @unchecked Sendable {
    private(set) lazy var outgoing = OutgoingCall(method, self)
    var methodName = [UInt8]("t.T.m".utf8) {
        didSet {
            let parameters = outgoing.parameters
            outgoing = OutgoingCall(method, self)
            outgoing.parameters = parameters
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
        outgoing.parameters.deadline = deadline
        outgoing.begin()
    }

    private var method: ErasedMethod {
        ErasedMethod(
            methodName: methodName,
            encode: { call, buffer in buffer.append(Self.of(call).payload) },
            decode: { call, bytes in
                Self.of(call).response = bytes.withUnsafeBytes { [UInt8]($0) }
            })
    }

    private static func of(_ payload: AnyObject) -> FakeCall {
        guard let call = payload as? FakeCall else {
            preconditionFailure("the payload of a fake call is the call")
        }
        return call
    }

    /// Empty before its end, then one element: a second end would violate a precondition.
    var ends: [End] {
        if outgoing.isInFlight { return [] }
        return [outgoing.error.map { .error($0.code) } ?? .response(response)]
    }

    var parameters: CallParameters {
        get { outgoing.parameters }
        set { outgoing.parameters = newValue }
    }

    var id: CallID { outgoing.id }

    var idText: String {
        id.withBytes { bytes in
            bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }
}

/// An id with these bytes.
func callID(_ bytes: [UInt8]) throws -> CallID {
    let id = CallID(bytes.span.bytes)
    return try #require(id)
}
