import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@_spi(Transport) @testable import RocketTCP
import RocketTCPTestKit
import Testing

/// Two loops of one server, driven by hand, with connections over socket pairs.
final class MoveScene {
    let record = EchoRecord()
    let loops: [HandDrivenLoop]
    let context: ServerContext
    var clock: ManualTimeSource { record.clock }
    /// What the handlers were told.
    var log: [String] { record.log.withLock { $0 } }

    init(_ change: (inout TCPServerConfiguration) -> Void = { _ in }) throws {
        let record = record
        loops = try [HandDrivenLoop(clock: record.clock), HandDrivenLoop(clock: record.clock)]
        var configuration = TCPServerConfiguration(listen: [])
        configuration.connection.firstBytesTimeout = nil
        change(&configuration)
        context = ServerContext(configuration, logger: .disabled) { _ in FrameEcho(record) }
    }

    /// Returns the peer of a new connection at that loop.
    func connect(to index: Int, number: UInt64 = 1, buffers: Int = 0) throws -> RawPeer {
        let peer = NetAddress.loopback(port: 7)
        try #require(context.limiter.admit(peer) == .admitted)
        let pair = try FileDescriptor.socketPair()
        try pair.first.setKernelBuffers(send: buffers, receive: buffers)
        var (near, far): (Int32, Int32) = (0, 0)
        pair.take { (near, far) = ($0.release(), $1.release()) }
        let socket = ConnectionAcceptor.AcceptedSocket(
            socket: Socket(FileDescriptor(owning: near)).release(), peer: peer, number: number,
            security: nil)
        context.receive([socket], on: loops[index].reactor)
        return RawPeer(FileDescriptor(owning: far))
    }

    func connections(_ index: Int) -> [TCPConnection] {
        context.connections(on: loops[index].reactor)
    }

    /// Moves what is idle at that loop to the other one, where it arrives in its next tick.
    ///
    /// - Returns: whether anything moved.
    @discardableResult
    func move(from index: Int) -> Bool {
        let batch = connections(index).compactMap { $0.leave() }
        if batch.isEmpty { return false }
        let context = context
        loops[1 - index].loop.execute { context.receive(batch, on: $0) }
        return true
    }

    func settle() {
        for _ in 0..<3 { for loop in loops { loop.settle() } }
    }

    /// Whether nothing is left of any connection.
    var isEmpty: Bool {
        context.limiter.connections == 0 && context.limiter.heldBytes == 0
            && loops.allSatisfy { $0.reactor.registrationCount == 1 }
    }
}

/// What all handlers of a scene share.
final class EchoRecord: Sendable {
    let log = Locked<[String]>([])
    /// How long a handler takes for a frame: it advances the clock.
    let cost = Locked(Duration.zero)
    let clock = ManualTimeSource()
}

/// Sends each frame of four bytes back; takes along how many there were.
final class FrameEcho: MovableConnectionHandler {
    private let record: EchoRecord
    private var frames: Int

    init(_ record: EchoRecord, frames: Int = 0) {
        self.record = record
        self.frames = frames
    }

    private func add(_ event: String) { record.log.withLock { $0.append(event) } }

    func connected(_ connection: TCPConnection) { add("connected") }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        let whole = input.readableBytes / 4
        let bytes = [UInt8](input.copyBytes().prefix(4 * whole))
        input.consume(4 * whole)
        frames += whole
        record.clock.advance(by: record.cost.withLock { $0 } * whole)
        if whole > 0 { connection.write { $0.append(bytes) } }
    }

    func draining(_ connection: TCPConnection) {
        add("draining")
        connection.close(.afterFlush, reason: .drained)
    }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        add("closed \(reason) after \(frames)")
    }

    var isMovable: Bool { true }

    func leave() -> (@Sendable (Reactor) -> any TCPConnectionHandler)? {
        { [record, frames] _ in FrameEcho(record, frames: frames) }
    }
}
