import RocketSystem

/// State machine of a connect to several addresses (RFC 8305, "happy eyeballs"): events in, actions out.
/// A pure value; `ConnectOperation` performs the actions, and passes the time.
///
/// The families alternate. The next address is tried when one fails, or when the last attempt has had
/// no outcome for `attemptDelay`. The first success ends the race, as does the last failure.
struct ConnectRace {
    enum Event: Equatable {
        case start
        /// The time of `wait(until:)` has come.
        case waited
        /// The attempt is connected, and its handshake goes on: it gets another `attemptDelay`.
        case progressed(Int)
        case failed(Int)
        case succeeded(Int)
        /// The caller ends the race.
        case cancelled
    }

    enum Action: Equatable {
        /// Begin an attempt with `addresses` at this index.
        case begin(Int)
        /// Report `.waited` then, in place of an earlier wait.
        case wait(until: MonotonicTime)
        case stopWaiting
        /// End an attempt that has had no outcome.
        case cancel(Int)
        case win(Int)
        /// All attempts have failed, or there is no address.
        case lose
    }

    private enum Attempt { case running, ended }

    /// In the order of the attempts.
    let addresses: [NetAddress]
    private let attemptDelay: Duration
    private var attempts: [Attempt] = []
    private var isWaiting = false
    private var isOver = false

    /// The delays that RFC 8305 allows.
    static let delays = Duration.milliseconds(10)...Duration.seconds(2)

    /// - Parameter attemptDelay: clamped to `delays`.
    init(_ addresses: [NetAddress], attemptDelay: Duration) {
        self.addresses = AddressInterleaving.interleaved(addresses)
        self.attemptDelay = min(
            max(attemptDelay, Self.delays.lowerBound), Self.delays.upperBound)
    }

    mutating func handle(_ event: Event, at now: MonotonicTime) -> [Action] {
        if isOver { return [] }
        switch event {
        case .start: return attempts.isEmpty ? next(at: now) : []
        case .waited:
            if !isWaiting { return [] }
            isWaiting = false
            return next(at: now)
        case .progressed(let index):
            return isRunning(index) && attempts.count < addresses.count ? [wait(from: now)] : []
        case .failed(let index):
            guard isRunning(index) else { return [] }
            attempts[index] = .ended
            return next(at: now)
        case .succeeded(let index):
            guard isRunning(index) else { return [] }
            attempts[index] = .ended
            return end() + [.win(index)]
        case .cancelled: return end()
        }
    }

    private func isRunning(_ index: Int) -> Bool {
        attempts.indices.contains(index) && attempts[index] == .running
    }

    private mutating func next(at now: MonotonicTime) -> [Action] {
        guard attempts.count < addresses.count else {
            if attempts.contains(.running) { return [] }
            return end() + [.lose]
        }
        attempts.append(.running)
        let begun = Action.begin(attempts.count - 1)
        if attempts.count < addresses.count { return [begun, wait(from: now)] }
        return [begun] + stopWaiting()
    }

    private mutating func wait(from now: MonotonicTime) -> Action {
        isWaiting = true
        return .wait(until: now + attemptDelay)
    }

    private mutating func stopWaiting() -> [Action] {
        if !isWaiting { return [] }
        isWaiting = false
        return [.stopWaiting]
    }

    private mutating func end() -> [Action] {
        isOver = true
        let running = attempts.indices.filter { attempts[$0] == .running }
        return stopWaiting() + running.map { .cancel($0) }
    }
}
