import FoundationEssentials
import RocketBase
import RocketCodec
import RocketRPC
import RocketSimulation
import RocketSystem
import SwiftProtobuf

/// Takes, sends and returns streams of numbered messages, and checks what it takes.
struct TransferService: RPCService {
    static var serviceName: String { "simulation.v1.Transfer" }

    /// Returns the number of messages.
    static let collect = RPCMethod<Payload, Payload>(
        service: serviceName, name: "collect", kind: .clientStreaming)
    /// Sends as many messages as the request says.
    static let feed = RPCMethod<Payload, Payload>(
        service: serviceName, name: "feed", kind: .serverStreaming)
    /// Returns each message.
    static let mirror = RPCMethod<Payload, Payload>(
        service: serviceName, name: "mirror", kind: .bidirectionalStreaming)

    let host: Host

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(clientStreaming: Self.collect) { requests, call in
            let plan = TransferPlan(call.requestMetadata)
            var received = ReceivedMessages(call: plan.number, host.world)
            try await plan.pauseIfEmpty(on: host)
            for try await message in requests {
                received.check(message)
                if received.count == plan.stopsAfter { break }
                try await plan.pause(behind: received.count, on: host)
            }
            return .with { $0.value = Data(bigEndian: UInt64(received.count)) }
        }
        try registry.add(serverStreaming: Self.feed) { _, responses, call in
            let plan = TransferPlan(call.requestMetadata)
            try await plan.elsewhere(on: host) {
                try await plan.write(to: responses, writer: 0, host)
            }
        }
        try registry.add(bidirectional: Self.mirror) { requests, responses, call in
            let plan = TransferPlan(call.requestMetadata)
            try await plan.elsewhere(on: host) {
                var received = ReceivedMessages(call: plan.number, host.world)
                try await plan.pauseIfEmpty(on: host)
                for try await message in requests {
                    received.check(message)
                    try await responses.write(message)
                    if received.count == plan.stopsAfter { return }
                    try await plan.pause(behind: received.count, on: host)
                }
            }
        }
    }
}

/// What happens in one call. A value; a server reads it from the call's metadata.
struct TransferPlan: Sendable {
    /// Of the call.
    var number: UInt64 = 0
    /// Messages of each writer.
    var count = 0
    var writers = 1
    /// The largest message.
    var mostBytes = 0
    /// The server sleeps for so many milliseconds behind some messages.
    var serverPause = 0
    var clientPause = 0
    /// The server returns after so many messages; 0: at their end.
    var stopsAfter = 0
    /// The caller drops the call after so many messages; 0: it reads all.
    var dropsAfter = 0
    /// Whether the server reads and writes on another loop than that of the connection.
    var isElsewhere = false

    var total: Int { count * writers }

    static func any(_ number: UInt64, using random: inout SeededGenerator) -> TransferPlan {
        var plan = TransferPlan()
        plan.number = number
        // Only a stream without messages can be sent again behind its end.
        plan.count = random.chance(0.1) ? 0 : Int.random(in: 0...60, using: &random)
        plan.writers = random.chance(0.3) ? Int.random(in: 2...4, using: &random) : 1
        plan.mostBytes =
            random.chance(0.1)
            ? Int.random(in: 0...150_000, using: &random) : Int.random(in: 0...3000, using: &random)
        if random.chance(0.3) { plan.serverPause = Int.random(in: 1...150, using: &random) }
        if plan.count == 0 { plan.serverPause = Int.random(in: 1...500, using: &random) }
        if random.chance(0.3) { plan.clientPause = Int.random(in: 1...150, using: &random) }
        if random.chance(0.2) { plan.stopsAfter = Int.random(in: 1...40, using: &random) }
        if random.chance(0.2) { plan.dropsAfter = Int.random(in: 1...40, using: &random) }
        plan.isElsewhere = random.chance(0.3)
        return plan
    }

    private static let key = "x-transfer"

