import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import SwiftProtobuf

@_spi(Transport) @testable import RocketRPC

/// What was promised and does not hold. A value.
struct StreamFault: Error {
    let text: String

    /// - Throws: the fault, if `holds` is false.
    static func check(_ holds: Bool, _ text: @autoclosure () -> String) throws {
        if !holds { throw StreamFault(text: text()) }
    }
}

/// What each input of the fuzz targets of streams is made of: operations of four bytes, which are a
/// peer's frames and what happens around them. See Fuzz/README.md.
struct StreamOperations: Sequence, IteratorProtocol {
    struct Operation {
        let kind: UInt8
        let target: UInt8
        let first: UInt8
        let second: UInt8

        /// A number of 16 bits.
        var number: Int { Int(first) << 8 | Int(second) }

        /// A limit that a window frame sets: small, about that of a connection, or the largest.
        var limit: UInt64 {
            switch first {
            case 255: .max
            case 192...: UInt64(first & 15) << 17 | UInt64(second)
            default: UInt64(number)
            }
        }

        var limitBytes: [UInt8] {
            (0..<8).reversed().map { UInt8(truncatingIfNeeded: limit >> (8 * $0)) }
        }

        /// The bytes of a message, of a part of one, or of nothing valid.
        func payload() throws -> [UInt8] {
            switch first {
            case 0..<64: try Number(Int64(second)).serializedBytes()
            case 64..<128: try Text(String(repeating: "x", count: Int(second))).serializedBytes()
            case 128..<192: [UInt8](repeating: second, count: Int(first & 63) << 10)
            case 255: [UInt8](repeating: 0, count: 65_537)
            default: [UInt8](repeating: second, count: Int(first & 63))
            }
        }
    }

    private var bytes: ArraySlice<UInt8>

    /// At most 1,000 operations.
    init(_ bytes: [UInt8]) { self.bytes = bytes.prefix(4000) }

    mutating func next() -> Operation? {
        guard bytes.count >= 4 else { return nil }
        let four = Array(bytes.prefix(4))
        bytes = bytes.dropFirst(4)
        return Operation(kind: four[0] & 15, target: four[1], first: four[2], second: four[3])
    }
}

/// What one side may send of streams, as its peer counts it: it gives credit, and reads the frames.
/// A value.
struct CreditCheck {
    private var limits: [String: UInt64] = [:]
    private var sent: [String: UInt64] = [:]
    private var connectionLimit: UInt64 = 1 << 20
    private var connectionSent: UInt64 = 0

    /// A window frame, or the window of an opening one. An empty id: of the connection.
    mutating func give(_ limit: UInt64, to id: String) {
        if id.isEmpty {
            connectionLimit = Swift.max(connectionLimit, limit)
        } else {
            limits[id] = Swift.max(limits[id] ?? 0, limit)
        }
    }

    func limit(of id: String) -> UInt64 { limits[id] ?? 0 }

    /// A data frame that the side has sent.
    mutating func count(_ bytes: Int, of id: String) throws {
        let cost = UInt64(Swift.max(1, bytes))
        connectionSent += cost
        sent[id, default: 0] += cost
        try StreamFault.check(bytes <= 65_536, "stream \(id): a part of \(bytes) bytes")
        try StreamFault.check(
            sent[id] ?? 0 <= limit(of: id), "stream \(id) has sent more than it may")
        try StreamFault.check(
            connectionSent <= connectionLimit, "all streams have sent more than they may")
    }
}

/// Frames of a client in any order, against a connection of a server. For any of them nothing traps;
/// each call is answered once, and nothing follows its answer; data stays within the credit; nothing is
/// left when the connection has ended.
enum ServerStreamFuzz {
    static func run(_ bytes: [UInt8]) throws {
        let wire = StreamScene()
        try wire.with({
            $0.streams.idleTimeout = .seconds(8)
            $0.streams.windowBytes = 5000
        }) { scene, client in
            var peer = Peer(wire: wire, client: client)
            for operation in StreamOperations(bytes) where client.peer.closing == nil {
                try peer.perform(operation, scene)
                try peer.check()
            }
            wire.service.gate.open()
            scene.loop.tickUntilIdle()
            for _ in 0..<4 {
                scene.loop.tick(after: .seconds(4))
                scene.loop.tickUntilIdle()
            }
            try peer.check()
            if client.peer.closing == nil {
                // What was sent to old calls harms no new one.
                peer.opened += 1
                try client.call(id: "\(peer.opened)", payload: Text("x").serializedBytes())
                try peer.check()
                try StreamFault.check(
                    peer.answered.contains("\(peer.opened)"), "a later call has no answer")
            }
            if client.connection.transport != nil { client.reset() }
            try StreamFault.check(client.connection.callsInFlight == 0, "calls are left")
            try StreamFault.check(
                client.connection.streams?.count ?? 0 == 0, "streams are left")
            try StreamFault.check(
                client.peer.handlerBytes == 0, "\(client.peer.handlerBytes) bytes are left")
        }
    }

