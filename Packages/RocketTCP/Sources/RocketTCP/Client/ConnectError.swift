public import RocketSystem

/// A connection that did not come about: why, and what was tried.
public struct ConnectError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The outcome in one word; of several addresses, that of the first one tried.
    public enum Kind: String, Sendable {
        /// Somebody is there, but nobody listens.
        case refused
        /// No answer within the time.
        case timedOut = "timed out"
        /// There is no way there.
        case unreachable
        /// There was no address to try.
        case noAddress = "no address"
        /// Our side gave it up.
        case cancelled
        /// Anything else; the attempts say what.
        case failed
    }

    /// One address and what became of it.
    public struct Attempt: Hashable, Sendable {
        /// Where it went.
        public let address: NetAddress
        /// What the system said; nil: it was not over yet.
        public let error: SystemError?
    }

    /// The outcome in one word.
    public let kind: Kind
    /// In the order they began.
    public let attempts: [Attempt]

    /// `connect to 127.0.0.1:1: refused (ECONNREFUSED (Connection refused))`.
    public var description: String {
        let targets = attempts.map { attempt in
            attempt.error.map { "\(attempt.address): \($0.errno)" } ?? "\(attempt.address)"
        }
        return "connect: \(kind.rawValue)"
            + (targets.isEmpty ? "" : " (\(targets.joined(separator: "; ")))")
    }

    init(_ kind: Kind, attempts: [Attempt]) {
        self.kind = kind
        self.attempts = attempts
    }

    /// The kind follows from the first attempt.
    init(attempts: [Attempt]) {
        let errno = attempts.first?.error?.errno
        let kind: Kind =
            attempts.isEmpty
            ? .noAddress
            : errno?.isRefused == true
                ? .refused
                : errno?.isTimedOut == true
                    ? .timedOut : errno?.isUnreachable == true ? .unreachable : .failed
        self.init(kind, attempts: attempts)
    }
}
