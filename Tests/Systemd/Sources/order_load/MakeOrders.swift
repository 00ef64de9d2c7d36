import ArgumentParser
import Foundation
import OrderProtos
import RocketBase
import RocketCodec
import RocketRPC

/// Makes orders over several connections until a file appears or the time is over. The goods of
/// each order are named after its idempotency key. Calls are ordinary calls: only the channel
/// retries.
///
/// Prints one line of figures, and failures by code on standard error. Exits with status 1 if a
/// call failed.
struct MakeOrders: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "make")

    @OptionGroup var server: ServerOptions
    @Option(help: "Channels, each with its own connection.") var connections = 4
    @Option(help: "Calls in flight, over all connections.") var inFlight = 16
    @Option(help: "Calls per second at most; 0: a new call after each reply.") var rate = 0
    @Option(help: "Duration at most, in seconds.") var seconds = 60.0
    @Option(help: "Ends when this file exists.") var until: String?
    @Option(help: "Time-out of a call.") var timeoutMilliseconds = 10_000
    @Option(help: "Prefix of the idempotency keys; another one for each process.") var prefix =
        "load"
    @Option(help: "File for 'KEY ORDER_ID' of each acknowledged order.")
    var acks: String?

    func run() async throws {
        var configuration = RPCChannelConfiguration()
        configuration.timeout = .milliseconds(timeoutMilliseconds)
        configuration.connectTimeout = .milliseconds(timeoutMilliseconds)
        let channels = try server.channels(max(1, connections), configuration)
        let start = ContinuousClock.now
        let stop = StopCondition(file: until, at: start + .seconds(seconds))
        var tally = Tally()
        await withTaskGroup(of: Tally.self) { group in
            for number in 0..<max(1, inFlight) {
                let client = OrderClient(channels[number % channels.count])
                group.addTask { await work(number, client, start, stop) }
            }
            for await part in group { tally.add(part) }
        }
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        for channel in channels { channel.close() }
        if let acks {
            let lines = tally.acknowledged.map { "\($0.key) \($0.id)\n" }.joined()
            try Data(lines.utf8).write(to: URL(fileURLWithPath: acks))
        }
        for (code, count) in tally.failures.sorted(by: { $0.key < $1.key }) {
            FileHandle.standardError.write(Data("order_load: \(count) x \(code)\n".utf8))
        }
        print(tally.figures(seconds: elapsed))
        if !tally.failures.isEmpty { throw ExitCode(1) }
    }

    /// Runs one client: its next call begins when the last has ended, and not before its turn.
    private func work(
        _ number: Int, _ client: OrderClient, _ start: ContinuousClock.Instant,
        _ stop: StopCondition
    ) async -> Tally {
        var tally = Tally()
        let interval = rate > 0 ? Duration.seconds(Double(inFlight) / Double(rate)) : .zero
        var turn = start + interval * (Double(number) / Double(inFlight))
        while !stop.isMet {
            if rate > 0 {
                try? await Task.sleep(until: turn, clock: .continuous)
                turn = max(turn + interval, .now - interval)
            }
            let key = "\(prefix)-\(number)-\(tally.calls)"
            var request = MakeOrderRequest()
            request.price = 100
            request.goods = key
            let begin = ContinuousClock.now
            do {
                let response = try await client.makeOrder(
                    request, metadata: ["idempotency-key": key])
                tally.ended(key, response, after: .now - begin)
            } catch {
                tally.failed("\(error.code.name): \(error.message)", after: .now - begin)
            }
        }
        return tally
    }
}

/// When clients stop: at a time, or when a file exists. Any thread.
struct StopCondition: Sendable {
    let file: String?
    let at: ContinuousClock.Instant

    var isMet: Bool {
        if ContinuousClock.now >= at { return true }
        guard let file else { return false }
        return FileManager.default.fileExists(atPath: file)
    }
}
