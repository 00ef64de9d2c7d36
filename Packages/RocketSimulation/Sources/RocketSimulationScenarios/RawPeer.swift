import RocketBase
import RocketCodec
import RocketReactor
import RocketRPC
import RocketSimulation
import RocketSystem
import RocketTCP
import SwiftProtobuf

/// A peer of a TinyPB server which sends requests, and then behaves badly. Bound to its loop.
final class RawPeer: TCPConnectionHandler {
    enum Behaviour: CaseIterable, Sendable {
        /// Never reads.
        case deaf
        /// Reads a little now and then.
        case slow
        /// Says at once that it will send no more.
        case endsWriting
        /// Sends half of its last request, and nothing more.
        case stopsInAFrame
    }

    /// What it does. A value.
    struct Plan: Sendable {
        let behaviour: Behaviour
        let requests: Int
        /// The size of each request's payload.
        let bytes: Int
        /// Whether it is a violation if replies are missing.
        let needsAllReplies: Bool
    }

    private let plan: Plan
    private let world: World
    private let done: () -> Void
    private let codec = TinyPBCodec()
    private var replies = 0
    /// Of an incomplete frame.
    private var leftBytes = 0

    /// It reads more slowly than it is sent to: with bounded output it would never read again.
    static var configuration: TCPConnectionConfiguration {
        var configuration = TCPConnectionConfiguration()
        configuration.readsAboveHighWater = true
        // The server ends what makes no progress, and not the peer.
        configuration.writeTimeout = nil
        return configuration
    }

    /// - Parameter done: called when its connection has ended.
    init(_ plan: Plan, _ world: World, done: @escaping () -> Void) {
        self.plan = plan
        self.world = world
        self.done = done
    }

    func connected(_ connection: TCPConnection) {
        let payload = Payload.with { $0.value = .init(repeating: 7, count: plan.bytes) }
        guard let message: [UInt8] = try? payload.serializedBytes() else { return }
        connection.write { output in
            for number in 0..<plan.requests {
                let id = Array("peer-\(number)".utf8)
                let name = Array(EchoService.echo.fullName.utf8)
                let start = codec.begin(
                    messageID: id.span.bytes, methodName: name.span.bytes, in: &output)
                output.append(message)
                try? codec.finish(start, in: &output)
                if plan.behaviour == .stopsInAFrame, number == plan.requests - 1 {
                    output.truncate(to: start + (output.readableBytes - start) / 2)
                }
            }
        }
        switch plan.behaviour {
        case .deaf:
            connection.pauseReading()
            connection.reactor.schedule(after: .seconds(30), label: "deaf peer") { [self] _ in
                if connection.state == .closed { return }
                // More than the kernels at both ends and the server keep for it.
                if plan.requests * plan.bytes > 600_000 {
                    world.violated(.custom, "a peer that does not read is connected for 30 s")
                }
                connection.close(.now)
            }
        case .endsWriting: connection.finishWriting()
        case .slow, .stopsInAFrame: break
        }
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        while case .frame(_, let count)? = try? input.withBytes({ try codec.step($0) }) {
            input.consume(count)
            replies += 1
        }
        guard plan.behaviour == .slow else { return }
        if replies == plan.requests { return connection.close() }
        // What was left is passed again when reading resumes.
        if input.readableBytes == leftBytes { return }
        leftBytes = input.readableBytes
        connection.pauseReading()
        connection.reactor.schedule(after: .milliseconds(20), label: "slow peer") { _ in
            connection.resumeReading()
        }
    }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        if plan.needsAllReplies, replies < plan.requests {
            world.violated(
                .custom,
                "a peer that \(plan.behaviour) has \(replies) replies of \(plan.requests): \(reason)"
            )
        }
        done()
    }
}
