import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

/// The first handler of a connection of a server that speaks several wires: reads the first bytes,
/// or what ALPN has agreed on, and hands the connection over. TinyPB is the wire of all that no
/// other claims. Bound to the connection's loop.
final class WireSelection: TransportHandler {
    private let wires: [any WireProtocol]
    private let settings: WireSettings
    private let reactor: Reactor
    let rpc: ServerConnection
    /// Until the connection is handed over, or has ended.
    private(set) var transport: (any Transport)?
    /// When it began to wait for its first bytes.
    private(set) var since = MonotonicTime(nanoseconds: 0)
    /// The peer; computed when it is asked for.
    private(set) lazy var peers: ConnectionPeers? = transport.map { ConnectionPeers($0) }
    /// The server drains, and the peer has not shown yet what it speaks.
    private var isDraining = false

    init(
        _ wires: [any WireProtocol], _ settings: WireSettings, for rpc: ServerConnection,
        on reactor: Reactor
    ) {
        self.wires = wires
        self.settings = settings
        self.rpc = rpc
        self.reactor = reactor
    }

    func connected(_ transport: any Transport) {
        self.transport = transport
        since = reactor.now
        rpc.scheduler?.silent.insert(self)
        guard let name = transport.negotiatedProtocol else { return }
        let wire = wires.first { $0.applicationProtocols.contains(name) }
        handOver(transport, to: wire)
    }

    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        var needsMore = false
        for wire in wires {
            switch input.withBytes({ wire.matches($0) }) {
            case .yes: return handOver(transport, to: wire).received(transport, &input)
            case .needMore: needsMore = true
            case .no: break
            }
        }
        if !needsMore { handOver(transport, to: nil).received(transport, &input) }
    }

    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {}

    /// Waits for the first bytes: a draining server says that in the peer's own wire.
    func draining(_ transport: any Transport) {
        isDraining = true
        reactor.schedule(after: ConnectionEnding.silentPeriod, label: "silent peer") {
            [weak self] _ in self?.transport?.close(.afterFlush, reason: .drained)
        }
    }

    func inputEnded(_ transport: any Transport) {
        let handler = handOver(transport, to: nil)
        transport.readInput { if !$0.isEmpty { handler.received(transport, &$0) } }
        handler.inputEnded(transport)
    }

    func closed(_ transport: any Transport, reason: CloseReason) {
        self.transport = nil
        rpc.scheduler?.silent.remove(self)
    }

    /// - Parameter wire: nil for TinyPB.
    @discardableResult
    private func handOver(
        _ transport: any Transport, to wire: (any WireProtocol)?
    ) -> any TransportHandler {
        let handler: any TransportHandler =
            wire?.makeHandler(for: rpc, settings: settings, on: reactor) ?? rpc
        self.transport = nil
        rpc.scheduler?.silent.remove(self)
        if let wire { rpc.wire = wire.name }
        transport.handOver(to: handler)
        handler.connected(transport)
        if isDraining { handler.draining(transport) }
        return handler
    }
}
