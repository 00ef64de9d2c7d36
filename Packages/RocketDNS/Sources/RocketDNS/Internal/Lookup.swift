import RocketReactor
import RocketSystem

/// One lookup from its begin to its completion. Bound to its loop's thread; owned by a `ResolverCore`.
final class Lookup {
    typealias Outcome = Result<LookupState.Answer, DNSError>

    let name: String
    let types: [RecordType]
    /// Set when it begins to ask.
    var state: LookupState?
    var isRelative = false
    /// Whether it waits for its turn.
    var isWaiting = false
    var timeout: ScheduledTimer?
    var familyDelay: ScheduledTimer?
    /// How it has ended; nil: it has not.
    var outcome: Outcome?
    var completion: ((Outcome) -> Void)?

    init(
        _ name: String, types: [RecordType], completion: @escaping (Outcome) -> Void
    ) {
        self.name = name
        self.types = types
        self.completion = completion
    }

    func cancelTimers() {
        timeout.take()?.cancel()
        familyDelay.take()?.cancel()
    }
}
