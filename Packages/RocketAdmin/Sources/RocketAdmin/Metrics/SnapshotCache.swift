import RocketRPC
import RocketSystem

/// Collects snapshots, one at a time, for all who ask: however often that is, the loops are asked a few
/// times a second. Any thread.
final class SnapshotCache: Sendable {
    /// What one collection has found.
    struct Numbers: Sendable {
        var server: RPCServerSnapshot
        var channels: [RPCChannelSnapshot]
        var process: ProcessFigures
        var history: RateHistory
    }

    private struct State {
        /// The last one, and when it was begun.
        var last: (numbers: Numbers, began: MonotonicTime)?
        var running: (task: Task<Numbers, Never>, began: MonotonicTime)?
        var history = RateHistory()
    }

    private let source: AdminSource
    private let time: any TimeSource
    /// How old a snapshot may be that is shown.
    private let validity: Duration
    private let state = Locked(State())

    init(_ source: AdminSource, time: any TimeSource, validity: Duration) {
        self.source = source
        self.time = time
        self.validity = validity
    }

    /// The numbers of now, or of a moment ago.
    func numbers() async -> Numbers {
        let now = time.monotonic()
        let found: Task<Numbers, Never>? = state.withLock { state in
            if let last = state.last, now - last.began < validity { return nil }
            if let running = state.running { return running.task }
            let task = Task { await self.collect(began: now) }
            state.running = (task, now)
            return task
        }
        if let found { return await found.value }
        // Valid, as was found above: it is only ever replaced.
        if let last = state.withLock({ $0.last?.numbers }) { return last }
        return await collect(began: now)
    }

    private func collect(began: MonotonicTime) async -> Numbers {
        let server = await source.snapshot()
        var channels: [RPCChannelSnapshot] = []
        for channel in source.channels { channels.append(await channel.snapshot()) }
        let process = ProcessFigures.now()
        return state.withLock { [channels] state in
            state.history.add(server, processorTime: process.processorTime)
            let numbers = Numbers(
                server: server, channels: channels, process: process, history: state.history)
            state.last = (numbers, began)
            state.running = nil
            return numbers
        }
    }
}
