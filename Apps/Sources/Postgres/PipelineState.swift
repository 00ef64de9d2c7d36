/// Which statement of a pipeline the next result belongs to: libpq's order of results as a state
/// machine. A value.
///
/// The statements between two syncs are one transaction. So what became of a statement is known when
/// the sync behind it has been answered, and no earlier: after an error all of them are undone.
public struct PipelineState: Sendable {
    /// What became of a statement.
    public enum Outcome: Hashable, Sendable {
        /// It is a part of a transaction that was committed.
        case succeeded
        /// It has failed; its transaction was rolled back.
        case failed
        /// Another statement of its transaction has failed, before or after it.
        case aborted
    }

    /// A statement that has ended.
    public struct Ended: Hashable, Sendable {
        /// The number that it was sent with.
        public let tag: Int
        /// What became of it.
        public let outcome: Outcome
    }

    /// A result of libpq.
    public enum Event: Hashable, Sendable {
        /// Rows, or the end of a command.
        case succeeded
        /// An error of the server.
        case failed
        /// The statement was skipped after an error.
        case aborted
        /// The end of the results of a statement.
        case end
        /// The end of a transaction.
        case sync
    }

    /// What follows from a result.
    public enum Step: Hashable, Sendable {
        /// Nothing yet.
        case none
        /// The statements up to a sync have ended, in the order in which they were sent.
        case ended([Ended])
        /// The result belongs to nothing that was sent: the connection can't be used any more.
        case unexpected
    }

    private enum Entry: Hashable, Sendable { case statement(Int), sync }

    private var entries: [Entry] = []
    /// The entries before this index have ended.
    private var head = 0
    /// The result of the first entry, whose end has not come.
    private var current: Outcome?
    private var staged: [Ended] = []

    /// A pipeline in which nothing was sent.
    public init() {}

    /// Whether a result is to come.
    public var isWaiting: Bool { head < entries.count }

    /// The statement whose result comes next; nil: a sync, or nothing.
    public var first: Int? {
        if isWaiting, case .statement(let tag) = entries[head] { tag } else { nil }
    }

    /// A statement was sent.
    public mutating func sent(_ tag: Int) { entries.append(.statement(tag)) }

    /// A sync was sent.
    public mutating func sentSync() { entries.append(.sync) }

    /// Handles a result.
    public mutating func received(_ event: Event) -> Step {
        guard isWaiting else { return event == .end ? .none : .unexpected }
        switch (entries[head], event) {
        case (.statement, .succeeded): current = current ?? .succeeded
        case (.statement, .failed): current = .failed
        case (.statement, .aborted): current = current ?? .aborted
        case (.statement(let tag), .end):
            guard let outcome = current.take() else { return .none }
            staged.append(Ended(tag: tag, outcome: outcome))
            pop()
        case (.statement, .sync): return .unexpected
        // The commit has failed.
        case (.sync, .failed): staged = staged.map { Ended(tag: $0.tag, outcome: .failed) }
        case (.sync, .end): break
        case (.sync, .succeeded), (.sync, .aborted): return .unexpected
        case (.sync, .sync):
            pop()
            defer { staged = [] }
            if staged.allSatisfy({ $0.outcome == .succeeded }) { return .ended(staged) }
            return .ended(
                staged.map {
                    Ended(tag: $0.tag, outcome: $0.outcome == .failed ? .failed : .aborted)
                })
        }
        return .none
    }

    /// The connection is lost. Returns the statements whose outcome is unknown, in the order in which
    /// they were sent, and forgets them.
    public mutating func lose() -> [Int] {
        defer { self = PipelineState() }
        return staged.map(\.tag)
            + entries[head...].compactMap { if case .statement(let tag) = $0 { tag } else { nil } }
    }

    private mutating func pop() {
        head += 1
        if head < 64, head < entries.count { return }
        entries.removeFirst(head)
        head = 0
    }
}
