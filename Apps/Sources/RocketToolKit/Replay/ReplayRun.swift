import RocketBase
import RocketBinaryLog
import RocketCodec
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem

/// When the calls of a replay are due. A value.
enum ReplayPace: Hashable, Sendable {
    /// As soon as a caller is free.
    case asFastAsPossible
    /// Calls per second.
    case rate(Double)
    /// As they were recorded, so many times as fast.
    case recorded(speed: Double)

    /// When a call is due, since the first one; nil: at once.
    func due(_ index: Int, _ call: LoggedCall, first: LoggedCall) -> Duration? {
        switch self {
        case .asFastAsPossible: nil
        case .rate(let rate): Self.seconds(Double(index) / rate)
        case .recorded(let speed):
            Self.seconds(
                Double(max(0, call.beganAt.nanoseconds &- first.beganAt.nanoseconds)) / 1e9 / speed)
        }
    }

    /// A file may have any times: at most 30 years.
    private static func seconds(_ seconds: Double) -> Duration { .seconds(min(seconds, 1e9)) }
}

/// Makes the calls of a file again, and compares their replies. Any thread.
final class ReplayRun: Sendable {
    struct Settings: Sendable {
        var pace = ReplayPace.asFastAsPossible
        var concurrency = 1
        /// In place of what was recorded.
        var timeout: Duration?
        /// Beside what was recorded.
        var metadata = RPCMetadata()
        var waitsForReady = false
        var ignored: [FieldPath] = []
    }

    private struct Method: Sendable {
        let method: DynamicMethod
        let rpc: RPCMethod<EncodedMessage, EncodedMessage>
    }

    private struct State {
        var next = 0
        var isStopped = false
        var results: [(index: Int, result: ReplayResult)] = []
    }

    /// For calls that were recorded without a deadline.
    private static let defaultTimeout = Duration.seconds(10)

    private let calls: [LoggedCall]
    private let methods: [String: Method]
    private let schema: DynamicSchema
    private let settings: Settings
    private let time = SystemTimeSource()
    private let state = Locked(State())

    /// - Parameter methods: those of all calls, by their full names.
    init(
        _ calls: [LoggedCall], _ methods: [String: DynamicMethod], _ schema: DynamicSchema,
        _ settings: Settings
    ) {
        self.calls = calls
        self.methods = methods.mapValues { Method(method: $0, rpc: $0.rpc()) }
        self.schema = schema
        self.settings = settings
    }

    /// No further call begins, and those that run are not counted; cancel the task of `run`, too.
    func stop() { state.withLock { $0.isStopped = true } }

    /// Whether it was stopped.
    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Makes the calls; returns those that have ended, in the order of the file.
    func run(over channel: RPCChannel) async -> [ReplayResult] {
        let start = time.monotonic()
        await withTaskGroup { group in
            for _ in 0..<min(settings.concurrency, calls.count) {
                group.addTask { [self] in await callAll(channel, start) }
            }
        }
        return state.withLock { $0.results.sorted { $0.index < $1.index }.map(\.result) }
    }

    /// Makes one call after the other.
    private func callAll(_ channel: RPCChannel, _ start: MonotonicTime) async {
        while let index = next() {
            let call = calls[index]
            if let due = settings.pace.due(index, call, first: calls[0]) {
                // Ends early if the task is cancelled, after `stop`.
                try? await Task.sleep(for: max(.zero, start + due - time.monotonic()))
            }
            guard !isStopped, let method = methods[call.method] else { continue }
            let began = time.monotonic()
            let reply = await reply(to: call, method, channel)
            let duration = time.monotonic() - began
            if isStopped { return }
            let outcome = ReplayOutcome(
                of: call, method.method, schema, reply: reply, ignoring: settings.ignored)
            let result = ReplayResult(call: call, outcome: outcome, duration: duration)
            state.withLock { $0.results.append((index, result)) }
        }
    }

    private func next() -> Int? {
        state.withLock { state in
            if state.isStopped || state.next >= calls.count { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private func reply(
        to call: LoggedCall, _ method: Method, _ channel: RPCChannel
    ) async -> Result<[UInt8], RPCError> {
        guard let request = try? EncodedMessage(call.request.bytes) else {
            return .failure(RPCError(.failedSerialize, "the recorded request is no message"))
        }
        let controller = RPCController(
            timeout: settings.timeout ?? call.timeout ?? Self.defaultTimeout,
            metadata: call.metadata(and: settings.metadata),
            options: .with { $0.waitsForReady = settings.waitsForReady })
        do throws(RPCError) {
            return .success(try await channel.call(method.rpc, request, controller).bytes)
        } catch { return .failure(error) }
    }
}