    private init() {}

    /// A call without a plan, which no client of the scenario makes, transfers nothing.
    init(_ metadata: RPCMetadata) {
        let fields = (metadata[Self.key] ?? "").split(separator: ",").map { UInt64($0) ?? 0 }
        guard fields.count == 7 else { return }
        number = fields[0]
        count = Int(clamping: fields[1])
        writers = Int(clamping: fields[2])
        mostBytes = Int(clamping: fields[3])
        serverPause = Int(clamping: fields[4])
        stopsAfter = Int(clamping: fields[5])
        isElsewhere = fields[6] == 1
    }

    var metadata: RPCMetadata {
        let fields: [UInt64] = [
            number, UInt64(count), UInt64(writers), UInt64(mostBytes), UInt64(serverPause),
            UInt64(stopsAfter), isElsewhere ? 1 : 0,
        ]
        return [Self.key: fields.map { "\($0)" }.joined(separator: ",")]
    }

    /// Runs the body of a handler, on the main loop of the host if the plan says so.
    nonisolated(nonsending) func elsewhere(
        on host: Host, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        if !isElsewhere { return try await body() }
        try await withThrowingTaskGroup { group in
            group.addTask(executorPreference: host.loop) { try await body() }
            try await group.waitForAll()
        }
    }

    nonisolated(nonsending) func pause(behind count: Int, on host: Host) async throws {
        if serverPause > 0, count % 8 == 1 {
            try await host.sleep(for: .milliseconds(serverPause))
        }
    }

    /// A connection may end between the end of such a stream and the reply.
    nonisolated(nonsending) func pauseIfEmpty(on host: Host) async throws {
        if count == 0 { try await host.sleep(for: .milliseconds(serverPause)) }
    }

    /// Writes the messages of one writer.
    func write(to stream: RPCWriter<Payload>, writer: Int, _ host: Host) async throws {
        var random = SeededGenerator(seed: number &+ UInt64(writer))
        for index in 0..<count {
            try await stream.write(
                .numbered(
                    number, writer, index, Int.random(in: 0...mostBytes, using: &random),
                    using: &random))
        }
    }
}

/// Checks that the messages of a call are its own, in order, none twice and none left out. A value.
struct ReceivedMessages {
    private let call: UInt64
    private let world: World
    private var next = [UInt64](repeating: 0, count: 4)
    private(set) var count = 0

    init(call: UInt64, _ world: World) {
        self.call = call
        self.world = world
    }

    mutating func check(_ message: Payload) {
        let bytes = [UInt8](message.value.prefix(Payload.headerBytes))
        func number(_ range: Range<Int>) -> UInt64 {
            bytes[range].reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard bytes.count == Payload.headerBytes, number(0..<8) == call, bytes[8] < 4 else {
            return world.violated(.reply, "transfer \(call) has received a message of another call")
        }
        let (writer, index) = (Int(bytes[8]), number(9..<17))
        if index != next[writer] {
            world.violated(
                .custom,
                "transfer \(call): message \(index) of writer \(writer), and not \(next[writer])")
        }
        next[writer] = index + 1
        count += 1
    }
}

extension Payload {
    /// The number of the call, that of the writer, that of the message.
    fileprivate static let headerBytes = 17

    fileprivate static func numbered(
        _ call: UInt64, _ writer: Int, _ index: Int, _ count: Int,
        using random: inout SeededGenerator
    ) -> Payload {
        var value = Data(bigEndian: call)
        value.append(UInt8(writer))
        value.append(Data(bigEndian: UInt64(index)))
        value.append(Payload.pattern(count, using: &random).value)
        return .with { $0.value = value }
    }
}

extension Data {
    init(bigEndian value: UInt64) {
        self.init((0..<8).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
    }

    /// The number that these eight bytes are.
    var number: UInt64 { reduce(0) { $0 << 8 | UInt64($1) } }
}
