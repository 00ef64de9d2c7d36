import RocketSystem

/// The queries of one lookup: names of the search list one after the other, both families of a name at
/// the same time. A state machine without I/O: events in, actions out. A value.
struct LookupState {
    enum Event {
        case start
        /// A query of the current name has ended.
        case ended(RecordType, QueryOutcome)
        /// The wait for the other family is over.
        case familyDelayEnded
        /// The time limit has passed.
        case timedOut
    }

    enum Action: Equatable {
        case query(name: String, RecordType)
        /// Report `.familyDelayEnded` later.
        case waitForOtherFamily
        case succeed(Answer)
        case fail(DNSError)
    }

    /// The records of all types, in the order of the types.
    struct Answer: Equatable {
        var records: [QueryOutcome.Record] = []
        var minimumTTL = UInt32.max
        /// Why the records of one type are missing, unless by a negative answer.
        var missing: DNSError?
    }

    private let name: String
    private let types: [RecordType]
    private let negativeTTL: Duration
    private var candidates: [String]
    private var outcomes: [RecordType: QueryOutcome] = [:]
    private var isWaitingForOther = false
    private var isOver = false
    /// Of the candidates so far.
    private var leastNegativeTTL: Duration?
    private var hasEmptyName = false

    /// - Parameters:
    ///   - candidates: at least one.
    ///   - negativeTTL: of negative answers without an SOA record.
    init(name: String, candidates: [String], types: [RecordType], negativeTTL: Duration) {
        self.name = name
        self.candidates = candidates.reversed()
        self.types = types
        self.negativeTTL = negativeTTL
    }

    mutating func handle(_ event: Event) -> [Action] {
        if isOver { return [] }
        switch event {
        case .start: return next(.unknownName)
        case .ended(let type, let outcome):
            guard types.contains(type), outcomes[type] == nil else { return [] }
            outcomes[type] = outcome
            return evaluate()
        case .familyDelayEnded: return isWaitingForOther ? end(missing: .timedOut) : []
        case .timedOut:
            return hasRecords ? end(missing: .timedOut) : fail(.timedOut)
        }
    }

    private var hasRecords: Bool {
        types.contains { if case .records? = outcomes[$0] { true } else { false } }
    }

    private var failure: DNSError.Kind? {
        for type in types { if case .failed(let kind)? = outcomes[type] { return kind } }
        return nil
    }

    private mutating func evaluate() -> [Action] {
        if outcomes.count < types.count {
            guard hasRecords, !isWaitingForOther else { return [] }
            isWaitingForOther = true
            return [.waitForOtherFamily]
        }
        if hasRecords { return end(missing: failure) }
        if let failure { return fail(failure) }
        var kind = DNSError.Kind.unknownName
        for type in types {
            guard case .negative(let other, let ttl)? = outcomes[type] else { continue }
            if other == .noRecords { kind = .noRecords }
            let valid = ttl.map { Duration.seconds($0) } ?? negativeTTL
            leastNegativeTTL = min(leastNegativeTTL ?? valid, valid)
        }
        return next(kind)
    }

    /// Asks for the next candidate; `kind` is the answer for the last one.
    private mutating func next(_ kind: DNSError.Kind) -> [Action] {
        if kind == .noRecords { hasEmptyName = true }
        outcomes = [:]
        guard let candidate = candidates.popLast() else {
            return fail(hasEmptyName ? .noRecords : .unknownName)
        }
        return types.map { .query(name: candidate, $0) }
    }

    private mutating func end(missing: DNSError.Kind?) -> [Action] {
        isOver = true
        var answer = Answer(missing: missing.map { DNSError($0, name: name) })
        for type in types {
            guard case .records(let records, let minimum)? = outcomes[type] else { continue }
            answer.records += records
            answer.minimumTTL = min(answer.minimumTTL, minimum)
        }
        return [.succeed(answer)]
    }

    private mutating func fail(_ kind: DNSError.Kind) -> [Action] {
        isOver = true
        let isNegative = kind == .unknownName || kind == .noRecords
        let valid = isNegative ? leastNegativeTTL ?? negativeTTL : nil
        return [.fail(DNSError(kind, name: name, negativeTTL: valid))]
    }
}
