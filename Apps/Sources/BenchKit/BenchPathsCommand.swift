public import ArgumentParser
import OrderProtos
import RocketBalancing
import RocketBase
import RocketCodec
import RocketProgram
@_spi(Simulation) import RocketRPC
import RocketReactor
import RocketSystem
import RocketTCP
import SwiftProtobuf

/// The command line of `rocket_bench_paths`, which repeats one part of the call path without
/// sockets and clocks, for tools that count instructions.
public struct BenchPathsCommand: AsyncParsableCommand {
    /// The parts of the call path.
    public enum Path: String, CaseIterable, ExpressibleByArgument, Sendable {
        /// Decodes a request.
        case decode
        /// Encodes a response.
        case encode
        /// Decodes a frame, finds its method, runs the handler and encodes the reply, in memory.
        case dispatch
        /// Logs a line below the log level.
        case log
        /// Makes calls whose handlers keep their controllers, with and without a task.
        case keep
        /// Sends messages of 100 bytes in one stream of requests, in memory.
        case upload
        /// Receives messages of 100 bytes in one stream of responses, in memory.
        case download
        /// Makes calls to one of several servers, in memory: `--servers`.
        case pick
        /// Picks one of several servers, and records the end of its call: `--servers`.
        case balance
        /// Makes one call after the other to a server, in a task outside of the channel's loop:
        /// `--to`, `--busy-wait-us`. Prints the median time of a call in nanoseconds.
        case outside
    }

    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "rocket_bench_paths",
        abstract: "Repeats one part of the call path, to count its instructions.",
        discussion: """
            EXAMPLE:
              Count the instructions of decoding a request by the difference of two runs:
                valgrind --tool=callgrind rocket_bench_paths decode --times 10000
                valgrind --tool=callgrind rocket_bench_paths decode --times 20000

            \(HelpSections(exitStatuses: [.failure, .ioError]).text)
            """,
        version: "rocket_bench_paths \(RocketVersion.current)")

    @Argument(
        help: "decode, encode, dispatch, log, keep, upload, download, pick, balance or outside.")
    var path: Path

    @Option(help: "The number of repetitions, 1 or more.")
    var times = 10_000

    @Option(help: "The number of servers that pick and balance choose from, 1 to 10,000.")
    var servers = 100

    @Option(help: "The address of the server of outside: 127.0.0.1:12345.")
    var to: String?

    @Option(help: "How long the channel of outside waits busily, 0 to 1000 us.")
    var busyWaitUs = 0

    @Flag(help: "Pass the channel of outside a loop, so that callers wake its thread.")
    var passedLoop = false

    /// Every option at its default, for the parser.
    public init() {}

    /// Refuses values out of range.
    public func validate() throws {
        guard times > 0 else { throw ValidationError("--times is 1 or more") }
        guard 1...10_000 ~= servers else {
            throw ValidationError("--servers is 1 to 10,000, not \(servers)")
        }
    }

    /// Runs the part, and prints its result.
    public func run() async throws {
        let result = try await runPath()
        StandardOutput.write(line: "\(path.rawValue): \(result)")
    }

    /// Runs the part, and returns a result that depends on every repetition, so that none is
    /// optimised away.
    func runPath() async throws -> Int {
        switch path {
        case .decode: try decode()
        case .encode: try encode()
        case .dispatch: try await dispatch()
        case .log: log()
        case .keep: try await KeepingOrders.leaks(times: times)
        case .upload: try await StreamedOrders.run(up: true, times: times)
        case .download: try await StreamedOrders.run(up: false, times: times)
        case .pick: try await pick()
        case .balance: balance()
        case .outside: try await outside()
        }
    }

    private var request: MakeOrderRequest {
        .with {
            $0.price = 100
            $0.goods = "apple"
        }
    }

    private func decode() throws -> Int {
        let coding = OrderMethods.makeOrder.request
        var buffer = ByteBuffer()
        try coding.append(request, to: &buffer)
        var sum = 0
        for _ in 0..<times {
            sum += Int(try buffer.withBytes { try coding.message(from: $0) }.price)
        }
        return sum
    }

    private func encode() throws -> Int {
        let coding = OrderMethods.makeOrder.response
        let response = BenchOrder(payloadBytes: nil).reply(to: request)
        var buffer = ByteBuffer()
        var sum = 0
        for _ in 0..<times {
            try coding.append(response, to: &buffer)
            sum += buffer.readableBytes
            buffer.removeAll()
        }
        return sum
    }

    private func dispatch() async throws -> Int {
        let codec = TinyPBCodec()
        let name = [UInt8](OrderMethods.makeOrder.fullName.utf8)
        let id = [UInt8]("12345678901234567890".utf8)
        var frames = ByteBuffer()
        for _ in 0..<times {
            let start = codec.begin(
                messageID: id.span.bytes, methodName: name.span.bytes, in: &frames)
            try OrderMethods.makeOrder.request.append(request, to: &frames)
            try codec.finish(start, in: &frames)
        }
        let dispatcher = try RPCDispatcher(
            services: [BenchHandler.async.service(payloadBytes: nil)])
        return await dispatcher.answer(frames.copyBytes(), codec: codec).count
    }

    private func pick() async throws -> Int {
        var configuration = RPCChannelConfiguration()
        configuration.subsetSize = 0
        let dispatcher = try RPCDispatcher(
            services: [BenchHandler.sync.service(payloadBytes: nil)])
        let channel = try RPCChannel(
            inProcess: dispatcher, copies: servers, configuration: configuration)
        defer { channel.close() }
        return try await withTaskExecutorPreference(channel.loop) {
            var sum = 0
            for _ in 0..<times {
                sum += Int(try await channel.call(OrderMethods.makeOrder, request).orderID.count)
            }
            return sum
        }
    }

    private func outside() async throws -> Int {
        var configuration = RPCChannelConfiguration()
        configuration.busyWait = .microseconds(busyWaitUs)
        let address = try NetAddress(parsing: to ?? "127.0.0.1:12345")
        let thread = passedLoop ? try IOThread(name: "passed") : nil
        let channel = try RPCChannel(
            to: address, configuration: configuration, loop: thread?.loop)
        defer {
            channel.close()
            thread?.stopUnattended()
        }
        let time = SystemTimeSource()
        var durations: [UInt64] = []
        durations.reserveCapacity(times)
        for _ in 0..<times {
            let began = time.monotonic().nanoseconds
            _ = try await channel.call(OrderMethods.makeOrder, request)
            durations.append(time.monotonic().nanoseconds - began)
        }
        return Int(durations.sorted()[times / 2])
    }

    /// What a channel of several servers asks of its balancer for each call.
    private func balance() -> Int {
        var seed = FixedSeed()
        var balancer = Balancer(using: &seed)
        balancer.update((0..<servers).map { BalancedEndpoint("\($0)") })
        for index in balancer.indices { balancer.setUsable(true, at: index) }
        var now = MonotonicTime(nanoseconds: 1)
        for _ in 0..<times {
            guard let index = balancer.pick(now: now) else { continue }
            balancer.began(index)
            let start = now
            now = now + .microseconds(10)
            balancer.ended(index, began: start, outcome: .success, now: now)
        }
        return Int(balancer.statistics.picks)
    }

    private func log() -> Int {
        let logger = RocketLogger.disabled
        var sum = 0
        for number in 0..<times {
            logger.debug("call served") { $0.add("number", number) }
            sum += number & 1
        }
        return sum
    }
}

/// Draws the same number again and again: every run picks the same.
private struct FixedSeed: RandomNumberGenerator {
    mutating func next() -> UInt64 { 1 }
}
