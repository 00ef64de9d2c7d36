import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

/// One client's connection: takes frames out of its input, and puts answers into its output.
/// Bound to its loop; without drivers to the task that drives it (`RPCDispatcher.answer`).
final class ServerConnection {
    let dispatcher: RPCDispatcher
    let codec: TinyPBCodec
    let drivers: HandlerScheduler?
    private(set) var peers = ConnectionPeers.none
    var link: (any Transport)?
    /// For whoever made the connection and has to clear up after it.
    var whenClosed: (() -> Void)?
    /// Calls whose handlers run now, suspended ones included.
    var callsInFlight = 0
    /// Those of them whose handlers are suspended.
    var waiting = SuspendedCalls()
    var isDraining = false
    /// The peer sends no more; what it asked is still answered.
    private(set) var isInputEnded = false
    /// A frame rule that was broken: what stands in the input means nothing and is not looked at
    /// again while the connection flushes and ends.
    var fault: FrameError?

    init(dispatcher: RPCDispatcher, codec: TinyPBCodec, drivers: HandlerScheduler?) {
        self.dispatcher = dispatcher
        self.codec = codec
        self.drivers = drivers
    }

    /// The tick's time.
    var now: MonotonicTime { drivers?.now ?? dispatcher.time.monotonic() }

    var isBroken: Bool { fault != nil }

    /// No further call will come, or none that would be served.
    var isEnding: Bool { isDraining || isInputEnded }

    /// When the input is used up and the last call is answered.
    func closeIfDone() {
        guard isEnding, callsInFlight == 0 else { return }
        link?.close(.afterFlush, reason: isInputEnded ? .peerFinished : .drained)
    }
}

extension ServerConnection: TransportHandler {
    func connected(_ transport: any Transport) {
        link = transport
        peers = ConnectionPeers(local: transport.localAddress, peer: transport.peerAddress)
        drivers?.add(self)
    }

    /// Serves what can be served at once, and only notes the rest: the drivers take it from the
    /// input.
    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        if dispatcher.table.hasSynchronous, let drivers,
            !serveSynchronous(&input, transport, drivers.synchronousCall(of: self))
        {
            return
        }
        drivers?.enqueue(self)
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {}

    func draining(_ transport: any Transport) { drain() }

    func inputEnded(_ transport: any Transport) {
        isInputEnded = true
        drivers?.enqueue(self)
    }

    /// The server drains.
    func drain() {
        isDraining = true
        drivers?.enqueue(self)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        link = nil
        drivers?.remove(self)
        whenClosed?()
        whenClosed = nil
        dispatcher.logger.debug("connection closed") {
            $0.add("peer", peers.peerText)
            $0.add("reason", reason.description)
        }
    }
}
