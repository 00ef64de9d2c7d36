import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

/// The first handler of a connection of a server that speaks several wires: reads the first bytes,
/// or what ALPN has agreed on, and hands the connection over. TinyPB is the wire of all that no
/// other claims. Bound to the connection's loop.
///
/// A connection whose peer has said nothing is this small object; its side of calls is made when the
/// wire is known.
final class WireSelection: TransportHandler {
    private let selector: WireSelector
    private let scheduler: HandlerScheduler
    /// Until the connection is handed over, or has ended.
    private(set) var transport: (any Transport)?
    /// When it began to wait for its first bytes.
    private(set) var since = MonotonicTime(nanoseconds: 0)
    /// The connection's number, as of `ServerConnection`.
    let number: UInt64
    /// Its index in `SilentConnections`; negative: it is not there.
    fileprivate var index: Int32 = -1
    /// The server drains, and the peer has not shown yet what it speaks.
    private var isDraining = false

    /// Of a new connection, on the loop of the scheduler.
    init(_ selector: WireSelector, _ scheduler: HandlerScheduler) {
        self.selector = selector
        self.scheduler = scheduler
        number = scheduler.dispatcher.nextConnectionNumber()
    }

    func connected(_ transport: any Transport) {
        self.transport = transport
        since = scheduler.now
        scheduler.silent.insert(self)
        guard let name = transport.negotiatedProtocol else { return }
        let wire = selector.wires.first { $0.applicationProtocols.contains(name) }
        handOver(transport, to: wire)
    }

    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        var needsMore = false
        for wire in selector.wires {
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
        scheduler.reactor.schedule(after: ConnectionEnding.silentPeriod, label: "silent peer") {
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
        scheduler.silent.remove(self)
    }

    /// - Parameter wire: nil for TinyPB.
    @discardableResult
    private func handOver(
        _ transport: any Transport, to wire: (any WireProtocol)?
    ) -> any TransportHandler {
        let rpc = scheduler.makeConnection(selector.settings.codec, number: number)
        let handler: any TransportHandler =
            wire?.makeHandler(
                for: rpc, settings: selector.settings, on: scheduler.reactor) ?? rpc
        self.transport = nil
        scheduler.silent.remove(self)
        if let wire { rpc.wire = wire.name }
        transport.handOver(to: handler)
        handler.connected(transport)
        if isDraining { handler.draining(transport) }
        return handler
    }
}

/// The wires of a server beside TinyPB, and what they need. Any thread.
final class WireSelector: Sendable {
    let wires: [any WireProtocol]
    let settings: WireSettings

    init(_ wires: [any WireProtocol], _ settings: WireSettings) {
        self.wires = wires
        self.settings = settings
    }
}

/// The connections of one loop whose peers have said nothing. Inserting and removing take constant
/// time, and one word of memory. A value.
struct SilentConnections {
    private var selections: [WireSelection] = []

    /// In the order in which they were accepted. Sorts them: for what is done seldom.
    var inOrder: [WireSelection] { selections.sorted { $0.number < $1.number } }

    mutating func insert(_ selection: WireSelection) {
        if selection.index >= 0 { return }
        selection.index = Int32(selections.count)
        selections.append(selection)
    }

    /// Removes a selection; no effect if it is not there.
    mutating func remove(_ selection: WireSelection) {
        if selection.index < 0 { return }
        let last = selections.removeLast()
        if last !== selection {
            selections[Int(selection.index)] = last
            last.index = selection.index
        }
        selection.index = -1
    }
}
