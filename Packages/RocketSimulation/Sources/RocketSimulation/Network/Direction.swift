import RocketSystem

/// What one end of a connection sends to the other, in its order.
enum Segment {
    /// The answer to a connect.
    case established
    case bytes([UInt8])
    /// The end of the stream (FIN).
    case end
    /// RST.
    case reset

    var byteCount: Int { if case .bytes(let bytes) = self { bytes.count } else { 0 } }
}

/// One direction of a connection: segments on their way over a path. Bound to the world's thread.
final class Direction {
    let path: Path
    let receiver: SocketEnd
    /// Bytes on their way.
    private(set) var inFlightBytes = 0
    private var transit: [(segment: Segment, arrival: MonotonicTime)] = []
    private var lastArrival = VirtualTime.start
    private var isHeld = false

    init(over path: Path, to receiver: SocketEnd) {
        self.path = path
        self.receiver = receiver
    }

    func send(_ segment: Segment) {
        let world = path.world
        let arrival = max(path.arrival(byteCount: segment.byteCount), lastArrival.later(by: 1))
        lastArrival = arrival
        inFlightBytes += segment.byteCount
        transit.append((segment, arrival))
        world.schedule(at: arrival) { [self] in arrive() }
    }

    /// Delivers what has arrived, or holds everything while the path is cut.
    private func arrive() {
        if isHeld { return }
        if path.isCut {
            isHeld = true
            path.hold { [self] in
                isHeld = false
                arrive()
            }
            return
        }
        while let first = transit.first, first.arrival <= path.world.now {
            transit.removeFirst()
            inFlightBytes -= first.segment.byteCount
            receiver.arrived(first.segment)
        }
    }
}
