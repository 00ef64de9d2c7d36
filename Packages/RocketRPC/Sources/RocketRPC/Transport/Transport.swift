public import RocketBase
import RocketCodec
public import RocketReactor
public import RocketTCP

/// A bidirectional byte stream to one peer, used by the connections of servers and channels. Bound
/// to one loop; every function must be called on that loop's thread.
///
/// Implemented by `TCPConnection` (TCP and Unix sockets), `InMemoryTransport`, and by what translates
/// another wire (`WireProtocol`). Another kind conforms to this protocol and is created by a
/// `Connector` on a channel and by a `ConnectionListener` on a server.
@_spi(Transport) public protocol Transport: AnyObject {
    var localAddress: NetAddress { get }
    var peerAddress: NetAddress { get }
    /// What the peer has proved of itself. Costs a system call, or the parsing of a certificate.
    var peerIdentity: PeerIdentity { get }
    /// The number of written bytes that the peer may have received. Constant once the transport is
    /// closed.
    var sentBytes: UInt64 { get }
    /// The number of bytes that wait to be sent.
    var pendingBytes: Int { get }
    /// False from the time the output exceeds the high water mark until it has fallen to the low
    /// water mark, and while the transport closes. The handler is notified by `writabilityChanged`.
    var isWritable: Bool { get }
    /// Whether the peer can distinguish a close by `.reset` from an ordinary end of input.
    var signalsReset: Bool { get }
    /// The application protocol that both sides have agreed on (ALPN); nil: none.
    var negotiatedProtocol: String? { get }
    /// The name of what carries the calls, such as `gRPC`. Default: `TinyPB`.
    var wireName: String { get }
    /// Memory that the handler holds for this connection besides its buffers, in bytes: part of what
    /// the connection counts for in the process's byte budget.
    var handlerBytes: Int { get set }

    /// What has been sent and received on the wire. Default: nothing is known.
    var traffic: ConnectionTraffic { get }
    /// Returns the bytes that the kernel holds for the peer, sent and not acknowledged. May ask the
    /// kernel. Default: 0.
    func unacknowledgedBytes() -> Int

    /// Runs `body` with the input that the handler has not consumed in `received`. Must not be
    /// called from `received`.
    func readInput(_ body: (inout ByteBuffer) -> Void)
    /// Appends to the output that is sent at the end of this tick. Discards the bytes once closed.
    ///
    /// - Returns: false if the output is now above its high water mark; the handler is notified by
    ///   `writabilityChanged` when there is room again.
    @discardableResult
    func send(_ body: (inout ByteBuffer) -> Void) -> Bool
    /// The same, where the messages of the frames must not be compressed, nor later ones of a stream
    /// that one of them opens. Default: `send`, of transports that compress nothing.
    @discardableResult
    func sendUncompressed(_ body: (inout ByteBuffer) -> Void) -> Bool
    /// Closes the transport. The handler's `closed` is called at the end of a tick. A second call
    /// has no effect, except `.now` or `.reset` after `.afterFlush`.
    func close(_ how: TCPConnection.Closing, reason: CloseReason)
    /// Passes all later events to `handler`, which is not notified of `connected`.
    func handOver(to handler: any TransportHandler)
}

@_spi(Transport) extension Transport {
    /// `TinyPB`.
    public var wireName: String { ServerConnection.ownWire }

    /// Nothing is known.
    public var traffic: ConnectionTraffic { ConnectionTraffic() }

    /// None.
    public func unacknowledgedBytes() -> Int { 0 }

    /// Sends.
    @discardableResult
    public func sendUncompressed(_ body: (inout ByteBuffer) -> Void) -> Bool { send(body) }

    /// Sends in either way. One closure for both: two uses of a local function cost an allocation.
    @discardableResult @inline(__always)
    func send(compressing: Bool, _ body: (inout ByteBuffer) -> Void) -> Bool {
        compressing ? send(body) : sendUncompressed(body)
    }
}

/// Handles the events of a transport. All functions run on its loop, and are never nested for the
/// same transport.
///
/// The contract is that of `TCPConnectionHandler`: `connected` is called first and once, `closed`
/// last and once.
@_spi(Transport) public protocol TransportHandler: TCPConnectionHandler {
    func connected(_ transport: any Transport)
    /// Bytes have been appended to the input. Bytes that are not consumed remain in it.
    func received(_ transport: any Transport, _ input: inout ByteBuffer)
    func writabilityChanged(_ transport: any Transport, isWritable: Bool)
    /// The server has begun to drain.
    func draining(_ transport: any Transport)
    /// The time for the drain is up. By default the transport is closed at once.
    func drainTimedOut(_ transport: any Transport)
    /// The peer has half-closed the connection: it sends no more bytes, but may still read.
    func inputEnded(_ transport: any Transport)
    func closed(_ transport: any Transport, reason: CloseReason)
}

