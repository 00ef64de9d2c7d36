import RocketBase
import RocketReactor
import RocketSystem

/// The part of a server that lives on its main loop: listeners, limits, and the hand-over of
/// accepted sockets to the sub loops, one parcel per loop and batch.
final class ConnectionAcceptor: TCPAcceptor.Target {
    /// A socket on its way to its loop.
    struct AcceptedSocket: Sendable {
        let raw: Int32
        let peer: NetAddress
        let number: UInt64
    }

    private let loops: [EventLoop]
    private let shop: ServerContext
    private unowned let reactor: Reactor
    private var acceptors: [TCPAcceptor] = []
    private var parcels: [[AcceptedSocket]]
    private var next = 0
    private var admitted: UInt64 = 0
    private var silentUntil = MonotonicTime(nanoseconds: 0)
    private var refused = 0

    init(loops: [EventLoop], shop: ServerContext, on reactor: Reactor) {
        self.loops = loops
        self.shop = shop
        self.reactor = reactor
        parcels = Array(repeating: [], count: loops.count)
        reactor.observeLoopEnd(self)
    }

    func open(_ socket: consuming ListeningSocket) {
        let address = socket.address
        do {
            acceptors.append(
                try TCPAcceptor(
                    socket, batch: shop.configuration.acceptBatch, target: self,
                    logger: shop.logger, on: reactor))
        } catch {
            shop.logger.error("a listener can't be watched") {
                $0.add("address", address)
                $0.add("error", error)
            }
        }
    }

    func close() {
        for acceptor in acceptors { acceptor.close() }
        acceptors = []
        reactor.stopObservingLoopEnd(self)
    }

    func mayAccept(_ acceptor: TCPAcceptor) -> Bool {
        let ledger = shop.ledger
        if shop.configuration.atLimit == .refuse || ledger.connections < ledger.limit {
            return true
        }
        let home = LoopBound(self, on: reactor)
        ledger.whenRoom {
            home.loop.execute { _ in for acceptor in home.get().acceptors { acceptor.resume() } }
        }
        return false
    }

    func accepted(_ descriptor: consuming FileDescriptor, peer: NetAddress) {
        let verdict = shop.ledger.admit(peer)
        guard verdict == .admitted else { return refuse(peer, verdict) }
        admitted += 1
        parcels[next].append(
            AcceptedSocket(raw: descriptor.release(), peer: peer, number: admitted))
        next = (next + 1) % loops.count
    }

    /// The descriptor was dropped: the peer reads the end at once.
    private func refuse(_ peer: NetAddress, _ verdict: ConnectionLimiter.Verdict) {
        refused += 1
        if reactor.now < silentUntil { return }
        silentUntil = reactor.now + TCPAcceptor.silence
        let reason: CloseReason = verdict == .full ? .connectionLimit : .peerConnectionLimit
        shop.logger.warn("connections are refused") {
            $0.add("peer", peer)
            $0.add("reason", reason)
            $0.add("refused", self.refused)
        }
    }

    func batchEnded() {
        for index in loops.indices where !parcels[index].isEmpty {
            var parcel: [AcceptedSocket] = []
            swap(&parcel, &parcels[index])
            let arrivals = parcel
            let shop = shop
            if loops[index].execute({ shop.receive(arrivals, on: $0) }) { continue }
            for arrival in arrivals { shop.turnAway(arrival) }
        }
    }
}

extension ConnectionAcceptor: LoopEndHandler {
    /// Nobody will accept any more: peers should know.
    func loopEnding(on reactor: Reactor) { close() }
}
