public import RocketSystem

/// A failure to connect, with the addresses that were tried. A value.
public struct ConnectError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure; with several addresses, that of the first one tried.
    public enum Kind: String, Sendable {
        /// The host answers, but no process listens.
        case refused
        /// There was no answer within the time limit.
        case timedOut = "timed out"
        /// There is no route to the host.
        case unreachable
        /// The system does not permit the connection: the mode of a Unix socket, a firewall.
        case notPermitted = "not permitted"
        /// There was no address to try.
        case noAddress = "no address"
        /// The host answers, but the handshake of the security failed.
        case insecure
        /// This side cancelled the operation.
        case cancelled
        /// Another failure; see the attempts.
        case failed
    }

    /// The attempt to connect to one address.
    public struct Attempt: Hashable, Sendable {
        /// The address.
        public let address: NetAddress
        /// The error of the system; nil: the attempt had not ended.
        public let error: SystemError?
        /// Why the handshake of the security has failed; nil: it has not, or there was none.
        public let handshake: CloseReason?

        init(address: NetAddress, error: SystemError?, handshake: CloseReason? = nil) {
            self.address = address
            self.error = error
            self.handshake = handshake
        }

        fileprivate var problem: String? {
            error.map { "\($0.errno)" } ?? handshake.map(Self.text)
        }

        private static func text(_ handshake: CloseReason) -> String {
            switch handshake {
            case .peerFinished, .peerReset:
                "\(handshake) during the handshake; does it speak plaintext?"
            default: handshake.description
            }
        }
    }

    /// The kind of failure.
    public let kind: Kind
    /// The attempts in the order in which they began.
    public let attempts: [Attempt]

    /// `connect: 127.0.0.1:1: ECONNREFUSED (Connection refused)`; without an error of the system the
    /// kind: `connect: timed out (127.0.0.1:1)`.
    public var description: String {
        let targets = attempts.map { attempt in
            attempt.problem.map { "\(attempt.address): \($0)" } ?? "\(attempt.address)"
        }.joined(separator: "; ")
        if attempts.contains(where: { $0.problem != nil }) { return "connect: \(targets)" }
        return "connect: \(kind.rawValue)" + (targets.isEmpty ? "" : " (\(targets))")
    }

    init(_ kind: Kind, attempts: [Attempt]) {
        self.kind = kind
        self.attempts = attempts
    }

    /// Derives the kind from the first attempt.
    init(attempts: [Attempt]) {
        let errno = attempts.first?.error?.errno
        let kind: Kind
        switch errno {
        case _ where attempts.isEmpty: kind = .noAddress
        case nil where attempts.first?.handshake != nil: kind = .insecure
        case let errno? where errno.isRefused: kind = .refused
        case let errno? where errno.isTimedOut: kind = .timedOut
        case let errno? where errno.isUnreachable: kind = .unreachable
        case let errno? where errno.isNotPermitted: kind = .notPermitted
        default: kind = .failed
        }
        self.init(kind, attempts: attempts)
    }
}