/// Opens the transports of a channel.
@_spi(Transport) public protocol Connector: Sendable {
    /// Whether the peer takes metadata of up to 8 KiB from the first call on, and streams.
    var peerIsKnown: Bool { get }
    /// The key of metadata in which a call that is sent again says how often it was sent before, as
    /// gRFC A6 has it; nil, the default: it does not.
    var attemptsKey: String? { get }
    /// Starts to connect, on the channel's loop. Calls either `handler.connected` or `failed`,
    /// once, before it returns or later.
    ///
    /// - Parameter index: the index of the connection within the channel, from 0.
    /// - Returns: a closure that cancels the attempt; `failed` may still be called.
    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void
}

@_spi(Transport) extension Connector {
    /// None.
    public var attemptsKey: String? { nil }
}

@_spi(Transport) extension TCPConnection: Transport {
    /// False for a Unix socket, which can't be reset: the peer reads an ordinary end of input, and
    /// may still send.
    public var signalsReset: Bool { !peerAddress.isUnix }

    /// Passes what the handler has left of the input.
    public func readInput(_ body: (inout ByteBuffer) -> Void) { withInput(body) }

    /// Writes, and returns whether the output is below its high water mark.
    @discardableResult
    public func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        write(body)
        return !isOutputFull
    }

    /// Replaces the handler.
    public func handOver(to handler: any TransportHandler) { replaceHandler(handler) }
}

/// Implements `TCPConnectionHandler` by the functions of `TransportHandler`.
@_spi(Transport) extension TransportHandler {
    /// Forwards to the function of `TransportHandler`.
    public func connected(_ connection: TCPConnection) { connected(connection as any Transport) }

    /// Forwards to the function of `TransportHandler`.
    public func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        received(connection as any Transport, &input)
    }

    /// Forwards to the function of `TransportHandler`.
    public func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        writabilityChanged(connection as any Transport, isWritable: isWritable)
    }

    /// Forwards to the function of `TransportHandler`.
    public func draining(_ connection: TCPConnection) { draining(connection as any Transport) }

    /// Forwards to the function of `TransportHandler`.
    public func drainTimedOut(_ connection: TCPConnection) {
        drainTimedOut(connection as any Transport)
    }

    /// Closes at once.
    public func drainTimedOut(_ transport: any Transport) {
        transport.close(.now, reason: .drained)
    }

    /// Forwards to the function of `TransportHandler`.
    public func inputEnded(_ connection: TCPConnection) { inputEnded(connection as any Transport) }

    /// Forwards to the function of `TransportHandler`.
    public func closed(_ connection: TCPConnection, reason: CloseReason) {
        closed(connection as any Transport, reason: reason)
    }
}

/// Connects over TCP or a Unix socket, to the first address that accepts. The n-th connection of a
/// channel tries the n-th address first, so that a pool is distributed over all addresses.
struct TCPConnector: Connector {
    var peerIsKnown: Bool { false }
    let addresses: [NetAddress]
    /// The name that they were looked up by, for `security`; nil: the text of the address.
    let host: String?
    /// Nil: plaintext.
    let security: (any ClientTransportSecurity)?

    /// Reads replies regardless of the number of unsent requests. Otherwise both sides would wait
    /// for ever: a server whose replies are not read stops reading requests. The channel bounds its
    /// output itself: it does not write while the connection is not writable.
    let configuration: TCPConnectionConfiguration

    /// - Parameter maxFrameBytes: the largest frame; the buffers of a connection hold one.
    init(
        addresses: [NetAddress], host: String? = nil,
        security: (any ClientTransportSecurity)? = nil, maxFrameBytes: Int
    ) {
        self.addresses = addresses
        self.host = host
        self.security = security
        var configuration = TCPConnectionConfiguration()
        configuration.readsAboveHighWater = true
        configuration.inputLimitBytes = max(configuration.inputLimitBytes, maxFrameBytes)
        configuration.outputLimitBytes = max(
            configuration.outputLimitBytes, configuration.highWaterMarkBytes + maxFrameBytes)
        self.configuration = configuration
    }

    /// Makes the connectors of a channel.
    static func maker(
        _ configuration: RPCChannelConfiguration
    ) -> @Sendable (RPCEndpoint) -> any Connector {
        { endpoint in
            TCPConnector(
                addresses: endpoint.addresses, host: endpoint.host,
                security: configuration.security, maxFrameBytes: configuration.codec.maxFrameBytes)
        }
    }

    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        let first = addresses.isEmpty ? 0 : index % addresses.count
        let operation = TCPClient.connect(
            to: Array(addresses[first...] + addresses[..<first]), on: reactor, timeout: timeout,
            configuration: configuration, security: security, host: host, handler: handler
        ) { result in
            guard case .failure(let error) = result else { return }
            failed(RPCError(.failedConnect, "\(error)").adding("connect", error.kind.rawValue))
        }
        return { operation.cancel() }
    }
}