    private struct Peer {
        let wire: StreamScene
        let client: ServerScene.Client
        var credit = CreditCheck()
        var opened = 0
        var answered: Set<String> = []
        /// Ids that were used twice while their first call may have been open.
        var ambiguous: Set<String> = []

        init(wire: StreamScene, client: ServerScene.Client) {
            self.wire = wire
            self.client = client
        }

        mutating func perform(
            _ operation: StreamOperations.Operation, _ scene: ServerScene
        ) throws {
            let id = "\(Int(operation.target) % (opened + 1))"
            switch operation.kind {
            case 0: try open(["sum", "hold", "early"], "c", operation)
            case 1: try open(["count", "flood", "failing"], "s", operation)
            case 2: try open(["echo", "deaf"], "b", operation)
            case 3:
                // A method of another kind, or an id that was used before.
                let kinds = ["c", "s", "b", "x"]
                if operation.first & 1 == 0 {
                    try open(["sum", "count", "echo"], kinds[Int(operation.second & 3)], operation)
                } else {
                    ambiguous.insert(id)
                    client.send(try wire.open("sum", id: id, kind: "c"))
                }
            case 4, 5: client.send(try wire.data(operation.payload(), id: id))
            case 6: client.send(try wire.data(operation.payload(), id: id, info: "more"))
            case 7: client.send(try wire.end(id: id))
            case 8:
                credit.give(operation.limit, to: id)
                client.send(
                    try wire.kit.frame(id: id, "rocket.window", payload: operation.limitBytes))
            case 9:
                // What is written without an end may be a million empty messages already.
                let limit = Swift.min(operation.limit, 5 << 18)
                credit.give(limit, to: "")
                client.send(try wire.window(limit, id: ""))
            case 10:
                client.send(
                    try wire.kit.frame(
                        id: id, operation.first & 1 == 0 ? "rocket.headers" : "rocket.window",
                        info: "rkm1\nx-a=1\n", payload: operation.payload()))
            case 11: client.send(try wire.kit.frame(id: id, "rocket.cancel"))
            case 12:
                opened += 1
                try client.call(id: "\(opened)", payload: Text("x").serializedBytes())
            case 13:
                if operation.first & 1 == 0 {
                    wire.service.gate.open()
                    scene.loop.tickUntilIdle()
                } else {
                    scene.loop.tick(after: .milliseconds(operation.number & 4095))
                    scene.loop.tickUntilIdle()
                }
            case 14: client.send([operation.first, operation.second, operation.target])
            default:
                if operation.first & 3 == 0 { client.finish() }
                if operation.first & 3 == 1 { client.drain() }
            }
        }

        private mutating func open(
            _ methods: [String], _ kind: String, _ operation: StreamOperations.Operation
        ) throws {
            opened += 1
            let window = UInt64(operation.first) << 6
            credit.give(window, to: "\(opened)")
            let method = methods[Int(operation.target) % methods.count]
            client.send(
                try wire.open(
                    method, id: "\(opened)", kind: kind, window: "\(window)",
                    kind == "s" ? wire.number(Int64(operation.second)) : [],
                    more: operation.second & 3 == 3 ? "timeout-ms=\(operation.second)\n" : ""))
        }

        mutating func check() throws {
            for answer in try client.answers() {
                let isOver = answered.contains(answer.id) && !ambiguous.contains(answer.id)
                try StreamFault.check(
                    !isOver, "\(answer.method) follows the answer to \(answer.id)")
                switch answer.method {
                case "rocket.data": try credit.count(answer.payload.count, of: answer.id)
                case "rocket.window":
                    try StreamFault.check(answer.payload.count == 8, "an invalid window")
                case "rocket.headers", "rocket.goaway": break
                default: answered.insert(answer.id)
                }
            }
        }
    }
}
